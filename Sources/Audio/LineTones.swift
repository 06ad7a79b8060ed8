package import Base
import Glibc

/// Hears the tones of telephone networks, fax machines and answering machines in 8 kHz audio.
///
/// Owns: which tone a 50 ms block holds, and the rhythms that give tones their meaning. Keypad digits: `DTMFDetector`.
/// Source: ITU-T E.180 and its supplement (national tones: 425 Hz, 440+480, 480+620, 400+450 and their cadences),
/// ITU-T T.30 (CNG 1100 Hz, CED 2100 Hz).
package struct LineTones: Sendable {
    /// What one block sounds like.
    private enum Kind: Hashable { case quiet, ring, busy, calling, answering, single(hertz: Int), other }

    static let blockSamples = 400
    static let blockMs = 50
    /// A block below this is quiet, in dB of a 16-bit step: about -40 dBm0.
    static let decibelsMin = 44.0
    /// Share of a block's energy that its tones have.
    static let purityMin = 0.7
    /// The lesser of two tones has at least this share.
    static let pairMin = 0.15
    /// Cadences, in ms: fast is reorder, slow is busy; two alike in a row tell.
    static let fastMs = 100...300
    static let slowMs = 301...700
    static let cyclesNeeded = 2
    /// A ring, and the quiet after it.
    static let ringMs = 350...2500
    static let ringPauseMs = 1000
    static let faxCallingMs = 400
    static let faxAnsweringMs = 500
    static let beepMs = 100...2000
    /// Quiet after a beep, so that a note of music is none.
    static let beepPauseMs = 100
    /// A beep is one frequency of these, and keeps within so much of it.
    static let beepHertz = 300...2500
    static let beepDriftHertz = 30

    /// Bins 20 Hz apart hold all of a window's energy between them: none is counted twice.
    private static let low = Array(stride(from: 380.0, through: 500, by: 20))
    private static let high = [600.0, 620, 640]
    private static let power = TonePower(
        hertz: low + high + [1080, 1100, 1120] + [2080, 2100, 2120], windowSamples: blockSamples)

    private static let energyMin = Double(blockSamples) * pow(10, decibelsMin / 10)

    private struct Run { var kind = Kind.quiet, ms = 0 }

    private var window = [Float](repeating: 0, count: blockSamples)
    private var filled = 0
    private var run = Run()
    private var before = Run()
    /// Tone and pause lengths of the cadence so far.
    private var cycles = 0
    private var isFast = false
    private var hasTold = false

    package init() {}

    /// Takes any number of samples; `tell` is called once for each tone that is recognised.
    package mutating func hear(_ samples: UnsafeBufferPointer<Int16>, tell: (LineTone) -> Void) {
        var rest = samples[...]
        while !rest.isEmpty {
            let count = min(rest.count, Self.blockSamples - filled)
            window.withUnsafeMutableBufferPointer { [filled] window in
                for (index, sample) in rest.prefix(count).enumerated() {
                    window[filled + index] = Float(sample)
                }
            }
            rest = rest.dropFirst(count)
            filled += count
            guard filled == Self.blockSamples else { continue }
            filled = 0
            TonePower.centre(&window)
            advance(Self.kind(of: window), tell)
        }
    }

    private mutating func advance(_ kind: Kind, _ tell: (LineTone) -> Void) {
        if !Self.isSame(kind, run.kind) {
            endRun(tell)
            before = run
            run = Run(kind: kind)
            hasTold = false
        }
        run.ms += Self.blockMs
        if !hasTold, let tone = toneWhileItLasts() {
            hasTold = true
            tell(tone)
        }
    }

    /// What is clear before the run has ended.
    private func toneWhileItLasts() -> LineTone? {
        switch run.kind {
        case .calling: run.ms >= Self.faxCallingMs ? .faxCalling : nil
        case .answering: run.ms >= Self.faxAnsweringMs ? .faxAnswering : nil
        case .quiet:
            switch before.kind {
            case .ring where Self.ringMs.contains(before.ms) && run.ms >= Self.ringPauseMs: .ringback
            case .single where Self.beepMs.contains(before.ms) && run.ms >= Self.beepPauseMs: .beep
            default: nil
            }
        default: nil
        }
    }

    /// Counts the cycles of a cadence: a tone and the pause after it, both of a length.
    private mutating func endRun(_ tell: (LineTone) -> Void) {
        guard run.kind == .quiet else {
            if run.kind != .ring && run.kind != .busy { cycles = 0 }
            return
        }
        let lengths = [before.ms, run.ms]
        let isCycle = before.kind == .ring || before.kind == .busy
        let fast = lengths.allSatisfy(Self.fastMs.contains)
        guard isCycle, fast || lengths.allSatisfy(Self.slowMs.contains) else { return cycles = 0 }
        cycles = cycles > 0 && fast == isFast ? cycles + 1 : 1
        isFast = fast
        if cycles == Self.cyclesNeeded { tell(fast ? .reorder : .busy) }
    }

    private static func isSame(_ one: Kind, _ other: Kind) -> Bool {
        if case .single(let a) = one, case .single(let b) = other { return abs(a - b) <= beepDriftHertz }
        return one == other
    }
}

/// One block.
extension LineTones {
    private static func kind(of window: [Float]) -> Kind {
        let energy = TonePower.energy(window)
        guard energy >= energyMin else { return .quiet }
        let shares = power.hertz.indices.map { power.part($0, of: window).power / energy }
        let lowShare = shares[0..<low.count].reduce(0, +)
        let highShare = shares[low.count..<low.count + high.count].reduce(0, +)
        let calling = shares[(low.count + 3)..<(low.count + 6)].reduce(0, +)
        let answering = shares[(low.count + 6)...].reduce(0, +)
        if lowShare + highShare >= purityMin, lowShare >= pairMin, highShare >= pairMin { return .busy }
        if lowShare >= purityMin { return .ring }
        if calling >= purityMin { return .calling }
        if answering >= purityMin { return .answering }
        if let hertz = singleTone(window, energy: energy) { return .single(hertz: hertz) }
        return .other
    }

    /// The frequency of a block that is one sine and nothing else.
    ///
    /// A sine keeps x[n-1] + x[n+1] = 2 cos(w) x[n]; the best cosine is found by least squares.
    private static func singleTone(_ window: [Float], energy: Double) -> Int? {
        var product = 0.0
        var square = 0.0
        for index in 1..<(window.count - 1) {
            let sides = Double(window[index - 1] + window[index + 1])
            product += sides * Double(window[index])
            square += Double(window[index]) * Double(window[index])
        }
        guard square > 0, abs(product / square) < 2 else { return nil }
        let hertz = acos(product / square / 2) * 8000 / (2 * Double.pi)
        guard beepHertz.contains(Int(hertz)) else { return nil }
        return TonePower.power(hertz: hertz, of: window) >= purityMin * energy ? Int(hertz) : nil
    }
}
