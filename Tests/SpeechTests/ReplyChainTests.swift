import Base
import Testing

@testable import Speech

/// Drives a chain in virtual time and writes down what it orders. Milliseconds throughout.
private struct Script {
    var chain: ReplyChain
    var plan: ReplyPlan
    var now = 0
    var log: [String] = []

    init(_ models: Int = 3, patience: Int = 300, isDraft: Bool = false, requestsMax: Int = 6) {
        chain = ReplyChain(
            patience: Array(repeating: .milliseconds(patience), count: models), isDraft: isDraft)
        plan = ReplyPlan(turn: 1, requestsMax: requestsMax)
        send(.start)
    }

    mutating func send(_ input: ReplyChain.Input) {
        for effect in chain.handle(input, at: .milliseconds(now), plan: &plan) {
            log.append("\(now) \(Self.line(effect))")
        }
    }

    mutating func at(_ time: Int, _ input: ReplyChain.Input) {
        advance(to: time)
        send(input)
    }

    mutating func advance(to time: Int) {
        while let due = chain.deadline, due <= .milliseconds(time) {
            now = max(now, Int(due.milliseconds))
            send(.deadline)
        }
        now = time
    }

    static func line(_ effect: ReplyChain.Effect) -> String {
        switch effect {
        case .ask(let number, let choice, let purpose, let said, let isForced):
            "ask #\(number) m\(choice) \(purpose)\(said.isEmpty ? "" : " after '\(said)'")"
                + (isForced ? " forced" : "")
        case .drop(let number): "drop #\(number)"
        case .began: "began"
        case .text(let text): "text '\(text)'"
        case .toolCall(let call): "call \(call.name)"
        case .cut(let fault): "cut \(fault.code)"
        case .finish: "finish"
        case .fail(let fault): "fail \(fault.code)"
        }
    }
}

private func fault(_ code: String, _ retry: Fault.Retry = .never) -> Fault {
    Fault(code: code, retry: retry, cause: "")
}

