package import NIOCore

/// Lays two µ-law streams on one timeline: left the caller, right the agent as heard. Pure.
///
/// Positions are samples at 8 kHz since the recording began. What is older than `settleSamples` is given out and can
/// no longer change; where nothing was placed there is silence. Pieces are moved whole: this runs on the event loop.
package struct StereoTimeline: Sendable {
    /// Audio may come this late and still find its place: 0.5 s. What a process that dies has not written is this
    /// and no more than `Recorder.settleEvery`.
    package static let settleSamples = 4000
    /// A piece that begins this close to the end of the one before continues it: clocks and marks jitter. 80 ms.
    package static let joinSamples = 640
    /// A stream may lead the clock by so much after a stall; what leads it further is dropped. 5 s.
    package static let leadSamples = 40_000
    private static let silence: UInt8 = 0xFF

    /// One settled stretch: as many bytes on each side.
    package struct Piece: Sendable {
        package var left: [UInt8]
        package var right: [UInt8]
    }

    private struct Side {
        /// µ-law from the timeline's `base` on.
        var bytes: [UInt8] = []
        /// Position behind the last piece placed.
        var end = 0
    }

    private var left = Side()
    private var right = Side()
    private var base = 0

    package init() {}

    /// Caller's audio that ended at `end`.
    package mutating func placeLeft(_ audio: ByteBufferView, endingAt end: Int) {
        Self.place(audio, on: &left, base: base, endingAt: end)
    }

    /// Agent's audio that was heard up to `end`.
    package mutating func placeRight(_ audio: ByteBufferView, endingAt end: Int) {
        Self.place(audio, on: &right, base: base, endingAt: end)
    }

    private static func place(_ audio: ByteBufferView, on side: inout Side, base: Int, endingAt end: Int) {
        var start = end - audio.count
        let last = max(side.end, base)
        if start < last || start - last <= joinSamples { start = last }
        guard start <= end + leadSamples else { return }
        let at = start - base
        if at > side.bytes.count {
            side.bytes.append(contentsOf: repeatElement(silence, count: at - side.bytes.count))
        }
        // Nothing lies behind `last`, so the piece always goes to the end.
        audio.withUnsafeBytes { side.bytes.append(contentsOf: $0) }
        side.end = start + audio.count
    }

    /// Takes out what has settled at `now`; nil when nothing has.
    package mutating func settle(at now: Int) -> Piece? { take(upTo: now - Self.settleSamples) }

    /// Takes out all that is left, up to `now` at least.
    package mutating func finish(at now: Int) -> Piece? {
        take(upTo: max(now, base + max(left.bytes.count, right.bytes.count)))
    }

    private mutating func take(upTo end: Int) -> Piece? {
        guard end > base else { return nil }
        let piece = Piece(left: Self.take(end - base, of: &left), right: Self.take(end - base, of: &right))
        base = end
        return piece
    }

    private static func take(_ count: Int, of side: inout Side) -> [UInt8] {
        var taken = Array(side.bytes.prefix(count))
        side.bytes.removeFirst(taken.count)
        taken.append(contentsOf: repeatElement(silence, count: count - taken.count))
        return taken
    }
}
