import Glibc

/// How closely the echo is told in the agent's present run, and so how loud it can be at most.
///
/// Owns: how much louder the echo was than told, and, where the agent's voice rises and falls, how far it was off either way: in a
/// long vowel every lag close by tells the same.
struct EchoRun: Sendable {
    /// Halves of a run that must have been told before that counts, and over which the error is learned.
    static let halves = (min: 20, max: 50)
    /// The same of halves in which another lag would have told so much more, dB.
    static let edges = (min: 6, max: 30)
    static let edgeDecibels: Float = 6
    /// Mean error there from which the lag is not this run's, dB.
    static let edgeErrorMax: Float = 2.5
    /// An echo is louder than told by no more than so many mean errors upwards, and by so much at least, dB.
    static let errors: Float = 6
    static let marginMin: Float = 4
    /// With a wider margin nothing is known closely.
    static let marginMax: Float = 9
    /// A room rings: the echo falls by so much in each half at most, dB.
    static let fall: Float = 1.5

    /// The mean of the halves so far, then of the latest ones, dB.
    private struct Error {
        var count = 0
        var mean: Float = 0

        mutating func learn(_ off: Float, over most: Int) {
            count = min(count + 1, most)
            mean += (off - mean) / Float(count)
        }
    }

    private var all = Error()
    private var edges = Error()
    private var ringing: Float = 0

    /// The loudest that the echo can be in this half, dB; nil: not known.
    ///
    /// `told`: its level as the lag tells it, right to `spread`; `blurred`, `near`: the most that the lags next to it and those close
    /// by tell; `heard`: the line's. Nothing is learned while the caller speaks.
    mutating func most(
        _ told: Float, blurred: Float, near: Float, spread: Float, heard: Float, floor: Float, isSpeech: Bool
    ) -> Float? {
        ringing = max(blurred, ringing - Self.fall)
        let margin = max(Self.marginMin, spread, Self.errors * all.mean)
        let isKnown =
            all.count >= Self.halves.min && margin <= Self.marginMax
            && edges.count >= Self.edges.min && edges.mean <= Self.edgeErrorMax
        if !isSpeech {
            let least = floor + EchoLevel.clearDecibels
            all.learn(min(margin, max(0, heard - max(ringing, least))), over: Self.halves.max)
            if near >= max(least, told + Self.edgeDecibels) {
                edges.learn(
                    min(Self.marginMax, abs(max(heard, least) - max(told, least))), over: Self.edges.max)
            }
        }
        return isKnown ? ringing + margin : nil
    }
}