struct ReplyChainTests {
    /// Blanks are no words. What a tool's result adds to words that were said before may be nothing.
    @Test func aModelThatSaysNothingHasFailed() {
        var script = Script(2)
        script.at(200, .began(0))
        script.at(210, .text(0, " "))
        script.at(220, .finished(0))
        script.at(400, .finished(1))
        script.at(600, .finished(2))
        script.at(800, .finished(3))
        #expect(
            script.log == [
                "0 ask #0 m0 reply", "200 began", "220 ask #1 m1 fallback", "400 ask #2 m0 fallback",
                "600 ask #3 m1 fallback", "800 fail llm.empty",
            ])
        var answered = ReplyChain(patience: [.seconds(1)], isDraft: false, mayBeEmpty: true)
        var plan = ReplyPlan(turn: 1)
        _ = answered.handle(.start, at: .zero, plan: &plan)
        #expect(answered.handle(.finished(0), at: .milliseconds(300), plan: &plan) == [.began, .finish])
    }

    @Test func theNextModelIsAskedAtOnceWhenOneFails() {
        var script = Script()
        script.at(40, .failed(0, fault("llm.unavailable", .after(.milliseconds(500)))))
        script.at(80, .failed(1, fault("llm.unauthorized")))
        script.at(200, .began(2))
        script.at(200, .text(2, "Hello"))
        script.at(300, .finished(2))
        #expect(
            script.log == [
                "0 ask #0 m0 reply", "40 ask #1 m1 fallback", "80 ask #2 m2 fallback", "200 began",
                "200 text 'Hello'", "300 finish",
            ])
        #expect(script.plan.spent == 2 && script.chain.deadline == nil)
    }

    @Test func aSlowModelIsJoinedByTheNextAndTheFirstToBeginSpeaks() {
        var script = Script()
        script.at(450, .began(1))
        script.at(460, .text(0, "too late"))
        script.at(470, .text(1, "Hi"))
        script.at(500, .failed(0, fault("llm.cut")))
        script.at(600, .finished(1))
        #expect(
            script.log == [
                "0 ask #0 m0 reply", "300 ask #1 m1 hedge", "450 drop #0", "450 began", "470 text 'Hi'",
                "600 finish",
            ])
    }

    @Test func theSlowOneMayStillWin() {
        var script = Script()
        script.at(350, .began(0))
        script.at(360, .text(0, "Hi"))
        script.at(9000, .finished(0))
        #expect(
            script.log == [
                "0 ask #0 m0 reply", "300 ask #1 m1 hedge", "350 drop #1", "350 began", "360 text 'Hi'",
                "9000 finish",
            ])
    }

    @Test func twoHedgesAreEnough() {
        var script = Script(4)
        script.advance(to: 8000)
        #expect(
            script.log == ["0 ask #0 m0 reply", "300 ask #1 m1 hedge", "600 ask #2 m2 hedge"])
    }

    @Test func aHedgeThatFailsLeavesTheFirstAlone() {
        var script = Script(2)
        script.at(400, .failed(1, fault("llm.unavailable", .after(.zero))))
        script.at(700, .failed(0, fault("llm.first_token_timeout", .after(.zero))))
        #expect(
            script.log == ["0 ask #0 m0 reply", "300 ask #1 m1 hedge", "700 ask #2 m0 fallback"])
    }

    @Test func aReplyThatBreaksOffIsTakenUpByTheNextWithoutRepeating() {
        var script = Script()
        script.at(100, .text(0, "I have a slot "))
        script.at(110, .text(0, "on Tu"))
        script.at(200, .failed(0, fault("llm.cut", .after(.zero))))
        script.at(300, .text(1, "I have a slot on"))
        script.at(310, .text(1, " Tuesday at nine."))
        script.at(400, .finished(1))
        #expect(
            script.log == [
                "0 ask #0 m0 reply", "100 began", "100 text 'I have a slot '", "110 text 'on Tu'",
                "200 ask #1 m1 fallback after 'I have a slot on Tu'", "310 text 'esday at nine.'",
                "400 finish",
            ])
    }

    @Test func whatWasSaidStandsWhenNobodyCanGoOn() {
        var script = Script(1)
        script.at(100, .text(0, "Good morning."))
        script.at(200, .failed(0, fault("llm.refused")))
        #expect(script.log.last == "200 finish")
    }

    @Test func aBreakAfterAToolCallEndsTheReply() {
        var script = Script()
        script.at(100, .toolCall(0, ChatToolCall(id: "1", name: "book", arguments: "{}")))
        script.at(200, .failed(0, fault("llm.cut", .after(.zero))))
        #expect(script.log.suffix(2) == ["100 call book", "200 finish"])
    }

    @Test func aModelAloneIsAskedOnceMoreWhenItsFailureMayPass() {
        var script = Script(1)
        script.at(100, .failed(0, fault("llm.unavailable", .after(.milliseconds(500)))))
        script.at(700, .failed(1, fault("llm.unavailable", .after(.milliseconds(500)))))
        #expect(
            script.log == ["0 ask #0 m0 reply", "600 ask #1 m0 fallback", "700 fail llm.unavailable"])
    }

    @Test func aModelAloneThatIsStuckIsJoinedByItself() {
        var script = Script(1, patience: 200)
        script.advance(to: 5000)
        #expect(script.log == ["0 ask #0 m0 reply", "700 ask #1 m0 hedge"])
    }

    @Test(arguments: [Fault.Retry.never, .after(.seconds(60))])
    func aModelAloneIsNotAskedAgainInVain(retry: Fault.Retry) {
        var script = Script(1)
        script.at(100, .failed(0, fault("llm.rate_limited", retry)))
        #expect(script.log.last == "100 fail llm.rate_limited")
    }

    @Test func aModelThatIsNotToBeAskedIsPassedOverWithoutCost() {
        var script = Script(2)
        script.at(0, .refused(0))
        #expect(script.log == ["0 ask #0 m0 reply", "0 ask #1 m1 reply"])
        #expect(script.plan.spent == 0)
    }

    @Test func whenNoneIsToBeAskedTheFirstIsAskedAllTheSame() {
        var script = Script(2)
        script.at(0, .refused(0))
        script.at(0, .refused(1))
        #expect(script.log.last == "0 ask #2 m0 reply forced")
    }

    @Test func draftsAndHedgesAndFallbacksShareOneBudget() {
        var script = Script(3, requestsMax: 1)
        script.at(400, .failed(0, fault("llm.cut", .after(.zero))))
        script.at(500, .failed(1, fault("llm.unavailable", .after(.zero))))
        #expect(
            script.log == ["0 ask #0 m0 reply", "300 ask #1 m1 hedge", "500 fail llm.cut"])
        let taken = [ReplyPlan.Purpose.draft, .fallback, .reply].map { script.plan.take($0) }
        #expect(taken == [false, false, true])
        var fresh = ReplyPlan(turn: 2)
        let drafts = (0..<5).count { _ in fresh.take(.draft) }
        let mayFallBack = fresh.take(.fallback)
        #expect(drafts == ReplyPlan.draftsMax && mayFallBack)
    }

    @Test(arguments: 0..<UInt64(500))
    func oneSpeakerOneEndAndNoWordTwice(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let models = Int(random.next() % 3) + 1
        var chain = ReplyChain(patience: Array(repeating: .milliseconds(300), count: models), isDraft: false)
        var plan = ReplyPlan(turn: 1)
        var (now, ends, open) = (Duration.zero, 0, Set<Int>())
        var inputs: [ReplyChain.Input] = [.start]
        for step in 0..<200 {
            var effects = inputs.flatMap { chain.handle($0, at: now, plan: &plan) }
            while !effects.isEmpty {
                let effect = effects.removeFirst()
                #expect(ends == 0, "seed \(seed) step \(step): \(effect) after the end")
                switch effect {
                case .ask(let number, _, _, _, let isForced):
                    if !isForced, random.next() % 4 == 0 {
                        effects += chain.handle(.refused(number), at: now, plan: &plan)
                    } else {
                        open.insert(number)
                    }
                case .drop(let number): open.remove(number)
                case .finish, .fail: ends += 1
                case .began, .text, .toolCall, .cut: break
                }
            }
            #expect(open.count <= 3, "seed \(seed) step \(step)")
            now += .milliseconds(Int(random.next() % 200))
            inputs = chain.deadline.map { $0 <= now } == true ? [.deadline] : []
            guard let number = open.sorted().randomElement(using: &random) else { continue }
            switch random.next() % 8 {
            case 0: inputs.append(.began(number))
            case 1, 2: inputs.append(.text(number, "word "))
            case 3:
                inputs.append(.finished(number))
                open.remove(number)
            case 4, 5:
                inputs.append(.failed(number, fault("f", random.next() % 2 == 0 ? .never : .after(.zero))))
                open.remove(number)
            default: break
            }
        }
        #expect(ends == 1, "seed \(seed)")
        #expect(plan.spent <= plan.requestsMax, "seed \(seed)")
    }
}

