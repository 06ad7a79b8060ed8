import Base
import Routing
import Testing

@testable import Speech

/// Feeds one routed reply and writes down what it orders.
private struct Script {
    var reply: RoutedReply
    var log: [String] = []

    init(_ mode: Router.Mode) {
        reply = RoutedReply(mode)
        send(.start)
    }

    mutating func send(_ inputs: RoutedReply.Input...) {
        for input in inputs { log += reply.handle(input).map(Self.line) }
    }

    static func line(_ effect: RoutedReply.Effect) -> String {
        switch effect {
        case .ask(let tier, let form, let said, let isFirst):
            "ask \(tier)\(form == .probe ? " probe" : "")\(said.isEmpty ? "" : " after '\(said)'")"
                + (isFirst ? "" : " too")
        case .drop(let tier): "drop \(tier)"
        case .began: "began"
        case .text(let text): "text '\(text)'"
        case .toolCall(let call): "call \(call.name)"
        case .finish: "finish"
        case .fail(let fault): "fail \(fault.code)"
        }
    }
}

private func call(_ name: String) -> ChatToolCall { ChatToolCall(id: "1", name: name, arguments: "{}") }
private let broken = Fault(code: "llm.cut", retry: .after(.zero), cause: "")
private let unknown = Fault(code: "llm.unknown_tool", retry: .after(.zero), cause: "")

struct RoutedReplyTests {
    @Test(arguments: [Router.Tier.cheap, .strong])
    func oneModelAloneHasTheWholeRequest(tier: Router.Tier) {
        var script = Script(.direct(tier))
        script.send(.began(tier), .text(tier, "At nine."), .toolCall(tier, call("book")), .finished(tier))
        #expect(script.log == ["ask \(tier)", "began", "text 'At nine.'", "call book", "finish"])
        #expect(script.reply.hasCalledTool && !script.reply.hasHandedOver && script.reply.speaker == tier)
    }

    @Test func aProbeThatAnswersIsPassedOnAsItComes() {
        var script = Script(.probe)
        script.send(.began(.cheap), .text(.cheap, "You are"), .text(.cheap, " welcome."), .finished(.cheap))
        #expect(script.log == ["ask cheap probe", "began", "text 'You are'", "text ' welcome.'", "finish"])
        #expect(!script.reply.hasHandedOver)
    }

    @Test func aProbeThatHandsOverIsFollowedByTheStrongModelWithoutASound() {
        var script = Script(.probe)
        script.send(.began(.cheap), .toolCall(.cheap, call("hand_over")), .finished(.cheap))
        script.send(.began(.strong), .toolCall(.strong, call("book")), .finished(.strong))
        #expect(script.log == ["ask cheap probe", "ask strong too", "began", "call book", "finish"])
        #expect(script.reply.hasHandedOver && script.reply.speaker == .strong)
    }

