import Glibc

/// Changes the sample rate of a stream of mono Int16 by a rational factor with a windowed-sinc polyphase
/// filter.
///
/// Flat to about 0.42 of the lower rate, aliases at least 60 dB down. Delay: half the filter, under 3 ms.
/// Source: A. Oppenheim, R. Schafer, "Discrete-time signal processing", multirate chapter; Kaiser window.
package struct Resampler: Sendable {
    /// Coefficients for one pair of rates: immutable and shared by all streams of that pair.
    package struct Filter: Sendable {
        package let fromHz: Int
        package let toHz: Int
        let up: Int
        let down: Int
        /// Taps of one phase; `phases` holds `up` runs of this many, newest sample last.
        let taps: Int
        let phases: [Float]

        /// Both rates 1000...192000 Hz. Traps outside: rates come from code, not from input.
        package init(from fromHz: Int, to toHz: Int) {
            precondition((1000...192_000).contains(fromHz) && (1000...192_000).contains(toHz))
            let divisor = Self.greatestCommonDivisor(fromHz, toHz)
            self.fromHz = fromHz
            self.toHz = toHz
            up = toHz / divisor
            down = fromHz / divisor
            let narrowing = max(1, Double(fromHz) / Double(toHz))
            taps = Int((24 * narrowing).rounded(.up))
            phases = Self.design(up: up, taps: taps, cutoff: 0.46 / narrowing)
        }

        package static let from16000 = Filter(from: 16_000, to: 8000)
        package static let from22050 = Filter(from: 22_050, to: 8000)

        private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
            b == 0 ? a : greatestCommonDivisor(b, a % b)
        }

        /// `cutoff` in cycles per input sample. Each phase is scaled to pass a constant unchanged.
        private static func design(up: Int, taps: Int, cutoff: Double) -> [Float] {
            let beta = 6.5
            let centre = Double(taps) / 2
            var phases = [Float](repeating: 0, count: up * taps)
            for phase in 0..<up {
                var row = [Double](repeating: 0, count: taps)
                for tap in 0..<taps {
                    // Distance, in input samples, of this tap's sample from the output sample.
                    let x = Double(taps - 1 - tap) + Double(phase) / Double(up) - centre + 0.5
                    let edge = x / centre
                    guard abs(edge) < 1 else { continue }
                    let angle = 2 * Double.pi * cutoff * x
                    let sinc = x == 0 ? 2 * cutoff : sin(angle) / (Double.pi * x)
                    row[tap] = sinc * bessel(beta * (1 - edge * edge).squareRoot()) / bessel(beta)
                }
                let gain = row.reduce(0, +)
                for tap in 0..<taps { phases[phase * taps + tap] = Float(row[tap] / gain) }
            }
            return phases
        }

        /// Modified Bessel function of order zero, by its series.
        private static func bessel(_ x: Double) -> Double {
            var term = 1.0
            var sum = 1.0
            for k in 1...24 {
                term *= (x / 2 / Double(k)) * (x / 2 / Double(k))
                sum += term
            }
            return sum
        }
    }

    private let filter: Filter
    /// The last `taps - 1` samples, then whatever has come since.
    private var history: [Float]
    /// Output position within the input, in 1/`up` input samples, relative to the first new sample.
    private var position = 0

    package init(_ filter: Filter) {
        self.filter = filter
        history = [Float](repeating: 0, count: filter.taps - 1)
    }

    package init(from fromHz: Int, to toHz: Int) {
        switch (fromHz, toHz) {
        case (16_000, 8000): self.init(.from16000)
        case (22_050, 8000): self.init(.from22050)
        default: self.init(Filter(from: fromHz, to: toHz))
        }
    }

    /// Appends what can be made from `input` to `output`. Allocates only when a buffer must grow.
    package mutating func process(_ input: UnsafeBufferPointer<Int16>, into output: inout [Int16]) {
        if filter.up == filter.down {
            output.append(contentsOf: input)
            return
        }
        history.reserveCapacity(filter.taps - 1 + input.count)
        for sample in input { history.append(Float(sample)) }
        let taps = filter.taps
        let end = input.count * filter.up
        history.withUnsafeBufferPointer { samples in
            filter.phases.withUnsafeBufferPointer { phases in
                while position < end {
                    let first = position / filter.up
                    let row = (position % filter.up) * taps
                    var sum: Float = 0
                    for tap in 0..<taps { sum += samples[first + tap] * phases[row + tap] }
                    output.append(Int16(max(-32768, min(32767, sum.rounded()))))
                    position += filter.down
                }
            }
        }
        position -= end
        history.removeFirst(input.count)
    }

    package mutating func process(_ input: [Int16]) -> [Int16] {
        var output: [Int16] = []
        output.reserveCapacity(input.count * filter.up / filter.down + 1)
        input.withUnsafeBufferPointer { process($0, into: &output) }
        return output
    }

    /// The tail that is still inside the filter; the stream starts anew afterwards.
    package mutating func finish() -> [Int16] {
        guard filter.up != filter.down else { return [] }
        let tail = process([Int16](repeating: 0, count: filter.taps / 2))
        history = [Float](repeating: 0, count: filter.taps - 1)
        position = 0
        return tail
    }
}
