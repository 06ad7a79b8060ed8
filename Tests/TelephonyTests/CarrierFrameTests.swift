import Base
import NIOCore
import Telephony
import Testing
import WebSockets

@Suite struct CarrierFrameTests {
    static let stream = Array("MZ1".utf8)
    static let audio160 = String(repeating: "/38A", count: 53) + "/w=="

    private func read(_ text: String) throws -> (CarrierFrame, [UInt8]) {
        var audio = ByteBuffer()
        let frame = try CarrierFrame.read(ByteBuffer(string: text), stream: Self.stream, audio: &audio)
        return (frame, Array(audio.readableBytesView))
    }

    private func violation(_ text: String) -> String? {
        do {
            _ = try read(text)
            return nil
        } catch let violation as MediaViolation {
            return violation.code
        } catch {
            return "another error"
        }
    }

    @Test func mediaIsReadInPlace() throws {
        let (frame, audio) = try read(
            #"{"event":"media","sequenceNumber":"3","streamSid":"MZ1","media":{"track":"inbound","chunk":"1","#
                + #""timestamp":"5","payload":"\#(Self.audio160)"}}"#)
        #expect(frame == .media(.init(timestamp: 5, chunk: 1, isOurStream: true, isInbound: true)))
        #expect(audio.count == 160)
        #expect(audio.prefix(4) == [0xFF, 0x7F, 0x00, 0xFF])
    }

    @Test func membersMayComeInAnyOrderWithSpaceAndEscapes() throws {
        let (frame, audio) = try read(
            #" { "media" : { "payload" : "\/38A" , "x" : [1, {"y":null}, -2.5e3, true] } , "streamSid" : "MZ1" , "event":"media" } "#
        )
        #expect(frame == .media(.init(timestamp: nil, chunk: nil, isOurStream: true, isInbound: true)))
        #expect(audio == [0xFF, 0x7F, 0x00])
    }

    @Test func numbersMayBeBare() throws {
        let (frame, _) = try read(
            #"{"event":"media","streamSid":"other","media":{"timestamp":40,"chunk":2,"track":"outbound","payload":""}}"#
        )
        #expect(frame == .media(.init(timestamp: 40, chunk: 2, isOurStream: false, isInbound: false)))
    }

    @Test func theOtherMessagesAreRead() throws {
        #expect(try read(#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#).0 == .connected)
        let start = StreamStart(
            streamSid: "MZ1", callSid: "CA1", accountSid: "AC1", parameters: ["token": "t"])
        #expect(
            try read(
                #"{"event":"start","sequenceNumber":"1","streamSid":"MZ1","start":{"streamSid":"MZ1","accountSid":"AC1","#
                    + #""callSid":"CA1","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"#
                    + #""channels":1},"customParameters":{"token":"t"}}}"#
            ).0 == .start(start))
        #expect(
            try read(#"{"event":"dtmf","streamSid":"MZ1","dtmf":{"track":"inbound_track","digit":"5"}}"#)
                .0 == .digit("5", stream: "MZ1"))
        #expect(
            try read(#"{"event":"mark","streamSid":"MZ1","mark":{"name":"7"}}"#).0
                == .mark("7", stream: "MZ1"))
        #expect(
            try read(#"{"mark":{"x":[1],"name":"\u0037"},"streamSid":"MZ1","event":"mark"}"#).0
                == .mark("7", stream: "MZ1"))
        #expect(try read(#"{"event":"mark","mark":{"name":"7"}}"#).0 == .mark("7", stream: ""))
        #expect(try read(#"{"event":"stop","streamSid":"MZ1","stop":{}}"#).0 == .stop(stream: "MZ1"))
        #expect(try read(#"{"event":"later","streamSid":"MZ1"}"#).0 == .unknown)
    }

