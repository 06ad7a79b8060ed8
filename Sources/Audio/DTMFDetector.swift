import Glibc

/// Hears keypad digits in 8 kHz audio.
///
/// A digit is two tones that are nearly all there is, in two windows 10 ms apart, each within 2.5% of its frequency,
/// neither much louder than the other. So tones of 40 ms are always found and those of 20 ms never.
/// Source: ITU-T Q.23 (frequencies), Q.24 (tolerances: accept 1.5%, refuse 3.5%, 40 ms, breaks of 10 ms; twist), RFC 4733.
package struct DTMFDetector: Sendable {
    static let rows = [697.0, 770, 852, 941]
    static let columns = [1209.0, 1336, 1477, 1633]
    static let digits: [Character] = Array("123A456B789C*0#D")
    /// Share of the energy that both tones have. Speech and music seldom reach it with these two.
    static let purityMin = 0.85
    /// Between the 1.5% to be accepted and the 3.5% to be refused.
    static let deviationMax = 0.025
    /// dB that either tone may be over the other.
    static let twistMax = 8.0
    /// And of a digit that sounds already: one at the limit is not told twice.
    static let heldTwistMax = 11.0
    /// Windows of one tone are alike in energy; a tone that fills half of one has half.
    static let steadinessMin = 0.7
    /// Each tone is at least so loud, in dB of a 16-bit step: about -36 dBm0.
    static let decibelsMin = 48.0
    /// Steps without the digit before it may come again: breaks of 10 ms do not split it, pauses of 40 ms do.
    static let releaseSteps = 4
    static let windowSamples = 160
    static let stepSamples = 80

    /// A sine's power is its energy over the window; two tones have this at least.
    private static let energyMin = 2 * Double(windowSamples) * pow(10, decibelsMin / 10)

    private static let power = TonePower(hertz: rows + columns, windowSamples: windowSamples)

    private struct Pair: Hashable { var row: Int, column: Int }
    private struct Seen { var pair: Pair, row: TonePower.Part, column: TonePower.Part, energy: Double }

    private var window = [Float](repeating: 0, count: windowSamples)
    private var filled = 0
    private var last: Seen?
    private var held: Pair?
    private var missing = 0

    package init() {}

    /// The last digit still sounds, or has for the last 40 ms.
    package var isHolding: Bool { held != nil }

    /// Takes any number of samples; `tell` is called once for each digit pressed: 0...9, *, #, A...D.
    package mutating func hear(_ samples: UnsafeBufferPointer<Int16>, tell: (Character) -> Void) {
        var rest = samples[...]
        while !rest.isEmpty {
            let count = min(rest.count, Self.stepSamples - filled)
            let start = Self.windowSamples - Self.stepSamples + filled
            window.withUnsafeMutableBufferPointer { window in
                for (index, sample) in rest.prefix(count).enumerated() {
                    window[start + index] = Float(sample)
                }
            }
            rest = rest.dropFirst(count)
            filled += count
            guard filled == Self.stepSamples else { continue }
            filled = 0
            step(tell)
            window.withUnsafeMutableBufferPointer { window in
                for index in 0..<(Self.windowSamples - Self.stepSamples) {
                    window[index] = window[index + Self.stepSamples]
                }
            }
        }
    }

    private mutating func step(_ tell: (Character) -> Void) {
        let seen = look()
        defer { last = seen }
        guard let seen, let last, last.pair == seen.pair, Self.isPure(seen, after: last) else {
            missing += 1
            if missing >= Self.releaseSteps { held = nil }
            return
        }
        missing = 0
        guard held != seen.pair else { return }
        held = seen.pair
        tell(Self.digits[seen.pair.row * 4 + seen.pair.column])
    }

    /// The digit's tones in this window.
    private func look() -> Seen? {
        guard TonePower.energyCentred(window) >= Self.energyMin else { return nil }
        var centred = window
        TonePower.centre(&centred)
        let energy = TonePower.energy(centred)
        let parts = (0..<8).map { Self.power.part($0, of: centred) }
        guard let row = strongest(parts, 0..<4), let column = strongest(parts, 4..<8) else { return nil }
        let pair = Pair(row: row, column: column - 4)
        let twistMax = held == pair ? Self.heldTwistMax : Self.twistMax
        guard abs(10 * log10(parts[column].power / max(parts[row].power, 1e-9))) <= twistMax else {
            return nil
        }
        return Seen(
            pair: pair, row: parts[row], column: parts[column], energy: energy)
    }

    /// The strongest of a group, when it is clearly that.
    private func strongest(_ parts: [TonePower.Part], _ group: Range<Int>) -> Int? {
        let order = group.sorted { parts[$0].power > parts[$1].power }
        return parts[order[0]].power >= 4 * parts[order[1]].power ? order[0] : nil
    }

    /// Both tones are at their frequencies, and little else sounds.
    private static func isPure(_ now: Seen, after before: Seen) -> Bool {
        guard now.energy >= steadinessMin * before.energy, before.energy >= steadinessMin * now.energy else {
            return false
        }
        let row = rows[now.pair.row]
        let column = columns[now.pair.column]
        let rowOff = deviation(from: row, before.row, now.row)
        let columnOff = deviation(from: column, before.column, now.column)
        guard abs(rowOff) <= deviationMax * row, abs(columnOff) <= deviationMax * column else { return false }
        let tones = now.row.power / response(rowOff) + now.column.power / response(columnOff)
        return tones >= purityMin * now.energy
    }

    /// How far a tone is from `hertz`, by how its phase moved in a step.
    private static func deviation(from hertz: Double, _ before: TonePower.Part, _ now: TonePower.Part)
        -> Double
    {
        let seconds = Double(stepSamples) / 8000
        let turns = (now.phase - before.phase) / (2 * Double.pi) - hertz * seconds
        return (turns - turns.rounded()) / seconds
    }

    /// What the window leaves of the power of a tone so many hertz off.
    private static func response(_ hertz: Double) -> Double {
        let x = Double.pi * hertz * Double(windowSamples) / 8000
        return abs(x) < 1e-6 ? 1 : (sin(x) / x) * (sin(x) / x)
    }
}