struct SeamTests {
    private func joined(_ said: String, _ pieces: [String]) -> String {
        var seam = Seam(said: said)
        return pieces.map { seam.push($0) }.joined() + seam.finish()
    }

    @Test(arguments: [
        (["I have a", " slot on", " Tuesday."], " Tuesday."), (["on", " Tuesday."], " Tuesday."),
        ([" Tuesday."], " Tuesday."), (["Tuesday."], " Tuesday."), (["I have a slot on"], ""),
        (["no", "pe"], " nope"), ([], ""),
    ])
    func onlyWhatIsNewIsSpoken(pieces: [String], new: String) {
        #expect(joined("I have a slot on", pieces) == new)
    }

    @Test func aWordThatWasCutIsCompleted() {
        #expect(joined("see you on Tu", [" Tues", "day."]) == "esday.")
        #expect(joined("see you on Tu", ["Tuesday."]) == "esday.")
    }
}

struct FirstTokenPaceTests {
    @Test func aHedgeWaitsForTheModelsOwnSlowest() {
        var pace = FirstTokenPace()
        #expect(pace.patience == FirstTokenPace.patienceUnknown)
        for number in 1...19 { pace.add(.milliseconds(number * 10)) }
        #expect(pace.p95 == nil)
        pace.add(.milliseconds(200))
        #expect(pace.p95 == .milliseconds(190) && pace.patience == .milliseconds(190))
        #expect(pace.draftPatience == FirstTokenPace.patienceUnknown)
        for _ in 0..<100 { pace.add(.milliseconds(20)) }
        #expect(pace.patience == FirstTokenPace.patienceMin)
        for _ in 0..<100 { pace.add(.seconds(3)) }
        #expect(pace.patience == FirstTokenPace.patienceMax)
        #expect(pace.draftPatience == FirstTokenPace.patienceMax)
    }
}
