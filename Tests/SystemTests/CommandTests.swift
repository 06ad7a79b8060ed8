import Base
import CallDispatch
import Foundation
import Store
import TestKit
import Testing
import VendorSim

/// What the program says to people who use it by hand: what is wrong and where, in one line, and nothing of its inside.
@Suite(.timeLimit(.minutes(5))) struct CommandTests {
    private let directory = ScratchDirectory()

    private func file(_ name: String, _ text: String) throws -> String {
        try write(name, Data(text.utf8))
    }

    private func write(_ name: String, _ data: Data) throws -> String {
        let url = URL(filePath: directory.path).appending(path: name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: url)
        return url.path
    }

    /// Refused with `said` and without a Swift error's inside.
    private func expectRefusal(_ run: Program, _ said: String) {
        #expect(run.status != 0 && run.out.isEmpty, "\(run.out)")
        #expect(run.err.contains(said), "\(run.err)")
        for inside in ["NSCocoa", "Domain=", "(code:", "Failure", "missing(", "Error Domain"] {
            #expect(!run.err.contains(inside), "\(run.err)")
        }
    }

    @Test func filesThatCannotBeReadAreNamed() async throws {
        let gone = directory.path + "/gone"
        let words = try file("words.yaml", "nothing: 1")
        let journal = try file("call.journal", "{\"no\": 1}\n")
        let endless = try file("endless.json", #"[{"w": "six", "a": 0, "b": 1e300}]"#)
        let cases: [([String], String)] = [
            (["route", gone], "\(gone): no such file"),
            (["route", "--prefixes", gone], "\(gone): no such file"),
            (["route", "--prefixes", words], "words.yaml: no JSON"),
            (["route", journal], "call.journal: line 1 is not of a journal this version knows"),
            (["replay", journal, "--policy", gone], "\(gone): no such file"),
            (["replay", journal], "call.journal: line 1 is not of a journal this version knows"),
            (["replay", directory.path], "cannot be read as a file"),
            (["chat", directory.path], "cannot be read as a file"),
            (
                ["chat", try prompt(#""vendor": "openai""#)],
                "agent.json is not an agent: prompt.model: required"
            ),
            (["hear", gone, "--expect", "fax"], "--expect fax: not an expectation"),
            (["hear", gone, "--words", words], "words.yaml: not a list of words with w, a and b"),
            (["hear", gone, "--words", endless], "endless.json: \"six\" from 0.0 to 1e+300 s"),
            (["simulate", "--seed", "18446744073709551615"], "there are no 2000 seeds from there on"),
            (
                ["report", ID<Call>.new().description, "--files", gone],
                "\(gone): no folder that can be read"
            ),
        ]
        for (arguments, said) in cases { expectRefusal(try await Program.run(arguments), said) }
        #expect(
            "\(Refusal(code: "file_missing", message: "cannot find it"))" == "file_missing: cannot find it")
    }

    private static let prefixes =
        #"{"desk": {"text": "You are a desk.\n[{\"name\": \"find\"}]", "tokens": 9}}"#

    @Test func rowsThatCannotBeRoutedAreNamedByLine() async throws {
        let prefixes = try file("prefixes.json", Self.prefixes)
        func row(_ id: String, _ members: String) -> String {
            #"{"id": "\#(id)", "prefix_id": "desk", \#(members)}"# + "\n"
        }
        func good(_ id: String) -> String {
            row(id, #""tokens_in": 10, "messages": [{"role": "user", "content": "Hello"}]"#)
        }
        let cases = [
            (row("b", #""tokens_in": 10"#), "messages is missing"),
            (row("b", #""tokens_in": 10, "messages": "Hello""#), "messages: expected a list"),
            (row("b", #""tokens_in": -1, "messages": []"#), "tokens_in: expected a whole number"),
            (
                row("b", #""tokens_in": 10, "messages": [{"role": "system"}]"#),
                "messages[0].role: the system text stands behind its prefix_id"
            ),
            (
                good("b").replacing(#""desk""#, with: #""disk""#),
                #"prefix_id: there is no system text of "disk""#
            ),
        ]
        for (bad, said) in cases {
            let run = try await Program.run(
                ["route", "--prefixes", prefixes], input: good("a") + bad + good("c"))
            #expect(run.status == 1 && run.err.hasPrefix("line 2: \(said)"), "\(run.err)")
            #expect(run.json.map { $0["id"] } == ["a", "b", "c"], "\(run.out)")
            guard run.json.count == 3 else { continue }
            #expect(run.json[1]["route"] == "strong" && run.json[1]["p_tool"] == 1)
            #expect(run.json[1]["reason"]?.string?.hasPrefix(said) == true, "\(run.out)")
        }
    }

    @Test func rowsWithoutAnIdAreOnlyNamed() async throws {
        let prefixes = try file("prefixes.json", Self.prefixes)
        let good =
            #"{"id": "a", "prefix_id": "desk", "tokens_in": 10, "messages": [{"role": "user", "content": "Hi"}]}"#
        let bad = [#"{"id": "#, "[1]", #"{"messages": [], "tokens_in": 1}"#, #"{"id": 5}"#]
        let run = try await Program.run(
            ["route", "--prefixes", prefixes], input: (bad + [good]).joined(separator: "\n") + "\n")
        #expect(
            run.err == """
                line 1: no JSON object
                line 2: no JSON object
                line 3: id is missing
                line 4: id: expected a text

                """)
        #expect(run.status == 1 && run.json.map { $0["id"] } == ["a"], "\(run.out)")
        let features = try await Program.run(
            ["route", "--prefixes", prefixes, "--features"],
            input: #"{"id": "b"}"# + "\n" + good + "\n")
        #expect(features.status == 1 && features.err == "line 1: messages is missing\n", "\(features.err)")
        #expect(features.json.map { $0["id"] } == [nil, "a"], "names, and what can be read")
    }

    @Test func aListOfToolsThatCannotBeReadIsNotNone() async throws {
        let text = #"{"desk": {"text": "You are a desk.\n[{\"name\": \"find\"}\nBe brief."}}"#
        let prefixes = try file("prefixes.json", text)
        let row =
            #"{"id": "a", "prefix_id": "desk", "tokens_in": 10, "messages": [{"role": "user", "content": "Hi"}]}"#
        let run = try await Program.run(["route", "--prefixes", prefixes], input: row + "\n")
        let said =
            #"prefix_id: the list of tools from line 2 of the system text "desk" cannot be read as JSON"#
        #expect(run.status == 1 && run.err == "line 1: \(said)\n", "\(run.err)")
        #expect(run.json == [["id": "a", "route": "strong", "p_tool": 1, "reason": .string(said)]])
    }

    @Test func anAgentWithoutToolsIsRoutedToTheCheapModel() async throws {
        let prefixes = try file("prefixes.json", #"{"chat": {"text": "You chat.", "tokens": 9}}"#)
        let row =
            #"{"id": "a", "prefix_id": "chat", "tokens_in": 900, "messages": [{"role": "user", "content": "Book it"}]}"#
        let run = try await Program.run(["route", "--prefixes", prefixes], input: row + "\n")
        #expect(run.status == 0, "\(run.err)")
        #expect(run.json.map { $0["route"] } == ["cheap"] && run.json.first?["p_tool"]?.number == 0)
        #expect(run.json.first?["reason"]?.string?.hasPrefix("the agent has no tools, saves ") == true)
    }

    @Test func aPairOfPricesThatIsNoneIsNamedWithThoseThatAre() async throws {
        let prefixes = try file("prefixes.json", Self.prefixes)
        let pairs =
            #"{"_note": "dollars", "big/small": {"strong": {"in": 2, "cached": 1, "out": 8}, "cheap": {"in": 1}}}"#
        let prices = try file("prices.json", pairs)
        for (pair, said) in [
            ("_note", "prices.json has no pair _note; known: big/small"),
            ("big/small", "prices.json: big/small: cheap: a price by the token is missing"),
        ] {
            let route = ["route", "--prefixes", prefixes, "--prices", prices, "--pair", pair]
            expectRefusal(try await Program.run(route), said)
        }
    }

    @Test func theEarsWeightsAreWhereTheEnvironmentSays() async throws {
        let sound = try write("tone.wav", Data(Clip.wav([[Int16](repeating: 0, count: 800)])))
        let nowhere = directory.path + "/weights"
        let run = try await Program.run(["hear", sound], environment: ["PARLEY_MODELS": nowhere])
        expectRefusal(run, "\(nowhere)/silero-vad.bin is not there")
        let given = try await Program.run(
            ["hear", sound, "--models", nowhere + "2"], environment: ["PARLEY_MODELS": nowhere])
        expectRefusal(given, "\(nowhere)2/silero-vad.bin is not there")
    }

    @Test func aCallIsReportedFromTheFolderOfItsTenant() async throws {
        let (call, tenant) = (ID<Call>.new().description, ID<Tenant>.new().description)
        let sound = Data(Clip.wav([[Int16](repeating: 900, count: 800), [Int16](repeating: 0, count: 800)]))
        _ = try write("recordings/\(tenant)/\(call).1.wav", sound)
        _ = try write("recordings/\(ID<Tenant>.new())/\(ID<Call>.new()).1.wav", sound)
        let page = directory.path + "/page.html"
        let recordings = directory.path + "/recordings"
        let run = try await Program.run(["report", call, "--files", recordings, "--out", page])
        #expect(run.status == 0 && run.out.hasSuffix(page + "\n"), "\(run.err)")
        #expect(try String(contentsOfFile: page, encoding: .utf8).contains("class=\"wave caller\""))
        let other = try await Program.run(["report", ID<Call>.new().description, "--files", recordings])
        expectRefusal(other, "holds neither a journal nor a recording")
    }

    private static func noise(_ ms: Range<Int>, of lengthMs: Int, seed: UInt64) -> [Int16] {
        var random = SeededGenerator(seed: seed)
        return (0..<lengthMs * 8).map {
            ms.contains($0 / 8) ? Int16.random(in: -4000...4000, using: &random) : 0
        }
    }

    /// The agent speaks from 500 ms; the caller from 2000 to 3200 ms.
    @Test(arguments: [
        // Silent as the caller has the floor, or as its line was over anyway.
        (500..<2350, true), (500..<2600, true), (500..<2040, false), (500..<1900, false),
        // Not silenced: the caller takes the floor by lasting speech.
        (500..<6000, true),
    ])
    func anAgentThatFallsSilentForTheCallerWasInterrupted(agent: Range<Int>, isCleared: Bool) async throws {
        let caller = Self.noise(2000..<3200, of: 7000, seed: 1)
        let sound = try write("call.wav", Data(Clip.wav([caller, Self.noise(agent, of: 7000, seed: 2)])))
        let run = try await Program.run(["hear", sound, "--loudness"])
        #expect(run.status == 0, "\(run.err)")
        let gestures = run.json.first?["bargein"]?.array ?? []
        #expect(gestures.contains { $0["kind"] == "clear" } == isCleared, "\(agent): \(run.out)")
        let late = gestures.filter { ($0["t"]?.number ?? 0) > 4 }
        #expect(late.isEmpty, "the rest of the line is nobody's to interrupt: \(run.out)")
    }

    @Test func aFileThatCannotBeHeardLeavesTheOthers() async throws {
        let sound = try write("call.wav", Data(Clip.wav([Self.noise(500..<900, of: 3000, seed: 1)])))
        let gone = directory.path + "/gone"
        let run = try await Program.run(["hear", gone, sound, "--loudness"])
        #expect(run.status == 1)
        #expect(run.json.map { $0["id"] } == ["call"])
        #expect(run.err == "\(gone): no such file\n")
    }

    @Test func whatOfAFileIsNotHeardIsSaid() async throws {
        let whole = Data(Clip.wav([Self.noise(500..<900, of: 3000, seed: 1)]))
        let sound = try write("call.wav", whole.dropLast(800))
        let words = try file(
            "late.json", #"[{"w": "six", "a": 0.5, "b": 0.9}, {"w": "five", "a": 60, "b": 61}]"#)
        let run = try await Program.run(["hear", sound, "--loudness", "--words", words])
        #expect(run.status == 0)
        #expect(run.json.map { $0["id"] } == ["call"])
        #expect(
            run.err == """
                \(sound): cut off, 800 bytes of sound are missing; the rest is heard
                \(sound): not heard, as the recording ends before: 1 of the words

                """)
    }

    private static let key = "model-key-for-tests"

    private func prompt(_ members: String) throws -> String {
        try file("agent.json", #"{"prompt": {"system": "You are a desk.", \#(members)}}"#)
    }

    private func model(_ api: ModelSettings.API, says line: String) async throws -> SimulatedModel {
        var settings = ModelSettings()
        settings.api = api
        settings.key = Self.key
        settings.script = ChatScript([], otherwise: .init(line))
        return try await SimulatedModel.start(settings, logger: LivePlatform.logger)
    }

    @Test func aModelIsAskedWhereItsVendorIs() async throws {
        let anthropic = try await model(.messages, says: "Hello from the other one.")
        let openai = try await model(.chat, says: "Hello from the first.")
        let both = [
            "OPENAI_API_KEY": Self.key, "OPENAI_BASE_URL": openai.url, "ANTHROPIC_API_KEY": Self.key,
            "ANTHROPIC_BASE_URL": anthropic.url, "COMPATIBLE_API_KEY": "",
        ]
        let none = ["OPENAI_API_KEY": Self.key, "OPENAI_BASE_URL": openai.url, "ANTHROPIC_API_KEY": ""]
        let claude = try prompt(#""vendor": "anthropic", "model": "claude-haiku-5-5""#)
        let asked = try await Program.run(["chat", claude], environment: both, input: "Hi\n")
        #expect(
            asked.status == 0 && asked.out.contains("Hello from the other one."), "\(asked.out)\(asked.err)")
        #expect(openai.requests.isEmpty && !asked.out.contains("left out"))
        expectRefusal(
            try await Program.run(["chat", claude], environment: none),
            "anthropic/claude-haiku-5-5 needs ANTHROPIC_API_KEY")
        let routed = try prompt(
            #"""
            "vendor": "openai", "model": "gone", "fallbacks": [{"vendor": "anthropic", "model": "claude-haiku-5-5"},
              {"vendor": "compatible", "model": "own"}], "routing": {"cheap": {"vendor": "openai", "model": "small"}}
            """#)
        openai.fail([.serverError, .serverError, .serverError])
        let fallen = try await Program.run(["chat", routed], environment: both, input: "Hi\n")
        #expect(fallen.out.contains("Hello from the other one."), "\(fallen.out)\(fallen.err)")
        #expect(
            fallen.out.contains(
                "[left out here: compatible/own (no COMPATIBLE_API_KEY), routing to openai/small]"),
            "\(fallen.out)")
        await anthropic.stop()
        await openai.stop()
    }
}

/// Sound as a file.
enum Clip {
    /// 8 kHz, 16 bit; channels of the same length.
    static func wav(_ channels: [[Int16]]) -> [UInt8] {
        func bytes(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        let samples = (channels.first ?? []).indices.flatMap { place in
            channels.flatMap { bytes(Int($0[place]), 2) }
        }
        let block = channels.count * 2
        let format =
            bytes(16, 4) + bytes(1, 2) + bytes(channels.count, 2) + bytes(8000, 4) + bytes(8000 * block, 4)
            + bytes(block, 2) + bytes(16, 2)
        return Array("RIFF".utf8) + bytes(36 + samples.count, 4) + Array("WAVEfmt ".utf8) + format
            + Array("data".utf8) + bytes(samples.count, 4) + samples
    }
}
