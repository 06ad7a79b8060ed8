package import Conversation
package import Turns

/// Why something was decided about turns: the input it was decided on, in words. Pure.
package struct Cause: Sendable {
    private let input: Dialogue.Input
    private let told: [Turns.Effect]
    private let pauseMs: Int

    /// `told`: what `Conversation.decide` gave for the input. `pauseMs`: of the barge-in policy.
    package init(input: Dialogue.Input, told: [Turns.Effect], pauseMs: Int) {
        self.input = input
        self.told = told
        self.pauseMs = pauseMs
    }

    package func decisions(at ms: Int) -> [CallStory.Decision] {
        told.compactMap { decision($0, ms) }
    }

    private func decision(_ effect: Turns.Effect, _ ms: Int) -> CallStory.Decision? {
        func decided(_ kind: CallStory.Kind, _ what: String, _ why: String) -> CallStory.Decision {
            CallStory.Decision(atMs: ms, kind: kind, what: what, why: why)
        }
        return switch effect {
        case .callerTurn(let turn):
            decided(
                .turn, "end of turn",
                turn.evidence.map { Ladder.text(of: Dialogue.Evidence($0)) } ?? "the line was cut")
        case .reopened:
            decided(.reopened, "turn goes on", "the caller was not done: both parts are one turn")
        case .duckPlayout: decided(.duck, "duck", ofDucking)
        case .unduckPlayout: decided(.unduck, "unduck", ofGoingOn)
        case .pausePlayout: decided(.pause, "pause", ofPause)
        case .resumePlayout(let fromStart):
            decided(.resume, fromStart ? "resume the line from its start" : "resume", ofGoingOn)
        case .clearPlayout: decided(.clear, "clear", ofClearing)
        default: nil
        }
    }

    private var ofDucking: String {
        switch input {
        case .stirred: "first sign of the caller's voice"
        case .speechStarted: "speech over the agent"
        default: Ladder.text(of: input)
        }
    }

    private var ofPause: String { "speech over the agent has lasted \(pauseMs) ms or more" }

    private var ofGoingOn: String {
        if told.contains(.note("echo")) { return "the agent's own echo" }
        if told.contains(.note("backchannel")) { return "only a backchannel" }
        return switch input {
        case .settled: "the sign was withdrawn"
        case .speechEnded: "speech ended before it counted as an interruption"
        case .deadline: "nothing came of it"
        default: Ladder.text(of: input)
        }
    }

    var ofClearing: String {
        if told.contains(.reopened) { return "the caller went on" }
        return switch input {
        case .transcript(let transcript): "words over the agent: \"\(transcript.text)\""
        case .deadline: "lasting speech: an interruption"
        case .digit, .keyTone: "a key was pressed"
        default: Ladder.text(of: input)
        }
    }

    var ofReply: String {
        let isOver = told.contains { if case .callerTurn = $0 { true } else { false } }
        return isOver ? "the caller's turn is over" : Ladder.text(of: input)
    }
}
