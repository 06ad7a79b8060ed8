/// Puts the frames of a stream that is paced already in order, for media streams over WebSockets. Pure.
///
/// A frame in its place is passed on at once: a stream in order is not delayed at all. One that is too early is held
/// for those before it, `heldMax` frames at most and fewer where waiting has been in vain; one that comes again or after
/// its place was given up is dropped. Owns: order, how much audio is missing. Does not own: what fills a gap
/// (`MuLawConcealment`), evening out packets that come unevenly (`JitterBuffer`).
struct FrameOrder<Audio> {
    /// What the carrier says of a frame. Either may be missing.
    struct Place: Hashable, Sendable {
        /// Counts the frames of one track.
        var number: Int64?
        /// Of its first sample, milliseconds since the stream began.
        var timestampMs: Int64?
        var milliseconds: Int
        init(number: Int64?, timestampMs: Int64?, milliseconds: Int) {
            self.number = number
            self.timestampMs = timestampMs
            self.milliseconds = milliseconds
        }
    }

    enum Piece {
        case frame(Audio)
        /// So much is missing before the next frame.
        case lost(milliseconds: Int)
    }

    struct Counts: Hashable, Sendable {
        /// Filled in, milliseconds.
        var lostMs = 0
        /// Put right in time; came after their place was given up; came twice.
        var reordered = 0
        var late = 0
        var duplicated = 0

        /// All came, once and in order.
        var areWhole: Bool { self == Counts() }
    }

    private typealias Frame = (number: Int64, place: Place, audio: Audio)

    private(set) var counts = Counts()
    private var held: [Frame] = []
    /// Numbers that were given up, the newest last.
    private var givenUp: [Int64] = []
    /// Frames that are held for one that is missing.
    private var patience = FrameLimits.heldMax
    private var dueNumber: Int64?
    private var dueMs: Int64?
    private var lastMs: Int64?

    init() {}

    /// Frames held back.
    var depth: Int { held.count }

    /// What is to be heard now.
    mutating func take(_ place: Place, _ audio: Audio) -> [Piece] {
        let place = place.believed
        guard let number = place.number else { return isPast(place) ? [] : passed(place, audio) }
        guard let due = dueNumber, abs(number - due) <= FrameLimits.jumpMax else {
            let pieces = finish()
            dueNumber = number + 1
            return pieces + passed(place, audio)
        }
        if number == due {
            dueNumber = due + 1
            guard !held.isEmpty else { return passed(place, audio) }
            counts.reordered += 1
            patience = FrameLimits.heldMax
            return passed(place, audio) + follow()
        }
        guard number < due else {
            hold((number, place, audio))
            return held.count > patience ? skip() : []
        }
        return isNew(place) ? passed(place, audio) : forget(number)
    }

    /// All that is still held: the stream is over.
    mutating func finish() -> [Piece] {
        var pieces: [Piece] = []
        while !held.isEmpty { pieces += skip() }
        return pieces
    }

    private mutating func hold(_ frame: Frame) {
        let index = held.firstIndex { $0.number >= frame.number } ?? held.count
        guard index == held.count || held[index].number != frame.number else { return counts.duplicated += 1 }
        held.insert(frame, at: index)
    }

    /// Those held whose turn has come.
    private mutating func follow() -> [Piece] {
        var pieces: [Piece] = []
        while let first = held.first, first.number == dueNumber {
            held.removeFirst()
            dueNumber = first.number + 1
            pieces += passed(first.place, first.audio)
        }
        return pieces
    }

    /// What is due does not come: the first that is there is next.
    private mutating func skip() -> [Piece] {
        guard !held.isEmpty, let due = dueNumber else { return [] }
        let first = held.removeFirst()
        givenUp += (due..<first.number).suffix(FrameLimits.rememberedMax)
        givenUp.removeFirst(max(0, givenUp.count - FrameLimits.rememberedMax))
        patience = max(0, patience - 1)
        dueNumber = first.number + 1
        return passed(first.place, first.audio, afterFrames: first.number - due) + follow()
    }

    /// Its number was there before: it comes twice, or too late. Who waited too little waits longer.
    private mutating func forget(_ number: Int64) -> [Piece] {
        if let index = givenUp.lastIndex(of: number) {
            givenUp.remove(at: index)
            counts.late += 1
            patience = FrameLimits.heldMax
        } else {
            counts.duplicated += 1
        }
        return []
    }

    /// By its time, whatever its number says: a carrier that does not count right is heard all the same.
    private func isNew(_ place: Place) -> Bool {
        guard let time = place.timestampMs, let dueMs else { return false }
        return time > dueMs - Int64(FrameLimits.gapMinMs)
    }

    /// Without a number its time alone tells that it was there before.
    private mutating func isPast(_ place: Place) -> Bool {
        guard let lastMs, let time = place.timestampMs, time <= lastMs,
            time > lastMs - Int64(FrameLimits.gapMaxMs)
        else { return false }
        counts.duplicated += 1
        return true
    }

    /// With the audio that is missing before it, by its time, or where none is told by the numbers.
    private mutating func passed(_ place: Place, _ audio: Audio, afterFrames: Int64 = 0) -> [Piece] {
        let lasts = Int64(place.milliseconds)
        var missing = afterFrames * lasts
        if let time = place.timestampMs {
            missing = dueMs.map { time - $0 } ?? 0
            // Small steps back and forth are the carrier's rounding: the later time counts, so they cannot add up.
            let isRounding = missing < 0 && missing > -Int64(FrameLimits.gapMaxMs)
            dueMs = time + lasts - (isRounding ? missing : 0)
            lastMs = time
        } else {
            dueMs = dueMs.map { $0 + missing + lasts }
        }
        guard missing >= Int64(FrameLimits.gapMinMs) else { return [.frame(audio)] }
        let filled = Int(min(missing, Int64(FrameLimits.gapMaxMs)))
        counts.lostMs += filled
        return [.lost(milliseconds: filled), .frame(audio)]
    }
}

extension FrameOrder.Place {
    /// Without numbers that nobody can reckon with.
    fileprivate var believed: Self {
        func believed(_ value: Int64?) -> Int64? {
            value.flatMap { (0...FrameLimits.numberMax).contains($0) ? $0 : nil }
        }
        return Self(
            number: believed(number), timestampMs: believed(timestampMs), milliseconds: milliseconds)
    }
}

/// Limits of every `FrameOrder`.
enum FrameLimits {
    /// Frames held for one that is missing: 60 ms.
    static let heldMax = 3
    /// A number so far from what is due begins another stream.
    static let jumpMax: Int64 = 250
    /// Audio filled in for one gap; a longer one is cut to this.
    static let gapMaxMs = 1000
    /// Timestamps differ by less than this without a gap.
    static let gapMinMs = 20
    /// Frames and milliseconds beyond this are not believed.
    static let numberMax = Int64.max / 4
    /// Given-up numbers that are remembered.
    static let rememberedMax = 16
}
