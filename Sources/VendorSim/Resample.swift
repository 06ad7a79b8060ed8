import Foundation

/// Brings 16-bit speech of any rate to 8 kHz: windowed sinc, cut off below 4 kHz.
enum Resample {
    /// Zero crossings on each side of the kernel.
    private static let reach = 8.0
    /// Of the lower of the two Nyquist frequencies.
    private static let passband = 0.92

    static func toTelephone(_ samples: [Int16], sampleRate: Int) -> [Int16] {
        let target = MuLaw.sampleRateHz
        guard sampleRate != target, sampleRate > 0, !samples.isEmpty else { return samples }
        let phases = target / greatestCommonDivisor(sampleRate, target)
        let taps = kernels(phases: phases, sampleRate: sampleRate)
        let half = taps[0].count / 2
        let padding = [Float](repeating: 0, count: half)
        let padded = padding + samples.map(Float.init) + padding
        let count = samples.count * target / sampleRate
        return (0..<count).map { index in
            let start = index * sampleRate / target
            let sum = dot(padded, from: start + 1, taps[index % phases])
            return Int16(max(-32_768, min(32_767, sum.rounded())))
        }
    }

    private static func dot(_ samples: [Float], from start: Int, _ taps: [Float]) -> Float {
        samples.withUnsafeBufferPointer { samples in
            taps.withUnsafeBufferPointer { taps in
                var sum: Float = 0
                var at = 0
                while at < taps.count, start + at < samples.count {
                    sum += samples[start + at] * taps[at]
                    at += 1
                }
                return sum
            }
        }
    }

    /// One set of taps for each place an output sample can have between two input samples.
    private static func kernels(phases: Int, sampleRate: Int) -> [[Float]] {
        let step = Double(sampleRate) / Double(MuLaw.sampleRateHz)
        let cutoff = min(1, 1 / step) * passband
        let half = Int((reach / cutoff).rounded(.up))
        return (0..<phases).map { phase in
            let place = Double(phase) * step
            let fraction = place - place.rounded(.down)
            return (1 - half...half).map {
                Float(kernel(Double($0) - fraction, cutoff: cutoff, half: Double(half)))
            }
        }
    }

    private static func kernel(_ x: Double, cutoff: Double, half: Double) -> Double {
        guard abs(x) < half else { return 0 }
        let window = 0.5 + 0.5 * cos(.pi * x / half)
        let angle = .pi * x * cutoff
        return cutoff * (abs(angle) < 1e-9 ? 1 : sin(angle) / angle) * window
    }

    private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
        b == 0 ? a : greatestCommonDivisor(b, a % b)
    }
}
