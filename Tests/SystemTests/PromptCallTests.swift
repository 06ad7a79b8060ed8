import Base
import Foundation
import Store
import Testing
import VendorSim

/// Whole calls keep a clock: one after another.
@Suite(.serialized) enum SystemTests {}

extension SystemTests {
    /// A caller phones an agent led by a language model: only audio, HTTP and server-sent events between the parts.
    struct PromptCallTests {
        static let caller = "+12125550142"
        static let booking = Booking(name: "peter", day: .weekday(1), phone: "4155550123")

        @Test func aPromptAgentIsSpokenToAndBooksOnce() async throws {
            try await LivePlatform.with { platform in
                let outside = platform.outside
                outside.chat.use(Self.model)
                outside.sink.expect(Self.booking, from: Self.caller)
                _ = try await platform.api.create(
                    "/v1/credentials",
                    [
                        "vendor": "openai", "api_key": "model-key-for-tests",
                        "base_url": .string(outside.chat.url),
                    ])
                _ = try await platform.publish(Self.agent(toolURL: outside.sink.url))
                let ear = ScriptedRecogniser(["My name is Peter.", "On Tuesday, my number is 4155550123."])
                try await platform.working(recogniser: ear) {
                    let placed = try await outside.carrier.placeInbound(
                        from: Self.caller, to: LivePlatform.number, persona: Self.persona)
                    let heard = await placed.ended()
                    let found = try await platform.api.get("/v1/calls?direction=inbound")["data"]?.array ?? []
                    let id = try #require(found.first?["id"]?.string)
                    let call = try await platform.ended(id)
                    check(heard)
                    checkModel(outside.chat.requests)
                    #expect(outside.sink.received.map(\.key) == ["\(id)-book-1"])
                    #expect(outside.sink.isAllRight && outside.sink.duplicates == 0)
                    try await checkBill(call, platform)
                    try await checkWords(id, platform)
                }
            }
        }

        /// Every line of the agent in its order, the last one to its end.
        private func check(_ heard: CallObservation) {
            let words = heard.heard.map(\.text).joined(separator: " ")
            #expect(
                words == "who is calling please which day suits you one moment please you are booked goodbye")
            #expect(heard.said.map(\.text) == ["peter", "tuesday"])
            #expect(heard.endedBy == "agent" && heard.clears == 0 && heard.malformed == [])
        }

        /// Two answers and the tool's result were asked about; each request held all that went before.
        private func checkModel(_ requests: [JSON]) {
            let roles = requests.map {
                ($0["messages"]?.array ?? []).compactMap { $0["role"]?.string?.first }.map(String.init)
                    .joined()
            }
            #expect(roles == ["sau", "sauau", "sauauat"])
            #expect(requests.allSatisfy { $0["stream"] == true && $0["model"] == "gpt-6-luna" })
        }

        private func checkBill(_ call: JSON, _ platform: LivePlatform) async throws {
            #expect(call["end_reason"] == "agent_ended")
            let model = (call["cost_lines"]?.array ?? []).filter { $0["component"] == "llm" }
            let units = Set(model.compactMap { $0["unit"]?.string })
            #expect(units.isSuperset(of: ["input_tokens", "output_tokens"]))
            #expect(model.allSatisfy { $0["source"] == "openai/gpt-6-luna" })
            #expect(model.contains { ($0["quantity"]?.int ?? 0) > 100 })
            #expect(try await platform.moneyProblems([call]) == [])
        }

        private func checkWords(_ id: String, _ platform: LivePlatform) async throws {
            let read = try await platform.api.get("/v1/calls/\(id)/transcript")
            let turns = read["turns"]?.array ?? []
            let agent = turns.filter { $0["speaker"] == "agent" }
            #expect(agent.last?["text"]?.string?.hasSuffix("You are booked. Goodbye.") == true)
            #expect(turns.allSatisfy { $0["was_interrupted"] == false })
            #expect(try await platform.events(id).count { $0 == "ended" } == 1)
        }

        /// docs/examples/prompt-desk.json with a tool that exists and a short greeting.
        private static func agent(toolURL: String) throws -> JSON {
            let path = try ProgramFiles.locate("docs/examples/prompt-desk.json", given: nil)
            let text = try String(contentsOfFile: path, encoding: .utf8)
                .replacing("https://clinic.example/book", with: toolURL)
                .replacing(
                    "Welcome to the appointment desk. What is your name?", with: "Who is calling please?")
            return try #require(JSON(parsing: text))
        }

        private static let model = ChatScript([
            .afterTool(
                "book",
                .init("You are booked. Goodbye.", toolCalls: [.init(name: "end_call", arguments: [:])])),
            .on(
                "tuesday",
                .init(
                    "One moment please.",
                    toolCalls: [
                        .init(
                            name: "book",
                            arguments: ["name": "peter", "day": "tuesday", "phone": "4155550123"])
                    ])),
            .on("peter", .init("Which day suits you?")),
        ])

        private static let persona = Persona(
            .talks(
                .init(
                    cues: [
                        .hear("calling", say: "peter"), .hear("which day", say: "tuesday"),
                    ],
                    grammar: HeardGrammar([
                        "who is calling please", "which day suits you", "one moment please",
                        "you are booked", "goodbye",
                    ]))))
    }
}
