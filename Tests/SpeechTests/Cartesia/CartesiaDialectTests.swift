import Base
import NIOCore
import Testing

@testable import Speech

/// Frames as Cartesia sends them, and what becomes of them.
struct CartesiaDialectTests {
    static let dialect = CartesiaDialect(
        access: VendorAccess(key: Redacted("k"), baseURL: "https://api.cartesia.ai"),
        options: CartesiaOptions())

    private func read(_ text: String) -> SpeakingMessage? { Self.dialect.read(ByteBuffer(string: text)) }

    @Test func audioIsTakenOutOfItsMessage() throws {
        let chunk =
            #"{"type":"chunk","context_id":"turn-8","data":"f3+A/w==","step_time":12.1,"done":false,"status_code":206,"flush_id":1}"#
        let message = try #require(read(chunk))
        #expect(message.context == "turn-8" && !message.isDone && message.fault == nil)
        #expect(message.audio == ByteBuffer(bytes: [0x7F, 0x7F, 0x80, 0xFF]))
        // A slash may be written as an escape, and the member may stand first.
        let escaped = try #require(read(#"{"data":"f3+A\/w==","context_id":"turn-8","type":"chunk"}"#))
        #expect(escaped.audio == message.audio)
        #expect(read(#"{"type":"chunk","context_id":"c","data":"!!!="}"#) == nil)
    }

    @Test func wordsAreMilliseconds() throws {
        let message = try #require(
            read(
                #"{"type":"timestamps","context_id":"turn-8","word_timestamps":{"words":["Sure","one","x"],"start":[0.02,0.41,9],"end":[0.36,0.58]},"done":false,"status_code":206}"#
            ))
        #expect(
            message.words == [
                Word(text: "Sure", startMs: 20, endMs: 360), Word(text: "one", startMs: 410, endMs: 580),
            ])
    }

    @Test func theEndAndErrorsBelongToTheirContext() throws {
        let done = try #require(
            read(#"{"type":"done","context_id":"turn-8","done":true,"status_code":200}"#))
        #expect(done.isDone && done.context == "turn-8")
        let error = try #require(
            read(
                #"{"type":"error","context_id":"turn-8","status_code":429,"done":true,"title":"t","message":"secret","error_code":"concurrency_limited","request_id":"r"}"#
            ))
        #expect(error.fault?.code == "tts.rate_limited" && error.fault?.retry == .after(.seconds(1)))
        #expect(error.fault?.cause == "status 429: concurrency_limited")
        let flush = try #require(
            read(#"{"type":"flush_done","context_id":"turn-8","flush_id":1,"flush_done":true,"done":false}"#))
        #expect(!flush.isDone && flush.fault == nil && flush.audio == nil)
    }

    @Test(arguments: ["", "[]", "7", "{\"type\":\"chunk\",\"data\":\"f3+A\"", "{\"data\":\"f3+A\"}}"])
    func whatIsNoMessageIsNoMessage(text: String) { #expect(read(text) == nil) }

    @Test(arguments: 0..<UInt64(200))
    func noMessageBreaksTheReader(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var bytes = Array(
            #"{"type":"chunk","context_id":"c","data":"f3+A/w==","done":false,"flush_id":1}"#.utf8)
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                in: .min ... .max, using: &random)
        }
        _ = Self.dialect.read(ByteBuffer(bytes: bytes))
    }
}
