/// Fills gaps in received audio with what came before them: 8 kHz, mono.
///
/// A gap is filled by repeating the last periods of the voice, 15 ms of them, unchanged for 10 ms, then fading to silence
/// at 60 ms; where audio comes back, both are blended.
/// Source: the method of ITU-T G.711 Appendix I, without its delay.
package struct LossConcealment: Sendable {
    /// The voice's period: 66 to 200 Hz.
    static let lagMin = 40
    static let lagMax = 120
    /// Compared to find the period.
    static let matchSamples = 160
    /// Whole periods of at least so much are repeated: one alone would buzz.
    static let stretchSamples = 120
    static let historySamples = 2 * stretchSamples + matchSamples
    static let stepSamples = 80
    /// Lost each 10 ms after the first.
    static let fade: Float = 0.2
    /// Blended at the seams, at most.
    static let seamSamples = 32

    /// The newest last.
    private var history = [Float](repeating: 0, count: historySamples)
    private var lag = lagMax
    /// Samples made since audio was last received; 0 while it comes.
    private var made = 0

    package init() {}

    /// Takes received audio and returns it, its beginning blended with what filled the gap before it.
    package mutating func received(_ samples: [Int16]) -> [Int16] {
        var samples = samples
        if made > 0 {
            // The longer the gap, the less the two fit: 4 ms, and up to 10 more.
            let seam = min(samples.count, Self.seamSamples + min(80, made / 10))
            let filling = make(seam)
            for index in 0..<seam {
                let share = Float(index + 1) / Float(seam + 1)
                samples[index] = Int16(
                    clamping: Int(filling[index] * (1 - share) + Float(samples[index]) * share))
            }
            made = 0
        }
        remember(samples.map { Float($0) })
        return samples
    }

    /// Audio for a gap of `count` samples.
    package mutating func lost(_ count: Int) -> [Int16] {
        if made == 0 { lag = period() }
        let filling = make(count)
        return filling.map { Int16(clamping: Int($0.rounded())) }
    }

    /// `history` stays as it was when audio was last received; `made` says where in the repetition this begins.
    private mutating func make(_ count: Int) -> [Float] {
        let out = (made..<(made + count)).map { sample(at: $0) * gain(at: $0) }
        made += count
        return out
    }

    private func sample(at index: Int) -> Float {
        let length = (Self.stretchSamples + lag - 1) / lag * lag
        let start = Self.historySamples - length
        let place = index % length
        let value = history[start + place]
        // The stretch's end flows into its beginning: blended with what came before the beginning.
        let seam = min(Self.seamSamples, lag / 4)
        let left = length - place
        guard left <= seam else { return value }
        let share = Float(left) / Float(seam + 1)
        return value * share + history[start - left] * (1 - share)
    }

    private func gain(at index: Int) -> Float {
        max(0, 1 - Self.fade * Float(max(0, index - Self.stepSamples)) / Float(Self.stepSamples))
    }

    private mutating func remember(_ samples: [Float]) {
        history.append(contentsOf: samples)
        history.removeFirst(history.count - Self.historySamples)
    }

    /// The lag at which the last 20 ms are most like what came before.
    private func period() -> Int {
        let first = Self.historySamples - Self.matchSamples
        var best = (lag: Self.lagMax, likeness: -Float.infinity)
        for lag in Self.lagMin...Self.lagMax {
            var product: Float = 0
            var energy: Float = 1
            for index in first..<Self.historySamples {
                product += history[index] * history[index - lag]
                energy += history[index - lag] * history[index - lag]
            }
            let likeness = product / energy.squareRoot()
            if likeness > best.likeness { best = (lag, likeness) }
        }
        return best.lag
    }
}
