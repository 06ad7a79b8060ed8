package import Base
package import Conversation
import Turns

/// What a recorded call shows: turns, decisions with their reasons, and how long it lasted. Pure.
///
/// Times are milliseconds from the first leg's media; a later leg begins where the one before it ended.
package struct CallStory: Hashable, Sendable {
    package struct Turn: Hashable, Sendable {
        package var fact: Dialogue.TurnFact
        package var startMs: Int
        package var endMs: Int
        /// With times, of the caller's turns only; empty where the recogniser gives none.
        package var words: [Word] = []
        /// Why the caller's turn was taken for over.
        package var reason: String?
    }

    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case duck, unduck, pause, resume, clear, turn, reopened, reply, cancel, tool, note, end
    }

    package struct Decision: Hashable, Sendable {
        package var atMs: Int
        package var kind: Kind
        package var what: String
        package var why: String
    }

    package private(set) var turns: [Turn] = []
    package private(set) var decisions: [Decision] = []
    package private(set) var lengthMs = 0
    /// Where the recording begins; nil when there was none.
    package private(set) var recordingMs: Int?
    /// Where each leg begins.
    package private(set) var legs: [Int] = []
    private var words: [Word] = []

    package init(_ call: RecordedCall) {
        for leg in call.legs {
            let begin = lengthMs
            legs.append(begin)
            tell(leg, from: begin)
            lengthMs = begin + (leg.entries.last?.at.milliseconds ?? 0)
        }
        for index in turns.indices where turns[index].fact.speaker == .caller {
            turns[index].words = words.filter {
                $0.startMs >= turns[index].startMs - Self.edgeMs
                    && $0.endMs <= turns[index].endMs + Self.edgeMs
            }
        }
    }

    /// The recogniser's times of words and the ear's of speech differ by as much.
    private static let edgeMs = 300

    private mutating func tell(_ leg: RecordedCall.Leg, from begin: Int) {
        var machine = leg.start.conversation
        let pauseMs = Conversation.policy(leg.start.definition).bargeIn.pauseMs
        for entry in leg.entries {
            let (effects, told) = machine.decide(entry.input, at: entry.at)
            if case .transcript(let transcript) = entry.input, transcript.isFinal, !entry.isMasked {
                words += transcript.words.map {
                    Word(text: $0.text, startMs: begin + $0.startMs, endMs: begin + $0.endMs)
                }
            }
            guard !effects.isEmpty || !told.isEmpty else { continue }
            let cause = Cause(input: entry.input, told: told, pauseMs: pauseMs)
            let atMs = begin + entry.at.milliseconds
            for decision in cause.decisions(at: atMs) { decisions.append(decision) }
            for effect in effects { performed(effect, cause, atMs, from: begin) }
        }
    }

    private mutating func add(_ kind: Kind, _ what: String, _ why: String, _ atMs: Int) {
        decisions.append(Decision(atMs: atMs, kind: kind, what: what, why: why))
    }

    private mutating func performed(
        _ effect: Dialogue.Effect, _ cause: Cause, _ atMs: Int, from begin: Int
    ) {
        switch effect {
        case .startReply(let id, _): add(.reply, "start reply \(id.number)", cause.ofReply, atMs)
        case .cancelReply(let id): add(.cancel, "cancel reply \(id.number)", cause.ofClearing, atMs)
        case .callTool(let call, let isDraft):
            let what = isDraft ? "call tool \(call.name) ahead" : "call tool \(call.name)"
            add(.tool, what, cause.ofReply, atMs)
        case .cancelTool(let key): add(.cancel, "cancel tool \(key)", cause.ofClearing, atMs)
        case .hangUp(let reason):
            add(.end, "hang up", reason.rawValue.replacing("_", with: " "), atMs)
        case .startRecording: recordingMs = recordingMs ?? atMs
        case .record(.tool(let tool)):
            let end = tool.succeeded ? "succeeded" : "failed"
            add(.tool, "tool \(tool.name) \(end)", "in \(tool.milliseconds) ms", atMs)
        case .record(.note(let code, let detail)): add(.note, code.replacing("_", with: " "), detail, atMs)
        case .record(.turn(let fact)):
            turns.append(
                Turn(
                    fact: fact, startMs: begin + fact.startedAt.milliseconds,
                    endMs: begin + fact.endedAt.milliseconds,
                    reason: fact.evidence.map { Ladder.text(of: $0) }))
        default: break
        }
    }
}
