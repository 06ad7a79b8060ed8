package import Base
import Conversation
import Turns

/// One stretch of a recorded call, run up to the end of the caller's turn. Pure.
///
/// Open loop: the inputs are those of the recording, whatever is decided; only deadlines are the machine's own.
package struct Trial: Hashable, Sendable {
    package enum End: Hashable, Sendable {
        /// The turn was over at this time, and the caller had said all of it.
        case over(CallTime)
        /// Over before the further words which in the recording belong to the same turn.
        case cut(CallTime)
        /// Something before the turn, which the recording let pass, was taken for a turn.
        case takenUp(CallTime)
        /// Still open when the caller spoke next: heard as one with the next turn.
        case joined
        /// The call ended first.
        case open
    }

    package private(set) var end = End.open
    /// Times the agent was paused.
    package private(set) var pauses = 0
    /// Pauses after which the agent went on: they were no interruptions.
    package private(set) var falseStops = 0
    /// Times the caller was silent for so long that the agent asked again.
    package private(set) var silences = 0
    private var isPaused = false

    /// A machine whose next deadline never moves on is fed no more of them before the next input.
    private static let deadlinesMax = 1000

    /// The caller's turn as it was recorded.
    struct Stretch: Sendable {
        /// The conversation as recorded, before `entries[from]`.
        var conversation: Conversation
        var from: Int
        /// The input on which the turn was over, and the turn; nil behind the last one.
        var over: (at: Int, turn: Turns.CallerTurn)?
    }

    init(_ stretch: Stretch, of entries: [RecordedCall.Entry], policy: Turns.Policy) {
        var machine = stretch.conversation
        machine.adopt(policy)
        run(&machine, stretch, entries)
    }

    private mutating func run(
        _ machine: inout Conversation, _ stretch: Stretch, _ entries: [RecordedCall.Entry]
    ) {
        for index in entries.indices[stretch.from...] {
            let entry = entries[index]
            if let over = stretch.over, index > over.at, entry.input.isCallerHeard {
                end = .joined
                return
            }
            var deadlines = 0
            while let due = machine.deadline, due < entry.at, deadlines < Self.deadlinesMax {
                deadlines += 1
                if take(machine.decide(.deadline, at: due).turns) {
                    return finish(due, stretch, entries, next: index)
                }
            }
            if take(machine.decide(entry.input, at: entry.at).turns) {
                return finish(entry.at, stretch, entries, next: index + 1)
            }
        }
    }

    /// True when the caller's turn is over.
    private mutating func take(_ told: [Turns.Effect]) -> Bool {
        for effect in told {
            switch effect {
            case .pausePlayout:
                pauses += 1
                isPaused = true
            case .resumePlayout:
                if isPaused { falseStops += 1 }
                isPaused = false
            case .clearPlayout: isPaused = false
            case .silence: silences += 1
            case .callerTurn: return true
            default: break
            }
        }
        return false
    }

    /// `next`: the first input that came after the end.
    private mutating func finish(
        _ now: CallTime, _ stretch: Stretch, _ entries: [RecordedCall.Entry], next: Int
    ) {
        guard let over = stretch.over, now >= over.turn.startedAt else {
            end = .takenUp(now)
            return
        }
        end = Self.goesOn(entries, from: next, through: over.at) ? .cut(now) : .over(now)
    }

    /// The caller speaks on: new speech with words in it, or keys.
    private static func goesOn(_ entries: [RecordedCall.Entry], from: Int, through last: Int) -> Bool {
        var isSpeaking = false
        for entry in entries[from..<max(from, last + 1)] {
            switch entry.input {
            case .speechStarted: isSpeaking = true
            case .transcript(let transcript):
                if isSpeaking, !Words.trimmed(transcript.text).isEmpty { return true }
            case .digit, .keyTone: return true
            default: break
            }
        }
        return false
    }
}

extension Dialogue.Input {
    fileprivate var isCallerHeard: Bool {
        switch self {
        case .speechStarted, .digit, .keyTone: true
        default: false
        }
    }
}
