import Base
import Conversation

/// Inputs in any order: mostly such as fit what the agent has done, some that do not.
enum AnyInput {
    private static let words = [
        "ann lee", "tuesday", "five five five", "oh one two", "double two six", "yes", "no", "mm-hm", "",
        "okay", "the third of march", "what did you say", "I would like to", "um", "goodbye",
    ]

    static func next(fitting witness: Witness, _ dice: inout Dice) -> Dialogue.Input {
        let utterance = Dialogue.UtteranceID(max(0, witness.lastUtterance - dice.number(0...2)))
        let reply = Dialogue.ReplyID(max(0, witness.lastReply - (dice.chance(0.15) ? 1 : 0)))
        let words = dice.pick(words)
        let ms = dice.number(-10...3000)
        switch dice.number(0...99) {
        case 0..<11: return .speechStarted(agoMs: ms / 10)
        case 11..<22: return .speechEnded(agoMs: ms / 10, finality: ms > 1500 ? Double(ms) / 3000 : nil)
        case 22:
            if ms < 1000 { return .speechFading(agoMs: ms) }
            return dice.chance(0.5) ? .speechStarted(agoMs: ms * 10) : .speechEnded(agoMs: ms * 10)
        case 23:
            return ms < 500 ? .stirred : ms < 1000 ? .settled : .endOfTurn(probability: Double(ms) / 2000)
        case 24..<34: return .transcript(.init(text: words, isFinal: false))
        case 34..<48: return .transcript(.init(text: words, isFinal: true))
        case 48..<52:
            let key = dice.pick(["0", "1", "2", "7", "*", "#", "x", "A"])
            return dice.chance(0.5) ? .digit(key) : .keyTone(key)
        case 52..<58: return .replyText(reply, words + ". ")
        case 58..<60:
            return .replyToolCall(
                reply, id: "t", name: dice.pick([SimulatedAgent.lookUp, SimulatedAgent.change]),
                arguments: ms > 500 ? "{}" : "{")
        case 60..<64: return .replyFinished(reply, [])
        case 64..<72: return .synthesised(utterance, milliseconds: ms, isLast: ms > 1000)
        case 72..<88: return .heard(utterance, milliseconds: ms, isFinished: ms > 1500)
        case 88..<92: return .toolFinished(key: witness.tools.last ?? "none", result: ["slot": "ten"])
        case 92..<94: return .toolFailed(key: witness.tools.first ?? "none", code: "timeout")
        case 94..<97: return .holdExtended(number: witness.hold, fundedMs: ms * 200)
        case 97: return .holdUnanswered(number: witness.hold)
        default: return rare(witness, &dice)
        }
    }

    private static func rare(_ witness: Witness, _ dice: inout Dice) -> Dialogue.Input {
        switch dice.number(0...59) {
        case 0: .callerHungUp
        case 1: .mediaLost
        case 2: .endRequested
        case 3: .holdRefused(number: witness.hold)
        case 4: .replyFailed(Dialogue.ReplyID(witness.lastReply), code: "500")
        case 5: .synthesisFailed(Dialogue.UtteranceID(witness.lastUtterance), code: "500")
        case 6: .mediaStarted(resumed: true)
        case 7: .mediaStarted(resumed: false)
        case 8: .lineTone(dice.pick(LineTone.allCases))
        case 9: .recogniserFailed(code: "stt.closed")
        default: .deadline
        }
    }
}