    @Test func whatTheProbeHasSaidIsGoneOnWithAndNotRepeated() {
        var script = Script(.probe)
        script.send(.text(.cheap, "One moment."), .toolCall(.cheap, call("hand_over")), .finished(.cheap))
        script.send(.began(.strong), .text(.strong, "One moment."), .text(.strong, " It is booked."))
        script.send(.finished(.strong))
        #expect(
            script.log == [
                "ask cheap probe", "began", "text 'One moment.'", "ask strong after 'One moment.' too",
                "text ' It is booked.'", "finish",
            ])
    }

    @Test func whoWasHandedOverToCannotHandBack() {
        var script = Script(.probe)
        script.send(.toolCall(.cheap, call("hand_over")), .toolCall(.cheap, call("hand_over")))
        script.send(.began(.strong), .toolCall(.strong, call("hand_over")), .finished(.strong))
        #expect(
            script.log == ["ask cheap probe", "ask strong too", "began", "call hand_over", "finish"],
            "the agent's own tool of that name is its own")
    }

    @Test(arguments: [broken, unknown])
    func aCheapModelThatFailsIsFollowedByTheStrongOne(fault: Fault) {
        for mode in [Router.Mode.probe, .direct(.cheap)] {
            var script = Script(mode)
            script.send(.failed(.cheap, fault), .began(.strong), .text(.strong, "Yes."), .finished(.strong))
            #expect(script.log.suffix(4) == ["ask strong too", "began", "text 'Yes.'", "finish"])
            #expect(!script.reply.hasHandedOver)
        }
    }

    @Test func oneThatBreaksOffIsGoneOnWith() {
        var script = Script(.direct(.cheap))
        script.send(.began(.cheap), .text(.cheap, "On Tues"), .failed(.cheap, broken))
        script.send(.began(.strong), .text(.strong, "day."), .finished(.strong))
        #expect(
            script.log.suffix(3) == ["ask strong after 'On Tues' too", "text ' day.'", "finish"])
    }

    @Test func anEmptyAnswerIsNone() {
        var script = Script(.probe)
        script.send(.began(.cheap), .finished(.cheap))
        #expect(script.log == ["ask cheap probe", "ask strong too"])
    }

    @Test func aStrongModelThatFailsIsFollowedByTheCheapOneOnce() {
        var script = Script(.direct(.strong))
        script.send(.failed(.strong, broken), .failed(.cheap, unknown))
        #expect(script.log == ["ask strong", "ask cheap too", "fail llm.unknown_tool"])
        var handed = Script(.probe)
        handed.send(.toolCall(.cheap, call("hand_over")), .failed(.strong, broken))
        #expect(handed.log.last == "fail llm.cut")
    }

    /// The first token had come, but nothing of the call can be used.
    @Test func aStrongModelWhoseToolCallCannotBeUsedIsFollowedByTheCheapOneOnce() {
        var script = Script(.direct(.strong))
        script.send(.began(.strong), .failed(.strong, unknown), .began(.cheap), .text(.cheap, "At nine."))
        script.send(.finished(.cheap))
        #expect(script.log == ["ask strong", "began", "ask cheap too", "text 'At nine.'", "finish"])
        #expect(script.reply.speaker == .cheap)
        var both = Script(.direct(.strong))
        both.send(.began(.strong), .text(.strong, " "), .failed(.strong, unknown))
        both.send(.began(.cheap), .failed(.cheap, broken))
        #expect(both.log == ["ask strong", "began", "text ' '", "ask cheap too", "fail llm.cut"])
        var said = Script(.direct(.strong))
        said.send(.began(.strong), .text(.strong, "One moment."), .failed(.strong, unknown))
        #expect(said.log.last == "finish", "what was said stands")
        var called = Script(.direct(.strong))
        called.send(.began(.strong), .toolCall(.strong, call("book")), .failed(.strong, unknown))
        #expect(called.log == ["ask strong", "began", "call book", "finish"])
    }

    @Test func aHandOverThatIsWrittenIsOne() {
        var script = Script(.probe)
        script.send(.began(.cheap), .text(.cheap, "hand"), .text(.cheap, "over"), .text(.cheap, "()"))
        #expect(script.log == ["ask cheap probe", "drop cheap", "ask strong too"])
        #expect(script.reply.hasHandedOver)
        script.send(.text(.cheap, " now"), .finished(.cheap), .began(.strong))
        script.send(.toolCall(.strong, call("book")), .finished(.strong))
        #expect(script.log.suffix(3) == ["began", "call book", "finish"])
    }

    @Test func oneThatIsWrittenBehindWordsIsGoneOnFrom() {
        var script = Script(.probe)
        script.send(.text(.cheap, "One moment."), .text(.cheap, " I call handover"), .text(.cheap, " now."))
        script.send(.began(.strong), .text(.strong, " It is booked."), .finished(.strong))
        #expect(
            script.log == [
                "ask cheap probe", "began", "text 'One moment.'", "text ' '", "drop cheap",
                "ask strong after 'One moment. ' too", "text 'It is booked.'", "finish",
            ])
    }

    @Test func aProbesNameAtItsEndIsWaitedForAndWordsThatOnlyBeginLikeItAreSpoken() {
        var name = Script(.probe)
        name.send(.text(.cheap, "Hand over"), .finished(.cheap))
        #expect(name.log == ["ask cheap probe", "drop cheap", "ask strong too"])
        var words = Script(.probe)
        words.send(.text(.cheap, "Hand over"), .text(.cheap, " your passport."), .finished(.cheap))
        #expect(words.log == ["ask cheap probe", "began", "text 'Hand over your passport.'", "finish"])
        #expect(!words.reply.hasHandedOver)
        var cut = Script(.probe)
        cut.send(.text(.cheap, "I"), .failed(.cheap, broken))
        #expect(cut.log == ["ask cheap probe", "ask strong too"], "what was held back was not said")
    }

    @Test func besideEachOtherAWrittenHandOverLeavesTheTurnToTheStrongOne() {
        var script = Script(.parallel)
        script.send(.text(.cheap, "Sure. hand_over"), .began(.strong), .text(.strong, "Yes."))
        #expect(
            script.log.suffix(3) == ["drop cheap", "began", "text 'Yes.'"] && script.reply.hasHandedOver)
    }

    /// Who has all tools may say the word.
    @Test func onlyAProbesWordsAreReadAlong() {
        for mode in [Router.Mode.direct(.cheap), .direct(.strong)] {
            let tier: Router.Tier = mode == .direct(.cheap) ? .cheap : .strong
            var script = Script(mode)
            script.send(.text(tier, "hand_over"), .finished(tier))
            #expect(script.log.suffix(2) == ["text 'hand_over'", "finish"])
        }
        var after = Script(.direct(.strong))
        after.send(.failed(.strong, broken), .text(.cheap, "Handover."), .finished(.cheap))
        #expect(after.log.suffix(2) == ["text 'Handover.'", "finish"])
    }

    @Test func aDraftOverItsBudgetIsNotMadeAnotherWay() {
        var script = Script(.probe)
        script.send(.failed(.cheap, ReplyChain.overBudget))
        #expect(script.log == ["ask cheap probe", "fail llm.over_budget"])
    }

    @Test func aLateCheapModelIsJoinedAndWhoBeginsFirstSpeaks() {
        var script = Script(.probe)
        script.send(
            .late, .late, .began(.strong), .text(.cheap, "no"), .text(.strong, "Yes."), .finished(.strong))
        #expect(
            script.log == [
                "ask cheap probe", "ask strong too", "drop cheap", "began", "text 'Yes.'", "finish",
            ])
        var joined = Script(.probe)
        joined.send(.late, .began(.cheap), .began(.strong), .text(.cheap, "Hello."), .finished(.cheap))
        #expect(
            joined.log == [
                "ask cheap probe", "ask strong too", "drop strong", "began", "text 'Hello.'", "finish",
            ])
    }

    @Test func besideEachOtherTheCheapAnswerCountsWhenTheStrongOneIsInWords() {
        var script = Script(.parallel)
        script.send(.began(.cheap), .text(.cheap, "Good"), .text(.cheap, "bye."), .began(.strong))
        #expect(script.log == ["ask cheap probe", "ask strong too"])
        script.send(.text(.strong, "Bye."), .text(.strong, " Now."), .finished(.cheap))
        #expect(
            script.log.suffix(4) == ["drop strong", "began", "text 'Goodbye.'", "finish"])
    }

    @Test func besideEachOtherAToolCallOfTheStrongOneCounts() {
        var script = Script(.parallel)
        script.send(.text(.cheap, "Sure."), .finished(.cheap), .began(.strong))
        script.send(.toolCall(.strong, call("book")), .finished(.strong))
        #expect(script.log.suffix(3) == ["began", "call book", "finish"])
        #expect(script.reply.hasCalledTool && script.reply.speaker == .strong)
    }

    @Test func besideEachOtherOneIsEnough() {
        var noCheap = Script(.parallel)
        noCheap.send(.failed(.cheap, broken), .began(.strong), .text(.strong, "Yes."), .finished(.strong))
        #expect(noCheap.log.suffix(3) == ["began", "text 'Yes.'", "finish"])
        var noStrong = Script(.parallel)
        noStrong.send(.text(.cheap, "Yes."), .failed(.strong, broken), .finished(.cheap))
        #expect(noStrong.log.suffix(3) == ["began", "text 'Yes.'", "finish"])
        var neither = Script(.parallel)
        neither.send(.failed(.cheap, broken), .failed(.strong, unknown))
        #expect(neither.log.last == "fail llm.unknown_tool")
        var ready = Script(.parallel)
        ready.send(.text(.cheap, "Yes."), .finished(.cheap), .text(.strong, "Yes!"))
        #expect(ready.log.suffix(4) == ["drop strong", "began", "text 'Yes.'", "finish"])
    }

    /// Whatever comes: one end, nothing after it, and words only of a reply that has begun.
    @Test(arguments: 0..<UInt64(300))
    func anyOrderOfEventsEndsOnce(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let modes: [Router.Mode] = [.probe, .parallel, .direct(.cheap), .direct(.strong), .scripted]
        var script = Script(modes[Int(random.next() % 5)])
        for _ in 0..<40 {
            let tier: Router.Tier = random.next() % 2 == 0 ? .cheap : .strong
            switch random.next() % 9 {
            case 0: script.send(.began(tier))
            case 1, 2: script.send(.text(tier, "word "))
            case 7: script.send(.text(tier, ["hand", " over", "()", "I "][Int(random.next() % 4)]))
            case 3: script.send(.toolCall(tier, call("book")))
            case 4: script.send(.finished(tier))
            case 5: script.send(.failed(tier, broken))
            case 6: script.send(.late)
            default: break
            }
        }
        let ends = script.log.indices.filter {
            script.log[$0] == "finish" || script.log[$0].hasPrefix("fail")
        }
        #expect(
            ends.count <= 1 && (ends.first ?? script.log.count - 1) == script.log.count - 1, "\(script.log)")
        #expect(script.log.count { $0 == "began" } <= 1)
        if let word = script.log.firstIndex(where: { $0.hasPrefix("text") || $0.hasPrefix("call") }) {
            #expect(script.log.prefix(word).contains("began"), "\(script.log)")
        }
        #expect(script.log.count { $0.hasPrefix("ask") } <= 3, "\(script.log)")
    }
}
