/// How loud the agent's own voice comes back from the caller's end.
///
/// Owns: the loss between what is played and what is heard, learned while the agent sounds. Learning takes seconds, so
/// that a caller who talks over the agent is not taken for its echo.
struct EchoLevel: Sendable {
    /// An echo comes back within so long: four slots of the agent's loudest.
    static let windowMs = 400
    /// Below this the agent is not sounding, in dB of a 16-bit step.
    static let soundingDecibels = 45.0
    /// The echo is loudest in about one of four halves: learned up so fast and down a third of it, dB each 10 ms.
    static let learnUp = 0.15
    static let learnDown = 0.05
    /// The echo counts when it is so much over the floor.
    static let clearDecibels = 6.0
    static let lossMax = 60.0

    private var played = SIMD4<Double>(repeating: 0)
    private var slot = 0
    private var elapsedMs = 0
    /// dB between the agent's voice and its echo.
    private(set) var loss = lossMax

    /// The echo's level for the next 10 ms, of which `heard` is the level; 0 when none is to be expected.
    ///
    /// `agent`: level of what is played now, nil when nothing is.
    mutating func expected(_ agent: Double?, heard: Double, floor: Double) -> Double {
        elapsedMs += SpeechDetector.halfMs
        if elapsedMs >= Self.windowMs / 4 {
            elapsedMs = 0
            slot = (slot + 1) % 4
            played[slot] = 0
        }
        played[slot] = max(played[slot], agent ?? 0)
        let loudest = played.max()
        guard loudest >= Self.soundingDecibels else { return 0 }
        let echo = loudest - loss
        loss += heard > echo ? -Self.learnUp : Self.learnDown
        loss = max(0, min(Self.lossMax, loss))
        return echo >= floor + Self.clearDecibels ? echo : 0
    }
}