    @Test(arguments: [
        ("", "malformed_json"), ("null", "malformed_json"), ("{", "malformed_json"),
        ("{}x", "malformed_json"),
        (#"{"event":"media"}"#, "malformed_json"), (#"{"event":1}"#, "malformed_json"),
        (#"{"event":"media","media":{"payload":"A"}}"#, "broken_base64"),
        (#"{"event":"media","media":{"payload":"AA=A"}}"#, "broken_base64"),
        (#"{"event":"media","media":{"payload":"A*=="}}"#, "broken_base64"),
        (#"{"event":"media","media":{"payload":"AB=="}}"#, "broken_base64"),
        (#"{"event":"media","media":{"payload":"\u0041\n=="}}"#, "broken_base64"),
        (#"{"event":"mark","mark":{}}"#, "malformed_json"), (#"{"event":"mark"}"#, "malformed_json"),
        (#"{"event":"mark","mark":{"name":7}}"#, "malformed_json"),
        (#"{"event":"dtmf","dtmf":{"digit":"12"}}"#, "malformed_digit"),
        (#"{"event":"start","start":{"streamSid":"a\"b","callSid":"c"}}"#, "malformed_start"),
        (
            #"{"event":"start","start":{"streamSid":"a","callSid":"c","mediaFormat":{"encoding":"audio/l16"}}}"#,
            "wrong_format"
        ),
        (String(repeating: "[", count: 5000), "malformed_json"),
        (#"{"a":"# + String(repeating: "[", count: 5000), "malformed_json"),
    ])
    func whatIsWrongIsNamed(text: String, code: String) {
        #expect(violation(text) == code)
    }

    @Test func tooMuchIsRefused() {
        let payload = String(repeating: "AAAA", count: 1400)
        #expect(violation(#"{"event":"media","media":{"payload":"\#(payload)"}}"#) == "oversized_audio")
        #expect(
            violation(#"{"event":"media","x":"\#(String(repeating: "x", count: 20_000))"}"#)
                == "oversized_message")
    }

    /// Whatever comes, reading ends with a message or a violation: it never traps.
    @Test(arguments: 0..<UInt64(50))
    func brokenMessagesNeverTrap(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let good = Array(
            (#"{"event":"media","sequenceNumber":"3","streamSid":"MZ1","media":{"track":"inbound","chunk":"1","#
                + #""timestamp":"5","payload":"\#(Self.audio160)"}}"#).utf8)
        let marks = Array(#"{}[]":,\=0e-+"#.utf8) + [0, 0x80, 0xFF]
        var audio = ByteBuffer()
        for _ in 0..<400 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = marks.randomElement(using: &random) ?? 0
                case 1: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 2: bytes.remove(at: at)
                default: bytes.removeLast(min(bytes.count - 1, Int.random(in: 0...8, using: &random)))
                }
            }
            _ = try? CarrierFrame.read(ByteBuffer(bytes: bytes), stream: Self.stream, audio: &audio)
            #expect(audio.readableBytes <= CarrierFrame.audioBytesMax, "seed \(seed)")
        }
    }

    @Test(arguments: 0..<UInt64(20))
    func base64RoundTrips(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            var text = ByteBuffer()
            bytes.withUnsafeBytes { Base64Bytes.encode($0, into: &text) }
            #expect(text.readableBytes == Base64Bytes.encodedCount(count))
            var back = ByteBuffer(string: "x")
            let isValid = text.withUnsafeReadableBytes {
                Base64Bytes.decode($0.bindMemory(to: UInt8.self), into: &back)
            }
            #expect(isValid && Array(back.readableBytesView) == [0x78] + bytes, "seed \(seed) count \(count)")
        }
    }

    @Test func ourMessagesAreWhatTheCarrierReads() {
        var writer = CarrierWriter(streamSid: "MZ1")
        let audio = ByteBuffer(bytes: [0xFF, 0x7F, 0x00])
        #expect(
            String(buffer: writer.media(audio.readableBytesView))
                == #"{"event":"media","streamSid":"MZ1","media":{"payload":"/38A"}}"#)
        #expect(
            String(buffer: writer.mark(12)) == #"{"event":"mark","streamSid":"MZ1","mark":{"name":"12"}}"#)
        #expect(String(buffer: writer.clear()) == #"{"event":"clear","streamSid":"MZ1"}"#)
    }
}
