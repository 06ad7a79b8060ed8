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

    /// `window`: `windowSamples` without a constant part.
    func part(_ index: Int, of window: [Float]) -> Part {
        var cosine: Float = 0
        var sine: Float = 0
        let first = index * windowSamples
        for sample in 0..<windowSamples {
            cosine += window[sample] * cosines[first + sample]
            sine += window[sample] * sines[first + sample]
        }
        return Part(cosine: Double(cosine), sine: Double(sine))
    }

    /// Sum of squares.
    static func energy(_ window: [Float]) -> Double { Double(window.reduce(0) { $0 + $1 * $1 }) }

    /// Takes the constant part out.
    static func centre(_ window: inout [Float]) {
        let mean = window.reduce(0, +) / Float(max(1, window.count))
        for index in window.indices { window[index] -= mean }
    }
}
