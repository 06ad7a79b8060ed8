import Agents
import Base
import Calls
import Turns

/// What a caller's turn led to, until it is certain that the turn was whole.
///
/// A turn that was cut is heard again, both parts as one; whatever its first part led to must leave no trace. So
/// the agent's state before it is kept, and what would be told of it waits until the turn stands.
struct TentativeTurn {
    var flow: FlowMachine?
    var prompt: PromptMachine?
    var listening: Conversation.Listening?
    var recording: Checkpoint.RecordingState
    var turnNumber: Int
    var callerTurns: Int
    var facts: [Dialogue.Fact] = []
    /// Recording goes on once the turn stands.
    var isResumeDue = false
}

extension Conversation {
    /// A turn is taken; from here on `tell` holds back what is told.
    mutating func begin(_ turn: Turns.CallerTurn, _ step: inout Step) {
        guard call.ending == nil else { return record(turn, &step) }
        tentative = TentativeTurn(
            flow: flow, prompt: prompt, listening: listening, recording: recording, turnNumber: turnNumber,
            callerTurns: callerTurns)
        callerTurns += 1
        checkDraft(&step)
        record(turn, &step)
        answer(turn, &step)
        apply(turns.handle(.forgetDraft, at: step.time), &step)
    }

    /// The turn was whole: all that was held back is told.
    mutating func keepTurn(_ step: inout Step) {
        guard let kept = tentative else { return }
        tentative = nil
        for fact in kept.facts { step.effects.append(.record(fact)) }
        if kept.isResumeDue { step.effects.append(.resumeRecording) }
    }

    /// The turn was cut: the agent is where it was before.
    mutating func forgetTurn(_ step: inout Step) {
        guard let before = tentative else { return }
        tentative = nil
        flow = before.flow
        prompt = before.prompt
        turnNumber = before.turnNumber
        callerTurns = before.callerTurns
        let recorded = before.isResumeDue ? .paused : recording
        if recorded != before.recording {
            step.effects.append(before.recording == .paused ? .pauseRecording : .resumeRecording)
        }
        recording = before.recording
        if let asked = before.listening { listen(asked.expectation, asked.phrases, &step) }
        note("turn_reopened", &step)
        apply(
            turns.handle(.judged(fullness(text: turns.text(with: ""), keys: turns.keys)), at: step.time),
            &step)
    }

    /// Something was done that cannot be undone.
    mutating func commitTurn(_ step: inout Step) {
        guard tentative != nil else { return }
        apply(turns.handle(.stand, at: step.time), &step)
        keepTurn(&step)
    }

    /// Facts of the conversation wait with the turn that led to them; others are told at once.
    mutating func tell(_ fact: Dialogue.Fact, _ step: inout Step) {
        switch fact {
        case .turn, .node:
            guard tentative == nil else {
                tentative?.facts.append(fact)
                return
            }
        case .tool, .digit, .usage, .note: break
        }
        step.effects.append(.record(fact))
    }

    /// How much of the answer to the agent's question these words and keys hold.
    func fullness(text: String, keys: String) -> Fullness {
        flow?.fullness(text: text, keys: keys) ?? prompt?.fullness(text: text, keys: keys) ?? .none
    }
}
