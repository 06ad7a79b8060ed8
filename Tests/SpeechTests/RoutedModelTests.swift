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
    private static let probing: @Sendable (inout RoutingPolicy) -> Void = {
        $0.allowsCheap = false
        $0.strongAbove = 1
    }

    private func withPair(
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

    private static let handOver = ChatScript.Reply(toolCalls: [.init(name: "hand_over", arguments: [:])])
    private static let booking = ChatScript.Reply(toolCalls: [
        .init(name: "book", arguments: ["day": "friday"])
    ])

    private static func request(_ words: String = "Yes, please book it.") -> ChatRequest {
        var request = ModelRig.request(words)
        request.messages.insert(.assistant("Shall I book Friday at nine?"), at: 1)
        request.messages.insert(.user("I would like to come on Friday at nine."), at: 1)
        request.turn = 2
        return request
    }

    /// Every event of a reply, and how it was routed.
    private func routed(_ rig: ModelRig, _ request: ChatRequest) async throws -> (ReplySummary, RouteFact?) {
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
        try await withPair(cheap: .init("I have a slot on Tuesday."), strong: Self.booking) { pair in
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

    /// Lessons kept in memory, as Redis keeps them.
    private final class Shelf: LessonStore {
        private let kept = Mutex<[ID<Tenant>: [UInt8]]>([:])
        func loadLessons(_ tenant: ID<Tenant>) async throws -> [UInt8]? { kept.withLock { $0[tenant] } }
        func saveLessons(_ tenant: ID<Tenant>, _ lessons: [UInt8]) async throws {
            kept.withLock { $0[tenant] = lessons }
        }
        func isKept(_ tenant: ID<Tenant>) -> Bool { kept.withLock { $0[tenant] != nil } }
    }

    private static func farewell() throws -> (Router, Router.Request) {
        let router = try Router(
            cheap: .init(name: "a", prices: Pair.price(1)), strong: .init(name: "b", prices: Pair.price(10)),
            policy: RoutingPolicy(), odds: #require(ToolOdds.shipped))
        var history = RoutedHistory()
        return (router, history.follow(request("Thank you, goodbye!"), at: .zero, router).request)
    }

    private static func end(_ speaker: Router.Tier, calledTool: Bool, handedOver: Bool = false) -> RoutedEnd {
        let fact = RouteFact(
            number: 1, turn: 2, isDraft: false, mode: "probe", model: "b", reason: "", toolProbability: 0.1,
            expectedCost: .zero, spent: .zero, alwaysStrong: .zero, alwaysCheap: .zero, handedOver: handedOver
        )
        return RoutedEnd(fact: fact, speaker: speaker, calledTool: calledTool, isWhole: true)
    }

    @Test func whatWasLearnedOutlivesItsWorker() async throws {
        let (router, farewell) = try Self.farewell()
        let (mine, shelf) = (ID<Tenant>(high: 1, low: 1), Shelf())
        let first = RoutingLessons(store: shelf)
        let before = first.choose(farewell, router, of: mine)
        let end = Self.end(.strong, calledTool: true, handedOver: true)
        for _ in 0..<RoutingLessons.unsavedMax { first.note(farewell, before, end, of: mine) }
        while !shelf.isKept(mine) { await Task.yield() }
        let after = first.choose(farewell, router, of: mine)
        let second = RoutingLessons(store: shelf)
        second.open(mine)
        await second.load(mine, from: shelf)
        #expect(abs(second.choose(farewell, router, of: mine).toolProbability - after.toolProbability) < 0.02)
        #expect(after.toolProbability > before.toolProbability + 0.1)
        // What a call has taught meanwhile is not thrown away for what is stored.
        let third = RoutingLessons(store: shelf)
        third.note(farewell, before, Self.end(.cheap, calledTool: false), of: mine)
        await third.load(mine, from: shelf)
        #expect(third.choose(farewell, router, of: mine).toolProbability < after.toolProbability - 0.1)
    }

    @Test func whatOnlyEndsTheCallIsNoToolToTheRouter() throws {
        let router = try Router(
            cheap: .init(name: "a", prices: Pair.price(1)), strong: .init(name: "b", prices: Pair.price(10)),
            policy: RoutingPolicy(), odds: #require(ToolOdds.shipped))
        var request = Self.request()
        let closing = ChatTool(name: "end_call", description: "Ends the phone call.", parameters: [:])
        var history = RoutedHistory(closingTool: closing.name)
        let alone = history.follow(request, at: .zero, router).request
        request.tools.append(closing)
        let beside = history.follow(request, at: .zero, router).request
        #expect(beside.tools == alone.tools && beside.features == alone.features)
        // Its schema is sent all the same.
        #expect(beside.promptTokens > alone.promptTokens)
        request.tools = [closing]
        let bare = history.follow(request, at: .zero, router).request
        #expect(bare.tools == 0 && router.choose(bare).mode == .direct(.cheap))
    }

    @Test func endingTheCallIsNoToolAct() throws {
        let (router, farewell) = try Self.farewell()
        let mine = ID<Tenant>(high: 1, low: 1)
        let lessons = RoutingLessons()
        let before = lessons.choose(farewell, router, of: mine)
        var end = Self.end(.strong, calledTool: false, handedOver: true)
        end.hasClosed = true
        for _ in 0..<30 { lessons.note(farewell, before, end, of: mine) }
        let after = lessons.choose(farewell, router, of: mine)
        #expect(after.toolProbability <= before.toolProbability)
    }

    @Test(arguments: [
        (#"{"error":"there is no such tool"}"#, true), (#"{"error":"tool.status_422"}"#, true),
        (#"{"error":"tool.status_503"}"#, false), (#"{"error":"timeout"}"#, false),
        (#"{"slot":"nine"}"#, false),
    ])
    func aCallThatItsToolRefusesIsAMiss(result: String, isMiss: Bool) async throws {
        try await withPair(cheap: Self.booking, strong: .init("Goodbye.")) { pair in
            let rig = try pair.model {
                $0.cheapBelow = 1
                $0.strongAbove = 1
            }
            var request = Self.request("No, that is all. Thank you, goodbye!")
            #expect(try await routed(rig, request).1?.mode == "cheap")
            let (router, farewell) = try Self.farewell()
            let tenant = ID<Tenant>(high: 1, low: 1)
            var asDesk = farewell
            asDesk.agent = "desk"
            let before = pair.lessons.choose(asDesk, router, of: tenant)
            let call = ChatToolCall(id: "c-1", name: "book", arguments: "{}")
            request.messages += [.toolCalls([call], text: ""), .toolResult(id: "c-1", content: result)]
            _ = try await routed(rig, request)
            let after = pair.lessons.choose(asDesk, router, of: tenant)
            // The second reply teaches of what follows a result alone.
            #expect((after.toolProbability > before.toolProbability + 0.02) == isMiss)
        }
    }

    @Test(arguments: [true, false])
    func whatWasRunForADraftIsJudgedOnceItIsHeard(isHeard: Bool) async throws {
        try await withPair(cheap: Self.booking, strong: .init("Goodbye.")) { pair in
            let rig = try pair.model {
                $0.cheapBelow = 1
                $0.strongAbove = 1
            }
            var draft = Self.request("No, that is all. Thank you, goodbye!")
            draft.isDraft = true
            _ = try await routed(rig, draft)
            let (router, farewell) = try Self.farewell()
            let tenant = ID<Tenant>(high: 1, low: 1)
            var asDesk = farewell
            asDesk.agent = "desk"
            func odds() -> Double { pair.lessons.choose(asDesk, router, of: tenant).toolProbability }
            let before = odds()
            var onward = draft
            let call = ChatToolCall(id: "c-1", name: "book", arguments: "{}")
            onward.messages += [
                .toolCalls([call], text: ""),
                .toolResult(id: "c-1", content: #"{"error":"tool.status_422"}"#),
            ]
            _ = try await routed(rig, onward)
            #expect(odds() == before)
            var next = isHeard ? onward : draft
            next.messages += [.assistant("Booked."), .user("Thanks.")]
            next.turn = 3
            next.isDraft = false
            _ = try await routed(rig, next)
            #expect((odds() > before + 0.02) == isHeard)
        }
    }

    /// Calls of three turns, the second of which says `then`; gives how the first was routed in each.
    private func calls(_ count: Int, _ pair: Pair, then: String, isDraft: Bool = false) async throws
        -> [String]
    {
        var modes: [String] = []
        for _ in 0..<count {
            let rig = try pair.model {
                $0.allowsProbe = false
                $0.strongAbove = 0.85
            }
            var request = Self.request("No, that is all for today, thank you.")
            modes.append(try await routed(rig, request).1?.mode ?? "")
            for words in [then, "All right, goodbye."] {
                request.messages += [.assistant("You are booked for Thursday."), .user(words)]
                request.turn += 1
                request.isDraft = isDraft
                _ = try await routed(rig, request)
            }
        }
        return modes
    }

    @Test(arguments: [true, false])
    func callersWhoCorrectTheCheapModelGetLessOfIt(isDraft: Bool) async throws {
        var alone: [String: Int] = [:]
        for words in ["No.", "No, I said Friday."] {
            try await withPair(cheap: .init("Very well."), strong: .init("Very well.")) { pair in
                let modes = try await calls(40, pair, then: words, isDraft: isDraft)
                alone[words] = modes.count { $0 == "cheap" }
            }
        }
        #expect(alone["No."] ?? 0 > 35, "a plain no corrects nothing")
        #expect(alone["No, I said Friday."] ?? 40 < 25)
    }

    @Test func aCorrectionOfTheStrongModelIsNoLesson() throws {
        let (router, farewell) = try Self.farewell()
        let choice = router.choose(farewell)
        let decision = RoutedModel.Decision(
            number: 1, request: farewell, choice: choice, seenAlways: 0, patience: .zero)
        var answers = CorrectedAnswers()
        func correction(alone: RoutedModel.Decision?, _ words: Bool...) -> RoutedModel.Decision? {
            answers = CorrectedAnswers()
            _ = answers.asked(1, corrects: false)
            answers.answered(1, by: alone)
            // Guesses at the turn, the last of which held.
            for corrects in words { _ = answers.asked(2, corrects: corrects) }
            answers.answered(2, by: nil)
            _ = answers.asked(2, corrects: nil)
            return answers.asked(3, corrects: false)
        }
        #expect(correction(alone: decision, true)?.number == 1)
        #expect(correction(alone: decision, false, true)?.number == 1)
        #expect(correction(alone: decision, true, false) == nil)
        #expect(correction(alone: nil, true) == nil)
    }

    @Test func whatATenantsCallsShowMovesItsOwnOdds() throws {
        let (router, farewell) = try Self.farewell()
        let (mine, other) = (ID<Tenant>(high: 1, low: 1), ID<Tenant>(high: 1, low: 2))
        let lessons = RoutingLessons()
        let before = lessons.choose(farewell, router, of: mine)
        #expect(before.toolProbability < 0.5)
        let end = Self.end(.strong, calledTool: true, handedOver: true)
        for _ in 0..<50 { lessons.note(farewell, before, end, of: mine) }
        let after = lessons.choose(farewell, router, of: mine)
        #expect(after.toolProbability > 0.8)
        #expect(lessons.choose(farewell, router, of: other) == before)
        #expect(lessons.choose(farewell, router, of: nil) == before, "a tenant that wants nothing learned")
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
