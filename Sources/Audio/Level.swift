import Glibc

/// How loud a run of samples is.
package struct Level: Hashable, Sendable {
    /// Largest absolute sample, 0...32768.
    package var peak: Int
    /// Mean power without the constant part, in dB relative to one step of a 16-bit sample: 0...90.3.
    package var decibels: Double
    package init(peak: Int, decibels: Double) {
        self.peak = peak
        self.decibels = decibels
    }

    /// Of an empty run: silence.
    package init(of samples: UnsafeBufferPointer<Int16>) {
        var sums = LevelSums()
        sums.add(samples)
        self.init(peak: sums.peak, decibels: sums.decibels)
    }

    /// What is left of `all` without `part`, which is weaker; dB.
    static func difference(_ all: Double, _ part: Double) -> Double {
        10 * log10(pow(10, all / 10) - pow(10, part / 10) + 1)
    }

    package init(of samples: [Int16]) { self = samples.withUnsafeBufferPointer { Level(of: $0) } }
}

/// Running sums of a frame; exact integers, so the order of adding does not matter.
struct LevelSums {
    private(set) var count = 0
    private(set) var peak = 0
    private var sum: Int64 = 0
    private var squares: Int64 = 0

    @inline(__always)
    mutating func add(_ sample: Int16) {
        let value = Int64(sample)
        sum &+= value
        squares &+= value &* value
        peak = max(peak, Int(abs(value)))
        count &+= 1
    }

    /// The same as one by one, several at a time.
    mutating func add(_ samples: UnsafeBufferPointer<Int16>) {
        var (sum, squares, peak) = (Int64(0), Int64(0), Int32(0))
        for sample in samples {
            let value = Int32(sample)
            sum &+= Int64(value)
            squares &+= Int64(value &* value)
            peak = max(peak, abs(value))
        }
        self.sum &+= sum
        self.squares &+= squares
        self.peak = max(self.peak, Int(peak))
        count &+= samples.count
    }

    /// Variance in dB: a DC offset does not count as sound.
    var decibels: Double {
        guard count > 0 else { return 0 }
        let mean = Double(sum) / Double(count)
        let variance = max(0, Double(squares) / Double(count) - mean * mean)
        return 10 * log10(variance + 1)
    }
}
