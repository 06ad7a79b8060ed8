/// `LossConcealment` for µ-law audio, 8 kHz: while nothing is lost it only keeps the last 50 ms.
package struct MuLawConcealment: Sendable {
    private var latest: [UInt8] = []
    /// From a gap to the frame after it.
    private var repair: LossConcealment?

    package init() {}

    /// Takes received audio. nil: it is to be heard as it came; else what is to be heard in its place.
    package mutating func received(_ audio: some Collection<UInt8>) -> [UInt8]? {
        latest += audio.suffix(LossConcealment.historySamples)
        latest.removeFirst(max(0, latest.count - LossConcealment.historySamples))
        guard var repair else { return nil }
        self.repair = nil
        return MuLaw.encode(repair.received(audio.map { MuLaw.decode($0) }))
    }

    /// Audio for a gap of `count` samples.
    package mutating func lost(_ count: Int) -> [UInt8] {
        var repair = repair ?? heard()
        defer { self.repair = repair }
        return MuLaw.encode(repair.lost(count))
    }

    private func heard() -> LossConcealment {
        var repair = LossConcealment()
        _ = repair.received(MuLaw.decode(latest))
        return repair
    }
}
