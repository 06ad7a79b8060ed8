/// How loud the agent sounds, half by half of 10 ms: told as it is played, asked for as the line is heard.
///
/// Owns: that both keep step. What is played is told by a clock and what is heard comes as the network lets it: where the
/// agent's side is behind, the half before goes on for a moment, and what was played comes that much later in the whole run.
struct AgentVoice: Sendable {
    static let halfSamples = 80
    /// Halves not asked for yet; of more than that the oldest are dropped. 1 s: a line that stood still.
    static let waitingMax = 100
    /// A half goes on for so many more before the agent is taken to be silent: a frame and a half.
    static let heldMax = 3

    private var sums = LevelSums()
    private var waiting: ArraySlice<Double> = []
    private var last: Double?
    private var held = 0

    mutating func add(_ samples: UnsafeBufferPointer<Int16>) {
        var rest = samples[...]
        while !rest.isEmpty {
            let count = min(rest.count, Self.halfSamples - sums.count)
            sums.add(UnsafeBufferPointer(rebasing: rest.prefix(count)))
            rest = rest.dropFirst(count)
            guard sums.count == Self.halfSamples else { continue }
            waiting.append(sums.decibels)
            sums = LevelSums()
        }
        if waiting.count > Self.waitingMax { waiting.removeFirst(waiting.count - Self.waitingMax) }
    }

    /// `Level.decibels` of the next 10 ms; nil: nothing is played.
    mutating func next() -> Double? {
        if let level = waiting.popFirst() {
            (last, held) = (level, 0)
        } else if last != nil {
            held += 1
            if held > Self.heldMax {
                last = nil
                sums = LevelSums()
            }
        }
        return last
    }
}
