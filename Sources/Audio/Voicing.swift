/// How much of a sound is a pitch: what a voice has and a cough, a breath or a hiss has not.
enum Voicing {
    /// Periods of a voice in samples at 8 kHz: 80 to 400 Hz.
    static let periods = 20...100
    /// 20 ms: the first period of a voice after a hiss outweighs the hiss.
    static let samples = 160

    /// The largest normalised correlation of `samples` with themselves a period later: 0 for noise, towards 1 for a vowel.
    static func strength(of samples: UnsafeBufferPointer<Float>) -> Float {
        let mean = samples.reduce(0, +) / Float(max(1, samples.count))
        var best: Float = 0
        for period in periods where period < samples.count {
            var product: Float = 0
            var early: Float = 0
            var late: Float = 0
            for index in 0..<(samples.count - period) {
                let (a, b) = (samples[index] - mean, samples[index + period] - mean)
                product += a * b
                early += a * a
                late += b * b
            }
            guard early > 0, late > 0 else { continue }
            best = max(best, product / (early * late).squareRoot())
        }
        return best
    }
}
