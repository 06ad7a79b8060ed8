import Base
import Foundation
import NIOCore
import NIOPosix
import Speech
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
                try await addAccounts([("openai", outside.chat.url)], platform)
                _ = try await platform.publish(Self.agent(toolURL: outside.sink.url))
                let ear = ScriptedRecogniser(["My name is Peter.", "On Tuesday, my number is 4155550123."])
                try await platform.working(recogniser: ear) {
                    let (heard, id, call) = try await phone(platform)
                    try await check(heard)
                    checkModel(outside.chat.requests)
                    #expect(outside.sink.received.map(\.key) == ["\(id)-book-1"])
                    #expect(outside.sink.isAllRight && outside.sink.duplicates == 0)
                    try await checkBill(call, platform)
                    try await checkWords(id, platform)
                }
            }
        }

        @Test func whenTheModelsVendorIsDownAnotherOnesLeadsTheCall() async throws {
            var settings = ModelSettings()
            settings.api = .messages
            settings.script = Self.model
            settings.firstToken = .milliseconds(20)
            let second = try await SimulatedModel.start(settings, logger: LivePlatform.logger)
            try await LivePlatform.with { platform in
                let outside = platform.outside
                outside.chat.fail(Array(repeating: .serverError, count: 100))
                outside.sink.expect(Self.booking, from: Self.caller)
                try await addAccounts([("openai", outside.chat.url), ("anthropic", second.url)], platform)
                let fallback = ModelChoice(vendor: "anthropic", model: "claude-haiku-5-5")
                let fallbacks = #""fallbacks": [{"vendor": "anthropic", "model": "claude-haiku-5-5"}],"#
                let agent = try Self.agent(toolURL: outside.sink.url, settings: fallbacks)
                _ = try await platform.publish(agent)
                let ear = ScriptedRecogniser(["My name is Peter.", "On Tuesday, my number is 4155550123."])
                try await platform.working(recogniser: ear) {
                    let (heard, _, call) = try await phone(platform)
                    try await check(heard)
                    #expect(outside.sink.isAllRight && outside.sink.duplicates == 0)
                    #expect(call["end_reason"] == "agent_ended")
                    let lines = call["cost_lines"]?.array ?? []
                    let sources = lines.filter { $0["component"] == "llm" }.compactMap {
                        $0["source"]?.string
                    }
                    #expect(Set(sources) == [fallback.source])
                    #expect(try await platform.moneyProblems([call]) == [])
                }
            }
            await second.stop()
        }

        /// The cheap model answers what it can; where a tool is needed it hands over, and the strong one books.
        @Test func aRoutedCallIsAnsweredByTwoModelsAndSaysWhy() async throws {
            var settings = ModelSettings()
            settings.api = .messages
            settings.script = ChatScript(
                [], otherwise: .init(toolCalls: [.init(name: "hand_over", arguments: [:])]))
            settings.firstToken = .milliseconds(20)
            let cheap = try await SimulatedModel.start(settings, logger: LivePlatform.logger)
            try await LivePlatform.with { platform in
                let outside = platform.outside
                outside.chat.use(Self.model)
                outside.sink.expect(Self.booking, from: Self.caller)
                try await addAccounts([("openai", outside.chat.url), ("anthropic", cheap.url)], platform)
                _ = try await platform.publish(
                    Self.agent(toolURL: outside.sink.url, settings: Self.probing))
                let ear = ScriptedRecogniser(["My name is Peter.", "On Tuesday, my number is 4155550123."])
                try await platform.working(recogniser: ear) {
                    let (_, id, call) = try await phone(platform)
                    #expect(outside.sink.isAllRight && outside.sink.duplicates == 0)
                    try await checkRoutes(id, platform)
                    let offered = cheap.requests.map {
                        ($0["tools"]?.array ?? []).compactMap { $0["name"]?.string }
                    }
                    #expect(!offered.isEmpty && offered.allSatisfy { $0 == ["hand_over"] })
                    try await StoredCallRoutes(id, platform, cheap).check()
                    #expect(try await platform.moneyProblems([call]) == [])
                }
            }
            await cheap.stop()
        }

        private func addAccounts(_ accounts: [(String, String)], _ platform: LivePlatform) async throws {
            for (vendor, url) in accounts {
                let account: JSON = [
                    "vendor": .string(vendor), "api_key": "model-key-for-tests", "base_url": .string(url),
                ]
                _ = try await platform.api.create("/v1/credentials", account)
            }
        }

        /// What the caller heard, and the call once it has ended.
        private func phone(
            _ platform: LivePlatform
        ) async throws -> (heard: CallObservation, id: String, call: JSON) {
            let placed = try await platform.outside.carrier.placeInbound(
                from: Self.caller, to: LivePlatform.number, persona: Self.persona)
            let heard = await placed.ended()
            let found = try await platform.api.get("/v1/calls?direction=inbound")["data"]?.array ?? []
            let id = try #require(found.first?["id"]?.string)
            return (heard, id, try await platform.ended(id))
        }

        private func checkRoutes(_ id: String, _ platform: LivePlatform) async throws {
            let routes = try await platform.api.get("/v1/calls/\(id)/routes")["routes"]?.array ?? []
            #expect(routes.compactMap { $0["number"]?.int } == Array(1...Int64(max(1, routes.count))))
            let probes = routes.filter { $0["mode"] == "probe" && $0["handed_over"] == true }
            #expect(!probes.isEmpty, "\(routes)")
            #expect(probes.allSatisfy { $0["model"] == "openai/gpt-6-luna" })
            #expect(routes.allSatisfy { $0["reason"]?.string?.isEmpty == false })
            #expect(routes.contains { $0["reason"] == "handed over 1 times this turn" })
            let usage = try await platform.api.get("/v1/usage?group_by=agent,day")["data"]?.array?.first
            #expect(usage?["routing"]?["requests"]?.int == Int64(routes.count))
        }

        /// Once the call has cost anything, the strong model is no longer asked straight away.
        private static let probing = """
            "routing": {"cheap": {"vendor": "anthropic", "model": "claude-haiku-5-5"}, "allow": ["probe"],
                "call_budget": "0.000000001"},
            """

        /// Every line of the agent in its order, the last one to its end.
        private func check(_ heard: CallObservation) async throws {
            // The worker hangs up before the caller's ear is done with the last line: its length is the proof.
            #expect(
                heard.heard.map(\.text).prefix(2) == [
                    "welcome to the appointment desk what is your name",
                    "thank you peter which day would you like to come",
                ])
            #expect(heard.heard.count == 3)
            #expect(heard.said.map(\.text) == ["peter", "tuesday"])
            #expect(heard.endedBy == "rest")
            #expect(heard.clears == 0)
            #expect(heard.malformed == [])
            let last = try #require(heard.heard.last)
            let goodbyeMs = try await Self.lengthMs(Self.desk.booked)
            #expect(last.endMs - last.startMs > goodbyeMs - Self.quietMs)
        }

        /// Quiet at the ends of a synthesised line, at most: well under the length of "goodbye".
        private static let quietMs = 400

        /// How long the agent's voice takes for a line.
        private static func lengthMs(_ text: String) async throws -> Int {
            let loop = MultiThreadedEventLoopGroup.singleton.any()
            let (events, told) = AsyncStream.makeStream(of: SynthesisEvent.self)
            let speaking = OfflineTextToSpeech().speak(text, voice: "slt", on: loop) { told.yield($0) }
            defer { withExtendedLifetime(speaking) {} }
            var bytes = 0
            for await event in events {
                switch event {
                case .audio(let audio): bytes += audio.readableBytes
                case .finished: return bytes / 8
                case .failed(let fault): throw fault
                case .words, .spent, .fellBack: break
                }
            }
            return 0
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
            let lines = call["cost_lines"]?.array ?? []
            let components = Set(lines.compactMap { $0["component"]?.string })
            #expect(components == ["llm", "platform", "stt", "telephony", "tts"])
            let model = lines.filter { $0["component"] == "llm" }
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
            #expect(agent.last?["text"]?.string?.hasSuffix(Self.desk.booked) == true)
            #expect(turns.allSatisfy { $0["was_interrupted"] == false })
            #expect(try await platform.events(id).count { $0 == "ended" } == 1)
        }

        /// docs/examples/prompt-desk.json with a tool that exists.
        static func agent(toolURL: String, settings: String = "") throws -> JSON {
            let path = try ProgramFiles.locate("docs/examples/prompt-desk.json", given: nil)
            let text = try String(contentsOfFile: path, encoding: .utf8)
                .replacing("https://clinic.example/book", with: toolURL)
                .replacing(#""vendor": "openai","#, with: #""vendor": "openai","# + settings)
            return try #require(JSON(parsing: text))
        }

        /// The lines a caller's ear is known to understand.
        private static let desk = AppointmentDesk()

        static let model = ChatScript([
            .afterTool(
                "book", .init(desk.booked, toolCalls: [.init(name: "end_call", arguments: [:])])),
            .on(
                "tuesday",
                .init(
                    toolCalls: [
                        .init(
                            name: "book",
                            arguments: ["name": "peter", "day": "tuesday", "phone": "4155550123"])
                    ])),
            .on("peter", .init(desk.askDay.replacing("{name}", with: "Peter"))),
        ])

        /// Says single words: each is one utterance.
        static let persona = Persona(
            .talks(
                .init(
                    cues: [.hear("your name", say: "peter"), .hear("like to come", say: "tuesday")],
                    grammar: desk.grammar(names: ["peter"]))))
    }
}
