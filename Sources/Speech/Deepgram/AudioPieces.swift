import NIOCore

/// Gathers audio into pieces, as each that is sent costs a frame, a TLS record and a write. Pure.
///
/// µ-law at 8 kHz: 8 bytes are a millisecond. While nobody speaks pieces are large; in an utterance they have the vendor's
/// size; where the voice fades audio goes out as it comes, since what was said last is wanted at once.
struct AudioPieces {
    /// 100 ms.
    static let quietBytes = 800
    /// 100 ms: in that time a recogniser that tells words ten times a second tells the last one.
    static let fadedBytes = 800

    private let usualBytes: Int
    private var piece = ByteBuffer()
    private var isInUtterance = false
    private var fadedBytesLeft = 0

    init(usualBytes: Int) { self.usualBytes = usualBytes }

    /// What is to be sent now, if anything.
    mutating func add(_ audio: ByteBuffer) -> ByteBuffer? {
        piece.writeImmutableBuffer(audio)
        let isFaded = fadedBytesLeft > 0
        fadedBytesLeft = max(0, fadedBytesLeft - audio.readableBytes)
        let bytes = isInUtterance ? usualBytes : max(usualBytes, Self.quietBytes)
        return isFaded || piece.readableBytes >= bytes ? take() : nil
    }

    /// As for `add`: what was gathered before an edge is sent with it.
    mutating func utteranceStarted() -> ByteBuffer? {
        isInUtterance = true
        return take()
    }

    mutating func voiceFaded() -> ByteBuffer? {
        guard isInUtterance else { return nil }
        fadedBytesLeft = Self.fadedBytes
        return take()
    }

    mutating func utteranceEnded() -> ByteBuffer? {
        isInUtterance = false
        fadedBytesLeft = 0
        return take()
    }

    /// All that is left; nil for nothing.
    mutating func take() -> ByteBuffer? {
        guard piece.readableBytes > 0 else { return nil }
        defer { piece = ByteBuffer() }
        return piece
    }
}
