/// `LossConcealment` for µ-law audio, 8 kHz: while nothing is lost it only keeps the last 50 ms.
package struct MuLawConcealment: Sendable {
    /// The newest last; at least what a gap is filled from, once there was so much.
    private var latest: [UInt8] = []
    /// From a gap to the frame after it.
    private var repair: LossConcealment?
    /// Bytes kept before the oldest are let go of, so that this is not done with every frame.
    private static let keptMax = 4 * LossConcealment.historySamples

    package init() {}

    /// Takes received audio. nil: it is to be heard as it came; else what is to be heard in its place.
    package mutating func received(_ audio: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        if latest.count + audio.count > Self.keptMax {
            latest.removeFirst(max(0, latest.count - LossConcealment.historySamples))
        }
        latest.append(contentsOf: audio)
        guard var repair else { return nil }
        self.repair = nil
        return MuLaw.encode(repair.received(MuLaw.decode(Array(audio))))
    }

    /// Audio for a gap of `count` samples.
    package mutating func lost(_ count: Int) -> [UInt8] {
        var repair = repair ?? heard()
        defer { self.repair = repair }
        return MuLaw.encode(repair.lost(count))
    }

    private func heard() -> LossConcealment {
        var repair = LossConcealment()
        _ = repair.received(MuLaw.decode(Array(latest.suffix(LossConcealment.historySamples))))
        return repair
    }
}
