import Foundation

/// Brings 16-bit speech of any rate to 8 kHz: windowed sinc, cut off below 4 kHz.
enum Resample {
    /// Zero crossings on each side of the kernel.
    private static let reach = 12.0

    static func toTelephone(_ samples: [Int16], sampleRate: Int) -> [Int16] {
        let target = MuLaw.sampleRateHz
        guard sampleRate != target, sampleRate > 0, !samples.isEmpty else { return samples }
        let step = Double(sampleRate) / Double(target)
        let cutoff = min(1, 1 / step) * 0.92
        let half = Int((reach / cutoff).rounded(.up))
        let count = Int(Double(samples.count) / step)
        return (0..<count).map { index in
            let center = Double(index) * step
            let first = max(0, Int(center) - half + 1)
            let last = min(samples.count - 1, Int(center) + half)
            guard first <= last else { return 0 }
            var sum = 0.0
            for at in first...last {
                sum += Double(samples[at]) * kernel(Double(at) - center, cutoff: cutoff, half: Double(half))
            }
            return Int16(max(-32_768, min(32_767, sum.rounded())))
        }
    }

    private static func kernel(_ x: Double, cutoff: Double, half: Double) -> Double {
        guard abs(x) < half else { return 0 }
        let window = 0.5 + 0.5 * cos(.pi * x / half)
        let angle = .pi * x * cutoff
        return cutoff * (abs(angle) < 1e-9 ? 1 : sin(angle) / angle) * window
    }
}
