import Base
import Foundation
import TestKit
import Testing
import VendorSim

/// `parley route` on the journal of a call that was led live.
struct StoredCallRoutes {
    private let id: String
    private let platform: LivePlatform
    /// The agent's cheap model.
    private let cheap: SimulatedModel
    private let directory = ScratchDirectory()

    init(_ id: String, _ platform: LivePlatform, _ cheap: SimulatedModel) {
        self.id = id
        self.platform = platform
        self.cheap = cheap
    }

    func check() async throws {
        let journal = try await platform.api.bytes("/v1/calls/\(id)/journal")
        let file = URL(filePath: directory.path).appending(path: "call.journal")
        try Data(journal).write(to: file)
        try await decide(file.path)
        try await judge(file.path)
        try await refuse(file.path, journal)
    }

    /// Every request that the call made, decided on once more in its place.
    private func decide(_ path: String) async throws {
        let made = try await platform.api.get("/v1/calls/\(id)/routes")["routes"]?.array ?? []
        let plain = try await Program.run(["route", path])
        #expect(plain.status == 0, "\(plain.err)")
        #expect(plain.json.count == made.count)
        #expect(plain.json.compactMap { $0["id"]?.string }.allSatisfy { $0.hasPrefix("\(id)#1.") })
        #expect(plain.json.allSatisfy { ["cheap", "strong", "probe"].contains($0["route"]?.string) })
        #expect(plain.json.allSatisfy { $0["features"] == nil && $0["reason"]?.string?.isEmpty == false })
        let times = plain.json.compactMap { $0["t_ms"]?.int }
        #expect(times.count == made.count && times == times.sorted())
        let explained = try await Program.run(["route", path, "--explain"])
        #expect(explained.status == 0, "\(explained.err)")
        #expect(explained.json.map { $0["reason"] } == plain.json.map { $0["reason"] })
        for line in explained.json {
            let costs = ["expected_cost", "always_strong", "always_cheap"].compactMap { line[$0]?.int }
            #expect(costs.count == 3 && costs.allSatisfy { $0 > 0 }, "\(line)")
            #expect(line["features"]?.object?.isEmpty == false)
        }
    }

    private static let key = "model-key-for-tests"

    private func judge(_ path: String) async throws {
        var settings = ModelSettings()
        settings.key = Self.key
        settings.script = ChatScript([], otherwise: .init("SAME"))
        let judge = try await SimulatedModel.start(settings, logger: LivePlatform.logger)
        cheap.use(ChatScript([], otherwise: .init("What is your name, please?")))
        let accounts = [
            "OPENAI_API_KEY": Self.key, "OPENAI_BASE_URL": platform.outside.chat.url,
            "ANTHROPIC_API_KEY": Self.key, "ANTHROPIC_BASE_URL": cheap.url,
            "COMPATIBLE_API_KEY": Self.key, "COMPATIBLE_BASE_URL": judge.url,
        ]
        let asked = ["route", path, "--judge", "compatible/judge", "--limit", "2"]
        let judged = try await Program.run(asked + ["--json"], environment: accounts)
        #expect(judged.status == 0, "\(judged.err)")
        #expect(judged.json.map { $0["verdict"] } == ["equal", "equal", nil], "\(judged.out)")
        #expect(judged.json.first?["cheap"] == "What is your name, please?")
        #expect(judged.json.last?["summary"]?["requests"] == 2 && judged.json.last?["summary"]?["equal"] == 2)
        #expect(judged.err.hasSuffix("2 of 2\n"))
        let questions = judge.requests.map(\.text)
        #expect(
            questions.count == 4 && questions.allSatisfy { $0.contains("Reply A:") && !$0.contains("haiku") })
        let handOvers = [
            ChatScript.Reply(toolCalls: [.init(name: "hand_over", arguments: [:])]),
            ChatScript.Reply("I will call hand_over now."),
        ]
        for handOver in handOvers {
            cheap.use(ChatScript([], otherwise: handOver))
            let handed = try await Program.run(asked, environment: accounts)
            #expect(
                handed.out.hasSuffix("2 requests: 0 better, 0 equal, 0 worse, 2 handed_over, 0 unjudged\n"))
        }
        judge.use(ChatScript([], otherwise: .init("I cannot say.")))
        cheap.use(ChatScript([], otherwise: .init("What is your name, please?")))
        let unjudged = try await Program.run(asked, environment: accounts)
        #expect(unjudged.status != 0 && unjudged.err.contains("no reply could be judged: judge.unreadable"))
        await judge.stop()
    }

    private func refuse(_ path: String, _ journal: [UInt8]) async throws {
        let keyless = try await Program.run(
            ["route", path, "--judge", "compatible/judge"], environment: ["COMPATIBLE_API_KEY": ""])
        #expect(keyless.status != 0 && keyless.err.contains("_API_KEY"), "\(keyless.err)")
        for (arguments, said) in [
            (["route", path, "--judge", "judge"], "--judge takes VENDOR/MODEL"),
            (["route", path, "--judge", "compatible/judge", "--limit", "0"], "--limit must be 1 to 1000"),
            (["route", "--prefixes", path, "--judge", "compatible/judge"], "--judge needs JOURNAL"),
            (["route", path + ".gone"], "call.journal.gone"),
        ] {
            let refused = try await Program.run(arguments)
            #expect(refused.status != 0 && refused.err.contains(said), "\(arguments): \(refused.err)")
        }
        let text = String(decoding: journal, as: UTF8.self)
        let unrouted = path + ".unrouted"
        try text.replacing(#""routing":"#, with: #""routing_not":"#).write(
            toFile: unrouted, atomically: true, encoding: .utf8)
        let odd = try await Program.run(["route", unrouted])
        #expect(odd.status != 0 && odd.err.contains("line 1 is not of a journal"), "\(odd.err)")
    }
}
