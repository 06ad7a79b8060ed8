import NIOCore
import Testing

@testable import Speech

struct AudioPiecesTests {
    private let frame = ByteBuffer(repeating: 0x55, count: 160)

    /// Bytes of the pieces that so many frames become.
    private func sent(_ pieces: inout AudioPieces, frames: Int) -> [Int] {
        (0..<frames).compactMap { _ in pieces.add(frame)?.readableBytes }
    }

    @Test func whileNobodySpeaksPiecesAreLarge() {
        var pieces = AudioPieces(usualBytes: 320)
        #expect(sent(&pieces, frames: 10) == [800, 800])
    }

    @Test func anUtteranceIsSentInTheVendorsPieces() {
        var pieces = AudioPieces(usualBytes: 320)
        _ = pieces.add(frame)
        #expect(pieces.utteranceStarted()?.readableBytes == 160)
        #expect(sent(&pieces, frames: 4) == [320, 320])
    }

    @Test func whereTheVoiceFadesNothingIsHeldBack() {
        var pieces = AudioPieces(usualBytes: 320)
        _ = pieces.utteranceStarted()
        _ = pieces.add(frame)
        #expect(pieces.voiceFaded()?.readableBytes == 160)
        #expect(sent(&pieces, frames: 5) == Array(repeating: 160, count: 5))
        #expect(sent(&pieces, frames: 4) == [320, 320], "the voice has gone on")
    }

    @Test func aFadeBeforeAnUtteranceOrAfterItChangesNothing() {
        var pieces = AudioPieces(usualBytes: 320)
        _ = pieces.add(frame)
        #expect(pieces.voiceFaded() == nil)
        #expect(sent(&pieces, frames: 4) == [800])
        _ = pieces.utteranceStarted()
        _ = pieces.voiceFaded()
        _ = pieces.utteranceEnded()
        #expect(sent(&pieces, frames: 5) == [800])
    }

    @Test func nothingIsSentTwice() {
        var pieces = AudioPieces(usualBytes: 320)
        _ = pieces.add(frame)
        #expect(pieces.take()?.readableBytes == 160)
        #expect(pieces.take() == nil)
    }
}
