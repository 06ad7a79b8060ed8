package import Audio

/// How loud each side of a recording is, column by column: what is drawn of it. Pure.
package struct Waveform: Hashable, Sendable {
    /// One column of the drawing.
    package static let columnMs = 32

    /// Largest sample of each column, 0...1 of the loudest in the recording (a very quiet one stays small).
    package private(set) var caller: [Double]
    package private(set) var agent: [Double]
    package private(set) var lengthMs: Int
    /// What counts as loud at least: 1/16 of full scale.
    private static let loudest: UInt16 = 2048

    /// Left is the caller, right the agent; of a mono recording both are the caller's.
    package init(_ sound: WAV.Sound) {
        let size = max(1, sound.rateHz * Self.columnMs / 1000)
        let left = Self.peaks(sound.channels.first ?? [], size)
        let right = Self.peaks(sound.channels.count > 1 ? sound.channels[1] : [], size)
        let top = Double(max(Self.loudest, left.max() ?? 0, right.max() ?? 0))
        caller = left.map { Double($0) / top }
        agent = right.map { Double($0) / top }
        lengthMs = (sound.channels.first?.count ?? 0) * 1000 / max(1, sound.rateHz)
    }

    private static func peaks(_ samples: [Int16], _ size: Int) -> [UInt16] {
        stride(from: 0, to: samples.count, by: size).map { start in
            samples[start..<min(start + size, samples.count)].reduce(0) { max($0, $1.magnitude) }
        }
    }
}
