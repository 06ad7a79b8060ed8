/// How loud the agent's own voice comes back from the caller's end.
///
/// Owns: how late and how much weaker the echo is, learned while the agent sounds. The lag at which the level heard follows
/// the level played is the echo's; a caller who talks over the agent follows it at none. Until a lag is found, what comes
/// back is taken for an echo if something has come back for most of the time that the agent has sounded.
struct EchoLevel: Sendable {
    /// An echo comes back within so many halves of 10 ms.
    static let lags = 48
    /// The level played is known by frames, not by halves, and a room smears: the loudest within so many halves counts.
    static let smear = 3
    /// Below this the agent is not sounding, in dB of a 16-bit step.
    static let soundingDecibels: Float = 45
    /// A half counts as heard when it is so much over the floor.
    static let clearDecibels: Float = 6
    /// Halves from which a lag can be known, and over which it is learned.
    static let halvesMin = 20
    static let halvesMax = 100
    /// Mean deviation of the loss at the lag that is the echo's, dB.
    static let deviationMax: Float = 3
    /// And from which it is that no more, dB.
    static let deviationLost: Float = 5
    /// An echo is louder than expected by up to so many mean deviations.
    static let deviations: Float = 3
    /// One half far off says no more than this, dB.
    static let outlierDecibels: Float = 12
    /// What a lag's deviation is taken to be at its first half, dB.
    static let deviationFirst: Float = 5
    /// The least loss of an echo whose lag is not known yet, dB.
    static let lossMin: Float = 14
    /// Share of the agent's sounding time with something heard from which that is taken for an echo.
    static let returnsShare: Float = 0.5
    static let returnsHalves: Float = 200
    /// What is believed of the line before anything is known weighs as much as so many halves.
    static let returnsPrior: Float = 20

    /// Of one lag: how often seen, the mean loss and its mean deviation, dB.
    private struct Lag {
        var halves = 0
        var gain: Float = 0
        var deviation: Float = 0

        mutating func learn(_ difference: Float) {
            halves = min(halves + 1, EchoLevel.halvesMax)
            guard halves > 1 else {
                gain = difference
                deviation = EchoLevel.deviationFirst
                return
            }
            let off = max(-EchoLevel.outlierDecibels, min(EchoLevel.outlierDecibels, difference - gain))
            gain += off / Float(halves)
            deviation += (abs(off) - deviation) / Float(halves)
        }
    }

    private var lags = [Lag](repeating: Lag(), count: lags)
    /// Levels of what was played, the latest at `newest`, the earlier ones after it.
    private var played = [Float](repeating: 0, count: lags)
    private var newest = 0
    /// Of the echo, once known.
    private var lag: Int?
    /// Halves in which an echo could have come back, and the share of them in which something did.
    private var sounded: Float = 0
    private var returns: Float = 1

    /// The echo's level for the next 10 ms, of which `heard` is the level; 0 when none is to be expected.
    ///
    /// `agent`: level of what is played now, nil when nothing is.
    mutating func expected(_ agent: Double?, heard: Double, floor: Double) -> Double {
        newest = (newest + Self.lags - 1) % Self.lags
        played[newest] = Float(agent ?? 0)
        let loudest = played.max() ?? 0
        guard loudest >= Self.soundingDecibels else { return 0 }
        let clear = Float(floor) + Self.clearDecibels
        learn(Float(heard), clear)
        lag = known ?? lag.flatMap { lags[$0].deviation < Self.deviationLost ? $0 : nil }
        if let lag {
            let near = (max(0, lag - Self.smear)...min(Self.lags - 1, lag + Self.smear)).map(level).max() ?? 0
            guard near > 0 else { return 0 }
            return Double(near + lags[lag].gain + Self.deviations * lags[lag].deviation)
        }
        return returns > Self.returnsShare ? Double(loudest - Self.lossMin) : 0
    }

    private func level(_ lag: Int) -> Float { played[(newest + lag) % Self.lags] }

    /// The lag at which the level heard follows the level played most closely.
    private var known: Int? {
        var best: Int?
        var least = Self.deviationMax
        for (index, lag) in lags.enumerated() where lag.halves >= Self.halvesMin && lag.deviation < least {
            best = index
            least = lag.deviation
        }
        return best
    }

    private mutating func learn(_ heard: Float, _ clear: Float) {
        for index in lags.indices {
            let level = level(index)
            guard level >= Self.soundingDecibels else { continue }
            let isDue = lags[index].halves > 0 && level + lags[index].gain >= clear
            if heard >= clear || isDue { lags[index].learn(heard - level) }
        }
        sounded += 1
        guard sounded > Float(Self.lags) else { return }
        // Silence is soon believed; something heard on a line that was silent is the caller.
        let isHeard = heard >= clear
        let weight = min(sounded - Float(Self.lags) + Self.returnsPrior, Self.returnsHalves)
        returns += ((isHeard ? 1 : 0) - returns) / (isHeard ? Self.returnsHalves : weight)
    }
}
