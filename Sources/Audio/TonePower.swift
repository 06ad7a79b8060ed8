import Glibc

/// How much of a window of samples is at given frequencies.
struct TonePower: Sendable {
    /// One frequency's part of a window.
    struct Part: Hashable, Sendable {
        var cosine: Double
        var sine: Double
        /// In the units of `energy`: a sine that fills the window has all of it.
        var power: Double { cosine * cosine + sine * sine }
        /// Radians, -pi...pi.
        var phase: Double { atan2(sine, cosine) }
    }

    let hertz: [Double]
    let windowSamples: Int
    private let cosines: [Float]
    private let sines: [Float]

    init(hertz: [Double], windowSamples: Int, rateHz: Double = 8000) {
        self.hertz = hertz
        self.windowSamples = windowSamples
        let scale = (2 / Double(windowSamples)).squareRoot()
        let angles = hertz.flatMap { hertz in
            (0..<windowSamples).map { 2 * Double.pi * hertz * Double($0) / rateHz }
        }
        cosines = angles.map { Float(scale * cos($0)) }
        sines = angles.map { Float(-scale * sin($0)) }
    }

    /// Samples summed side by side.
    private static let lanes = 8

    /// `window`: `windowSamples`, a multiple of 8, without a constant part.
    func part(_ index: Int, of window: [Float]) -> Part {
        var cosine = SIMD8<Float>()
        var sine = SIMD8<Float>()
        let first = index * windowSamples
        func eight(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> SIMD8<Float> {
            bytes.loadUnaligned(fromByteOffset: at * MemoryLayout<Float>.stride, as: SIMD8<Float>.self)
        }
        window.withUnsafeBytes { window in
            cosines.withUnsafeBytes { cosines in
                sines.withUnsafeBytes { sines in
                    for at in stride(from: 0, to: windowSamples, by: Self.lanes) {
                        let sound = eight(window, at)
                        cosine += sound * eight(cosines, first + at)
                        sine += sound * eight(sines, first + at)
                    }
                }
            }
        }
        return Part(cosine: Double(cosine.sum()), sine: Double(sine.sum()))
    }

    /// The power at any one frequency, in the units of `energy`. Source: the Goertzel algorithm.
    static func power(hertz: Double, of window: [Float], rateHz: Double = 8000) -> Double {
        let turn = 2 * cos(2 * Double.pi * hertz / rateHz)
        var last = 0.0
        var before = 0.0
        for sample in window { (last, before) = (Double(sample) + turn * last - before, last) }
        return (last * last + before * before - turn * last * before) * 2 / Double(window.count)
    }

    /// Sum of squares.
    static func energy(_ window: [Float]) -> Double { Double(window.reduce(0) { $0 + $1 * $1 }) }

    /// The energy that is left once the constant part is taken out, to rounding. `window`: a multiple of 8.
    static func energyCentred(_ window: [Float]) -> Double {
        var sums = SIMD8<Float>()
        var squares = SIMD8<Float>()
        window.withUnsafeBytes { window in
            for at in stride(from: 0, to: window.count, by: MemoryLayout<SIMD8<Float>>.stride) {
                let eight = window.loadUnaligned(fromByteOffset: at, as: SIMD8<Float>.self)
                sums += eight
                squares += eight * eight
            }
        }
        let sum = Double(sums.sum())
        return Double(squares.sum()) - sum * sum / Double(max(1, window.count))
    }

    /// Takes the constant part out.
    static func centre(_ window: inout [Float]) {
        let mean = window.reduce(0, +) / Float(max(1, window.count))
        for index in window.indices { window[index] -= mean }
    }
}
