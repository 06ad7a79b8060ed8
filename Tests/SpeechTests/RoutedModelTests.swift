import Base
import HTTPClient
import Logging
import NIOCore
import Routing
import Synchronization
import Testing
import VendorSim

@testable import Speech

/// A cheap and a strong model, each a simulated vendor, and the router between them.
@Suite(.timeLimit(.minutes(2))) struct RoutedModelTests {
    struct Pair: Sendable {
        let cheap: ModelRig
        let strong: ModelRig
        let health = ModelHealth()
        let lessons = RoutingLessons()

        static func price(_ dollars: Int64) -> TokenPrice {
            let (input, output) = (Money.dollars(dollars), Money.dollars(4 * dollars))
            return TokenPrice(input: input, cached: input, cacheWrite: input, output: output)
        }

        func model(
            spentToday: Money = .zero, _ change: (inout RoutingPolicy) -> Void = { _ in }
        ) throws -> ModelRig {
            var policy = RoutingPolicy()
            change(&policy)
            let prices = ["openai/small": Self.price(1), "anthropic/large": Self.price(10)]
            let router = try Router(
                cheap: .init(name: "openai/small", prices: Self.price(1)),
                strong: .init(name: "anthropic/large", prices: Self.price(10)), policy: policy,
                odds: try #require(ToolOdds.shipped))
            var settings = RoutedModel.Settings(
                router: router, prices: prices, agent: "desk", lot: 0.5, learns: true)
            settings.spentToday = spentToday
            let model = RoutedModel(
                cheap: .init(
                    choice: ModelChoice(vendor: "openai", model: "small"), model: cheap.model, host: "a"),
                strong: [
                    .init(
                        choice: ModelChoice(vendor: "anthropic", model: "large"), model: strong.model,
                        host: "b")
                ], settings: settings, tenant: ID(high: 1, low: 1), cacheKey: "agent:1", health: health,
                lessons: lessons)
            return ModelRig(model: model, fail: { _ in }, requests: { [] }, stop: {})
        }

        var asked: [Int] { [cheap.requests().count, strong.requests().count] }
    }

    /// Probes wherever that is cheaper.
    static let probing: @Sendable (inout RoutingPolicy) -> Void = {
        $0.allowsCheap = false
        $0.strongAbove = 1
    }

    func withPair(
        cheap: ChatScript.Reply, strong: ChatScript.Reply, _ body: (Pair) async throws -> Void
    ) async throws {
        let http = HTTPClient(addresses: .anyAddress, logger: Logger(label: "routed"))
        let first = try await ModelRig.start(.openai, http: http) {
            $0.script = ChatScript([], otherwise: cheap)
        }
        let second = try await ModelRig.start(.anthropic, http: http) {
            $0.script = ChatScript([], otherwise: strong)
        }
        let result: Result<Void, any Error>
        do { result = .success(try await body(Pair(cheap: first, strong: second))) } catch {
            result = .failure(error)
        }
        await http.close()
        await first.stop()
        await second.stop()
        try result.get()
    }

    static let handOver = ChatScript.Reply(toolCalls: [.init(name: "hand_over", arguments: [:])])
    static let booking = ChatScript.Reply(toolCalls: [
        .init(name: "book", arguments: ["day": "friday"])
    ])

    static func request(_ words: String = "Yes, please book it.") -> ChatRequest {
        var request = ModelRig.request(words)
        request.messages.insert(.assistant("Shall I book Friday at nine?"), at: 1)
        request.messages.insert(.user("I would like to come on Friday at nine."), at: 1)
        request.turn = 2
        return request
    }

    /// Every event of a reply, and how it was routed.
    func routed(_ rig: ModelRig, _ request: ChatRequest) async throws -> (ReplySummary, RouteFact?) {
        let recorder = Recorder<ChatEvent>()
        let stream = try await on(ModelRig.loop) { [model = rig.model] in
            NIOLoopBound(
                model.reply(to: request, on: ModelRig.loop) { recorder.record($0) }, eventLoop: ModelRig.loop)
        }
        _ = await recorder.first { event -> Bool? in
            switch event {
            case .finished, .failed: true
            default: nil
            }
        }
        let route = try await on(ModelRig.loop) { stream.value.route }
        return (ReplySummary(recorder.all), route)
    }

    @Test func aProbeHandsOverAndTheStrongModelCallsTheTool() async throws {
        try await withPair(cheap: Self.handOver, strong: Self.booking) { pair in
            let model = try pair.model(Self.probing)
            let probed = try await routed(model, Self.request("No, that is all. Thank you, goodbye!"))
            let (reply, route) = (probed.0, try #require(probed.1))
            #expect(reply.calls == [#"book {"day":"friday"}"#] && reply.began == 1 && reply.fault == nil)
            #expect(pair.asked == [1, 1])
            let tools = pair.cheap.requests()[0]["tools"]?.array?.compactMap {
                $0["function"]?["name"]?.string
            }
            #expect(tools == ["hand_over"], "the cheap model has no other tool")
            let whole = pair.strong.requests()[0]["tools"]?.array?.compactMap { $0["name"]?.string }
            #expect(whole == ["book", "hours"])
            #expect(route.mode == "probe" && route.handedOver && route.model == "anthropic/large")
            #expect(Set(reply.usage.map(\.source)) == ["openai/small", "anthropic/large"])
            // What both took is paid: more than the strong model alone.
            #expect(route.spent > route.alwaysStrong && route.alwaysStrong > route.alwaysCheap)
            // The turn stays with the strong model.
            let (_, next) = try await routed(model, Self.request("No, that is all. Thank you, goodbye!"))
            #expect(next?.mode == "strong" && next?.number == 2)
            #expect(pair.asked == [1, 2])
        }
    }

    @Test(arguments: ["hand_over()", "I call handover now.", #"{"name": "hand_over", "arguments": {}}"#])
    func aHandOverThatTheProbeWritesIsNotSpoken(words: String) async throws {
        try await withPair(cheap: .init(words), strong: Self.booking) { pair in
            let probed = try await routed(try pair.model(Self.probing), Self.request("Thank you!"))
            let (reply, route) = (probed.0, try #require(probed.1))
            #expect(reply.text.isEmpty && reply.calls == [#"book {"day":"friday"}"#] && reply.fault == nil)
            #expect(route.mode == "probe" && route.handedOver && route.model == "anthropic/large")
            #expect(Set(reply.usage.map(\.source)) == ["openai/small", "anthropic/large"])
            #expect(pair.asked == [1, 1])
        }
    }

    @Test(arguments: [ChatScript.Fault.unknownTool, .badToolArguments])
    func aStrongModelWhoseToolCallsCannotBeUsedLeavesTheReplyToTheCheapOne(
        fault: ChatScript.Fault
    ) async throws {
        try await withPair(cheap: .init("At nine."), strong: Self.booking) { pair in
            pair.strong.fail([fault, fault, fault])
            let model = try pair.model { policy in
                policy.strongAbove = 0
                policy.cheapBelow = 0
            }
            let (reply, route) = try await routed(model, Self.request("Thank you!"))
            #expect(reply.text == "At nine." && reply.calls.isEmpty && reply.fault == nil && reply.began == 1)
            #expect(route?.mode == "strong" && route?.model == "openai/small")
            #expect(pair.cheap.requests().count == 1)
        }
    }

    @Test func aProbeThatAnswersSavesTheStrongModel() async throws {
        try await withPair(cheap: .init("You are welcome. Goodbye."), strong: Self.booking) { pair in
            let model = try pair.model(Self.probing)
            let (reply, found) = try await routed(model, Self.request("No, that is all. Thank you, goodbye!"))
            let route = try #require(found)
            #expect(reply.text == "You are welcome. Goodbye." && pair.asked == [1, 0])
            #expect(route.model == "openai/small" && !route.handedOver)
            #expect(route.spent < route.alwaysStrong)
            #expect(route.turn == 2 && route.reason.contains("likely"))
        }
    }

    @Test(
        arguments: [
            ChatScript.Fault.serverError, .unauthorized, .unknownTool, .malformed(afterTokens: 0),
            .late(.seconds(8)),
        ], [false, true])
    func aCheapModelThatFailsIsNotHeard(fault: ChatScript.Fault, isDraft: Bool) async throws {
        try await withPair(cheap: .init(), strong: .init("On Friday at nine.")) { pair in
            pair.cheap.fail([fault])
            var request = Self.request("Thank you!")
            request.isDraft = isDraft
            let start = ContinuousClock.now
            let (reply, route) = try await routed(try pair.model(Self.probing), request)
            #expect(reply.text == "On Friday at nine." && reply.fault == nil && reply.began == 1)
            #expect(route?.model == "anthropic/large" && route?.handedOver == false)
            #expect(ContinuousClock.now - start < .seconds(5))
        }
    }

    /// Blanks are no answer.
    @Test func aCheapModelThatSaysNothingLeavesTheTurnToTheStrongOne() async throws {
        try await withPair(cheap: .init(" "), strong: .init("On Friday at nine.")) { pair in
            let (reply, _) = try await routed(try pair.model(Self.probing), Self.request("Thank you!"))
            #expect(reply.text == "On Friday at nine." && reply.fault == nil && reply.began == 1)
        }
    }

    @Test func aCheapModelThatBreaksOffIsGoneOnWith() async throws {
        try await withPair(cheap: .init("I have a slot on Tuesday."), strong: .init("on Tuesday at nine.")) {
            pair in
            pair.cheap.fail([.cut(afterTokens: 4)])
            let (reply, _) = try await routed(try pair.model(Self.probing), Self.request("Thank you!"))
            #expect(reply.text == "I have a slot on Tuesday at nine." && reply.began == 1)
        }
    }

    @Test func shadowModeAsksTheStrongModelAndSavesNothing() async throws {
        try await withPair(cheap: .init("never"), strong: .init("Goodbye.")) { pair in
            let model = try pair.model { policy in
                Self.probing(&policy)
                policy.isShadow = true
            }
            let (reply, found) = try await routed(model, Self.request("No, that is all. Thank you, goodbye!"))
            let route = try #require(found)
            #expect(reply.text == "Goodbye." && pair.asked == [0, 1])
            #expect(route.mode == "strong" && route.shadowed == "probe" && route.reason.hasPrefix("shadow"))
            #expect(route.spent == route.alwaysStrong)
        }
    }

    @Test func whatTheDayHasCostCountsWithTheCallsOwn() async throws {
        try await withPair(cheap: .init("Goodbye."), strong: .init("Goodbye.")) { pair in
            let model = try pair.model(spentToday: Money(nanos: 999)) { policy in
                policy.strongAbove = 0
                policy.cheapBelow = 0
                policy.dayBudget = 1_000
            }
            let first = try await routed(model, Self.request("Thank you!")).1
            #expect(first?.mode == "strong")
            let second = try await routed(model, Self.request("Thank you!")).1
            #expect(second?.mode == "probe" && second?.reason.hasPrefix("the budget is spent") == true)
        }
    }

    @Test func afterAToolThatIsNamedTheCallStaysStrong() async throws {
        try await withPair(cheap: .init("Goodbye."), strong: .init("Goodbye.")) { pair in
            let model = try pair.model { policy in
                Self.probing(&policy)
                policy.strongAfter = ["book"]
            }
            var request = Self.request("Thank you!")
            #expect(try await routed(model, request).1?.mode == "probe")
            let call = ChatToolCall(id: "1", name: "book", arguments: "{}")
            request.messages += [
                .toolCalls([call], text: ""), .toolResult(id: "1", content: "{}"), .assistant("Booked."),
                .user("Thank you!"),
            ]
            #expect(try await routed(model, request).1?.reason == "kept strong after book")
            // The oldest messages are gone, and the call with them.
            request.messages = [.system("Be brief."), .user("Thank you, goodbye!")]
            #expect(try await routed(model, request).1?.reason == "kept strong after book")
        }
    }

    @Test func aReplyThatIsGivenUpIsToldWithItsCost() async throws {
        try await withPair(cheap: .init("There is a slot on Tuesday."), strong: Self.booking) { pair in
            pair.cheap.fail([.trickle])
            let recorder = Recorder<ChatEvent>()
            let rig = try pair.model(Self.probing)
            let stream = try await on(ModelRig.loop) {
                NIOLoopBound(
                    rig.model.reply(to: Self.request("Thank you!"), on: ModelRig.loop) {
                        recorder.record($0)
                    },
                    eventLoop: ModelRig.loop)
            }
            _ = await recorder.first { if case .text = $0 { true } else { nil } }
            let (route, usage) = try await on(ModelRig.loop) {
                stream.value.cancel()
                return (stream.value.route, stream.value.usageSoFar)
            }
            #expect((route?.spent.nanos ?? 0) > 0 && usage.contains { $0.unit == .outputTokens })
            #expect(pair.asked == [1, 0])
        }
    }

    @Test func draftsAreRoutedAndShareTheirTurnsBudget() async throws {
        try await withPair(cheap: Self.handOver, strong: .init("Booked.")) { pair in
            var request = Self.request("Thank you!")
            request.isDraft = true
            let model = try pair.model(Self.probing)
            var spoken = 0
            for _ in 0..<5 where try await routed(model, request).0.fault == nil { spoken += 1 }
            #expect(spoken == ReplyPlan.draftsMax)
            request.isDraft = false
            #expect(try await routed(model, request).0.text == "Booked.")
        }
    }

    @Test func aShortenedPromptIsJudgedByAllThatWasSaid() throws {
        let router = try Router(
            cheap: .init(name: "a", prices: Pair.price(1)), strong: .init(name: "b", prices: Pair.price(10)),
            policy: RoutingPolicy(), odds: ToolOdds())
        let whole = Self.request("Thank you. " + String(repeating: "Go on. ", count: 1_000))
        var short = whole
        short.dialogue = whole.messages
        short.messages.remove(at: 1)
        var (one, other) = (RoutedHistory(), RoutedHistory())
        let first = one.follow(whole, at: .zero, router).request
        let second = other.follow(short, at: .zero, router).request
        #expect(second.features == first.features && second.promptTokens < first.promptTokens)
        other.sent(short, to: .strong, at: .zero)
        // Another beginning: the cache is worth nothing up to there.
        #expect(other.follow(whole, at: .zero, router).request.seenByStrong < 100)
        #expect(other.follow(short, at: .zero, router).request.seenByStrong == second.promptTokens)
    }

    @Test func whatWasSaidOtherwiseIsReadAgain() throws {
        var history = RoutedHistory()
        let router = try Router(
            cheap: .init(name: "a", prices: Pair.price(1)), strong: .init(name: "b", prices: Pair.price(10)),
            policy: RoutingPolicy(), odds: ToolOdds())
        var request = Self.request(String(repeating: "and then ", count: 1_000))
        let first = history.follow(request, at: .zero, router)
        history.sent(request, to: .strong, at: .zero)
        #expect(first.request.turns == 2 && first.request.seenByStrong == 0 && first.seenAlways == 0)
        request.messages += [.assistant("I see, and what"), .user("Wait.")]
        let next = history.follow(request, at: .seconds(10), router)
        #expect(next.request.turns == 3 && next.request.seenByStrong == first.request.promptTokens)
        #expect(next.request.seenByCheap == 0 && next.seenAlways == first.request.promptTokens)
        // The caller heard less than was said: another prompt, as long as it is the same up to there.
        request.messages[request.messages.count - 2] = .assistant("I see,")
        let other = history.follow(request, at: .seconds(20), router)
        var fresh = RoutedHistory()
        #expect(other.request.features == fresh.follow(request, at: .seconds(20), router).request.features)
        #expect(other.request.seenByStrong == first.request.promptTokens)
        #expect(history.follow(request, at: .seconds(400), router).request.seenByStrong == 0)
    }
}
