import NIOCore

/// The last seconds of a caller, to be heard again by another recogniser. µ-law; positions are samples of the call. Pure.
struct HeardAudio {
    /// 8 s: a turn's last utterance and the time until its socket is missed.
    static let bytesMax = 8 * 8_000
    /// Audio before the ear's edge that belongs to the utterance.
    static let leadSamples = 400 * 8
    /// With nothing open: enough not to begin inside a word that the ear has not told yet.
    static let idleSamples = 300 * 8

    private static let frameSamples = 160

    private var ring: [UInt8] = []
    private var writeAt = 0
    /// Samples since the call began.
    private(set) var position = 0
    /// Where the words begin that no final has told yet; nil: nothing is open.
    private(set) var openAt: Int?
    /// Up to here all words have been told.
    private var doneAt = 0

    mutating func add(_ audio: ByteBuffer) {
        audio.withUnsafeReadableBytes { bytes in
            var at = max(0, bytes.count - Self.bytesMax)
            let fresh = min(bytes.count - at, Self.bytesMax - ring.count)
            ring.append(contentsOf: bytes[at..<at + fresh])
            at += fresh
            while at < bytes.count {
                let count = min(bytes.count - at, Self.bytesMax - writeAt)
                ring.withUnsafeMutableBytes {
                    UnsafeMutableRawBufferPointer(rebasing: $0[writeAt..<writeAt + count])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[at..<at + count]))
                }
                writeAt = (writeAt + count) % Self.bytesMax
                at += count
            }
        }
        position += audio.readableBytes
    }

    mutating func utteranceStarted() { begin() }

    /// Words of what the ear took for no speech.
    mutating func partialCame() { begin() }

    private mutating func begin() { openAt = openAt ?? max(doneAt, position - Self.leadSamples) }

    /// Everything up to `endMs` of the call has its words; nil: up to now.
    mutating func finalCame(endMs: Int?, isInUtterance: Bool) {
        // On the edge of a frame, as the carrier cut them.
        let end = endMs.map { ($0 * 8 + Self.frameSamples - 1) / Self.frameSamples * Self.frameSamples }
        doneAt = max(doneAt, min(position, end ?? position))
        openAt = isInUtterance ? max(openAt ?? 0, doneAt) : nil
    }

    /// Where the replay begins, and what is played: from the first sample without words on, as far as it is kept.
    var replay: (from: Int, audio: ByteBuffer) {
        let oldest = position - ring.count
        let from = max(oldest, openAt ?? position - Self.idleSamples, doneAt)
        var audio = ByteBuffer()
        let count = position - from
        audio.reserveCapacity(count)
        let start = ring.count - count
        for offset in start..<ring.count { audio.writeInteger(ring[(writeAt + offset) % ring.count]) }
        return (from, audio)
    }
}
