package import NIOCore

/// Lays two mono streams on one timeline: left the caller, right the agent as heard. Pure.
///
/// Positions are samples at 8 kHz since the recording began. What is older than `settleSamples` is given out and can
/// no longer change; where nothing was placed there is silence.
package struct StereoTimeline: Sendable {
    /// Audio may come this late and still find its place: 1.5 s.
    package static let settleSamples = 12_000
    /// A piece that begins this close to the end of the one before continues it: clocks and marks jitter. 80 ms.
    package static let joinSamples = 640
    /// One sample of silence.
    private static let silence: Int16 = 0

    /// Interleaved left, right, from sample `base` on.
    private var frames: [Int16] = []
    private var base = 0
    private var ends = (left: 0, right: 0)

    package init() {}

    /// Samples given out and waiting, per channel.
    package var length: Int { base + frames.count / 2 }

    /// Caller's audio that ended at `end`.
    package mutating func placeLeft(_ samples: some Collection<Int16>, endingAt end: Int) {
        ends.left = place(samples, channel: 0, after: ends.left, endingAt: end)
    }

    /// Agent's audio that was heard up to `end`.
    package mutating func placeRight(_ samples: some Collection<Int16>, endingAt end: Int) {
        ends.right = place(samples, channel: 1, after: ends.right, endingAt: end)
    }

    private mutating func place(
        _ samples: some Collection<Int16>, channel: Int, after last: Int, endingAt end: Int
    ) -> Int {
        var start = end - samples.count
        if start < last || start - last <= Self.joinSamples { start = last }
        // A stream that runs ahead of the clock (a burst after a stall) may lead it by no more than it can settle.
        guard start <= end + Self.settleSamples else { return last }
        var at = start
        if start + samples.count > length { extend(to: start + samples.count) }
        for sample in samples {
            if at >= base { frames[(at - base) * 2 + channel] = sample }
            at += 1
        }
        return at
    }

    private mutating func extend(to end: Int) {
        frames.append(contentsOf: repeatElement(Self.silence, count: (end - length) * 2))
    }

    /// Appends what has settled at `now` to `buffer` as little-endian interleaved PCM16.
    package mutating func settle(at now: Int, into buffer: inout ByteBuffer) {
        give(upTo: now - Self.settleSamples, into: &buffer)
    }

    /// Appends all that is left, up to `now` at least.
    package mutating func finish(at now: Int, into buffer: inout ByteBuffer) {
        give(upTo: max(now, length), into: &buffer)
    }

    private mutating func give(upTo end: Int, into buffer: inout ByteBuffer) {
        guard end > base else { return }
        if end > length { extend(to: end) }
        let count = (end - base) * 2
        buffer.reserveCapacity(minimumWritableBytes: count * 2)
        for index in 0..<count { buffer.writeInteger(frames[index], endianness: .little) }
        frames.removeFirst(count)
        base = end
        ends = (max(ends.left, base), max(ends.right, base))
    }
}
