import Glibc

/// How loud the agent's own voice comes back from the caller's end.
///
/// Owns: how late and how much weaker the echo is, learned while the agent sounds. The lag at which the level heard follows
/// the level played is the echo's; a caller who talks over the agent follows it at none. Until a lag is found, what comes
/// back is taken for an echo if something has come back for most of the time that the agent has sounded. Where the lag has told
/// a stretch of the agent's present run closely, a caller hardly louder than the echo is heard over it; a run may come back
/// a little sooner or later than the one before.
struct EchoLevel: Sendable {
    /// An echo comes back within so many halves of 10 ms.
    static let lags = 48
    /// A room smears, and a run may come a frame late: the loudest within so many lags counts.
    static let smear = 6
    /// And where the lag is sure of this run: a voice may rise in the middle of a half.
    static let blur = 1
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

    /// By half a half: see `PlayedLevels`.
    private var lags = [Lag](repeating: Lag(), count: PlayedLevels.count)
    private var played = PlayedLevels()
    /// Of the echo, once known.
    private var lag: Int?
    private var run = EchoRun()
    /// The echo may be heard in this half: it covers what is no louder.
    private(set) var isHeard = false
    /// Halves in which an echo could have come back, and the share of them in which something did.
    private var sounded: Float = 0
    private var returns: Float = 1

    /// How far the next 10 ms are over the line's floor, the agent's echo taken away, dB; 0 and less where all is echo.
    ///
    /// `heard`: their level, dB; `agent`: level of what is played now, nil when nothing is.
    mutating func over(_ heard: Double, floor: Double, agent: Double?, isSpeech: Bool) -> Double {
        played.add(Float(agent ?? 0))
        isHeard = false
        guard played.loudest >= Self.soundingDecibels else {
            run = EchoRun()
            return heard - floor
        }
        learn(Float(heard), Float(floor) + Self.clearDecibels)
        lag = known ?? lag.flatMap { lags[$0].deviation < Self.deviationLost ? $0 : nil }
        guard let lag else {
            let most = returns > Self.returnsShare ? played.loudest - Self.lossMin : 0
            return heard - max(floor, Double(most))
        }
        let near = loudest(around: lag, Self.smear)
        let (gain, spread) = (lags[lag].gain, Self.deviations * lags[lag].deviation)
        let most = run.most(
            played[lag] + gain, blurred: loudest(around: lag, Self.blur) + gain, near: near + gain,
            spread: spread, heard: Float(heard), floor: Float(floor), isSpeech: isSpeech)
        let bound = most ?? (near > 0 ? near + gain + spread : 0)
        isHeard = bound > Float(floor) + Self.clearDecibels
        guard let most else { return heard - max(floor, Double(bound)) }
        guard Float(heard) > most else { return min(0, heard - floor) }
        return Level.difference(heard, Double(most)) - floor
    }

    private func loudest(around lag: Int, _ near: Int) -> Float {
        (max(0, lag - near)...min(lags.count - 1, lag + near)).map { played[$0] }.max() ?? 0
    }

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
            let level = played[index]
            guard level >= Self.soundingDecibels else { continue }
            let isDue = lags[index].halves > 0 && level + lags[index].gain >= clear
            if heard >= clear || isDue { lags[index].learn(heard - level) }
        }
        sounded += 1
        guard sounded > Float(Self.lags) else { return }
        // Silence is soon believed; something heard on a line that was silent is the caller.
        let hasReturned = heard >= clear
        let weight = min(sounded - Float(Self.lags) + Self.returnsPrior, Self.returnsHalves)
        returns += ((hasReturned ? 1 : 0) - returns) / (hasReturned ? Self.returnsHalves : weight)
    }
}

/// Levels of the halves played lately, and between each and the one before: an echo is late by any number of samples. dB.
struct PlayedLevels: Sendable {
    static let count = 2 * EchoLevel.lags

    private var levels = [Float](repeating: 0, count: count)
    private var newest = 0

    var loudest: Float { levels.max() ?? 0 }
    /// Of what was played so many halves of a half ago.
    subscript(lag: Int) -> Float { levels[(newest + lag) % Self.count] }

    mutating func add(_ level: Float) {
        let between = 10 * log10f((powf(10, level / 10) + powf(10, self[0] / 10)) / 2)
        newest = (newest + Self.count - 2) % Self.count
        levels[newest] = level
        levels[newest + 1] = between
    }
}
