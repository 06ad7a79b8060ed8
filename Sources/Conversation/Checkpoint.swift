package import Agents
package import Base

/// All another worker needs to go on with the call. Holds spoken words: seal it before it leaves the
/// process.
package struct Checkpoint: Hashable, Sendable, Codable {
    /// Connected milliseconds before this checkpoint is resumed: the meter and the length limit count from
    /// there.
    ///
    /// Whoever resumes sets it to the plan's `elapsedMs`; a checkpoint made later counts the whole call.
    package var elapsedMs: Int
    /// What the agent knows; both nil when it had not begun.
    package var flow: FlowMachine.Memory?
    package var prompt: PromptMachine.Memory?
    /// Numbers given out so far, so that none is given twice in a call.
    package var turns = 0
    package var replies = 0
    package var utterances = 0
    package var recording = RecordingState.off
    /// The call was ending for this reason.
    package var ending: EndReason?

    package enum RecordingState: String, Hashable, Sendable, Codable { case off, on, paused }

    /// What is left when the checkpoint itself is lost: the call starts anew after the reconnection line.
    package init(elapsedMs: Int) { self.elapsedMs = elapsedMs }
}
