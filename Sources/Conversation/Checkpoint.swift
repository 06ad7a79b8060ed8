/// All another worker needs to go on with the call. Holds spoken words: seal it before it leaves the process.
package struct Checkpoint: Hashable, Sendable, Codable {
    /// Connected milliseconds before this checkpoint is resumed: the meter and the length limit count from there.
    ///
    /// Whoever resumes sets it to the plan's `elapsedMs`; a checkpoint made later counts the whole call.
    package var elapsedMs: Int

    /// What is left when the checkpoint itself is lost: the call starts anew after the reconnection line.
    package init(elapsedMs: Int) { self.elapsedMs = elapsedMs }
}
