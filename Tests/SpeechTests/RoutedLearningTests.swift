import Base
import NIOCore
import Routing
import Synchronization
import Testing
import VendorSim

@testable import Speech

/// What routed calls teach the router.
extension RoutedModelTests {
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
}
