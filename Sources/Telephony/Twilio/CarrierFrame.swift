import Foundation
package import NIOCore
import WebSockets

/// One message of the Media Streams protocol, read from its JSON text.
///
/// `media` is scanned in place, its audio decoded into a buffer the caller owns; the rare others are decoded the
/// slow way. Source: twilio.com/docs/voice/media-streams/websocket-messages.
package enum CarrierFrame: Hashable, Sendable {
    /// Half a second: 25 times what the carrier sends at once.
    package static let audioBytesMax = 4000
    /// Text of one message.
    package static let textBytesMax = 16_384

    case connected
    case start(StreamStart)
    case media(Media)
    case digit(String, stream: String)
    case mark(String, stream: String)
    case stop(stream: String)
    /// An event of a later protocol version.
    case unknown

    /// The numbers of a `media` message; its audio is in the buffer given to `read`.
    package struct Media: Hashable, Sendable {
        /// Milliseconds since the stream began.
        package var timestamp: Int64?
        /// From 1, per track.
        package var chunk: Int64?
        package var isOurStream: Bool
        /// `inbound` or not said.
        package var isInbound: Bool
        package init(timestamp: Int64?, chunk: Int64?, isOurStream: Bool, isInbound: Bool) {
            self.timestamp = timestamp
            self.chunk = chunk
            self.isOurStream = isOurStream
            self.isInbound = isInbound
        }
    }

    /// Reads one message; `audio` is emptied and receives the audio of a `media` message.
    ///
    /// - Throws: `MediaViolation` malformed_json, broken_base64, oversized_message, oversized_audio, wrong_format.
    package static func read(
        _ text: ByteBuffer, stream: [UInt8], audio: inout ByteBuffer
    ) throws(MediaViolation) -> CarrierFrame {
        guard text.readableBytes <= textBytesMax else { throw MediaViolation(.tooBig, "oversized_message") }
        audio.clear()
        var scanned = Scanned.malformed
        text.withUnsafeReadableBytes { raw in
            scanned = Self.scan(raw.bindMemory(to: UInt8.self), ours: stream, audio: &audio)
        }
        switch scanned {
        case .media(let media): return .media(media)
        case .mark(let name, let sid): return .mark(name, stream: sid)
        case .other: return try slow(text, stream: stream, audio: &audio)
        case .malformed: throw MediaViolation(.malformed, "malformed_json")
        case .brokenBase64: throw MediaViolation(.malformed, "broken_base64")
        case .oversized: throw MediaViolation(.tooBig, "oversized_audio")
        }
    }

    private enum Scanned {
        case media(Media)
        case mark(String, stream: String)
        case other, malformed, brokenBase64, oversized
    }

    private static func scan(
        _ bytes: UnsafeBufferPointer<UInt8>, ours: [UInt8], audio: inout ByteBuffer
    ) -> Scanned {
        var scan = JSONScan(bytes)
        var media = Media(timestamp: nil, chunk: nil, isOurStream: false, isInbound: true)
        var isMedia = false
        var isMark = false
        var payload: JSONScan.Text?
        var mark: JSONScan.Text?
        var stream: JSONScan.Text?
        guard scan.take(0x7B) else { return .malformed }
        if !scan.take(0x7D) {
            repeat {
                guard let key = scan.text(), scan.take(0x3A) else { return .malformed }
                if scan.matches(key.range, "event") {
                    guard let name = scan.text() else { return .malformed }
                    isMedia = scan.matches(name.range, "media")
                    isMark = scan.matches(name.range, "mark")
                    guard isMedia || isMark else { return .other }
                } else if scan.matches(key.range, "streamSid") {
                    guard let sid = scan.text() else { return .malformed }
                    if sid.hasEscapes { return .other }
                    media.isOurStream = scan.matches(sid.range, ours)
                    stream = sid
                } else if scan.matches(key.range, "mark") {
                    guard Self.scanMark(&scan, &mark) else { return .malformed }
                } else if scan.matches(key.range, "media") {
                    guard Self.scanMedia(&scan, &media, &payload) else { return .malformed }
                } else if !scan.skipValue() {
                    return .malformed
                }
            } while scan.take(0x2C)
            guard scan.take(0x7D) else { return .malformed }
        }
        scan.skipSpace()
        guard scan.isAtEnd else { return .malformed }
        if isMark { return Self.scanned(mark, stream, bytes) }
        guard isMedia, let payload else { return isMedia ? .malformed : .other }
        if payload.hasEscapes { return .other }
        return decode(UnsafeBufferPointer(rebasing: bytes[payload.range]), media, into: &audio)
    }

    /// A mark comes back twice a second while the agent speaks.
    private static func scanned(
        _ mark: JSONScan.Text?, _ stream: JSONScan.Text?, _ bytes: UnsafeBufferPointer<UInt8>
    ) -> Scanned {
        guard let mark else { return .malformed }
        guard !mark.hasEscapes else { return .other }
        func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        return .mark(text(mark.range), stream: stream.map { text($0.range) } ?? "")
    }

    private static func scanMark(_ scan: inout JSONScan, _ mark: inout JSONScan.Text?) -> Bool {
        members(&scan) { scan, key in
            guard scan.matches(key, "name") else { return scan.skipValue() }
            guard let name = scan.text() else { return false }
            mark = name
            return true
        }
    }

    private static func scanMedia(
        _ scan: inout JSONScan, _ media: inout Media, _ payload: inout JSONScan.Text?
    ) -> Bool {
        members(&scan) { scan, key in
            if scan.matches(key, "payload") {
                guard let text = scan.text() else { return false }
                payload = text
            } else if scan.matches(key, "timestamp") {
                guard let value = scan.number() else { return false }
                media.timestamp = value
            } else if scan.matches(key, "chunk") {
                guard let value = scan.number() else { return false }
                media.chunk = value
            } else if scan.matches(key, "track") {
                guard let track = scan.text() else { return false }
                media.isInbound = !scan.matches(track.range, "outbound")
            } else {
                return scan.skipValue()
            }
            return true
        }
    }

    /// Steps over an object; `read` takes the value behind each key. False: it is none, or a value was not taken.
    private static func members(
        _ scan: inout JSONScan, _ read: (inout JSONScan, Range<Int>) -> Bool
    ) -> Bool {
        guard scan.take(0x7B) else { return false }
        if scan.take(0x7D) { return true }
        repeat {
            guard let key = scan.text(), scan.take(0x3A), read(&scan, key.range) else { return false }
        } while scan.take(0x2C)
        return scan.take(0x7D)
    }

    private static func decode(
        _ payload: UnsafeBufferPointer<UInt8>, _ media: Media, into audio: inout ByteBuffer
    ) -> Scanned {
        guard payload.count <= Base64Bytes.encodedCount(audioBytesMax) else { return .oversized }
        return Base64Bytes.decode(payload, into: &audio) ? .media(media) : .brokenBase64
    }
}

/// The slow way: messages that come a few times a call.
extension CarrierFrame {
    private struct Message: Decodable {
        struct Start: Decodable {
            struct Format: Decodable {
                var encoding: String?
                var sampleRate: Int?
                var channels: Int?
            }
            var streamSid: String
            var callSid: String
            var accountSid: String?
            var mediaFormat: Format?
            var customParameters: [String: String]?
        }
        struct Media: Decodable {
            var payload: String
            var track: String?
        }
        struct Digit: Decodable { var digit: String }
        struct Mark: Decodable { var name: String }
        var event: String
        var streamSid: String?
        var start: Start?
        var media: Media?
        var dtmf: Digit?
        var mark: Mark?
    }

    private static func slow(
        _ text: ByteBuffer, stream: [UInt8], audio: inout ByteBuffer
    ) throws(MediaViolation) -> CarrierFrame {
        let message: Message
        do {
            message = try JSONDecoder().decode(Message.self, from: Data(text.readableBytesView))
        } catch {
            throw MediaViolation(.malformed, "malformed_json")
        }
        let sid = message.streamSid ?? ""
        switch message.event {
        case "connected": return .connected
        case "start": return .start(try start(message))
        case "stop": return .stop(stream: sid)
        case "mark":
            guard let mark = message.mark else { throw MediaViolation(.malformed, "malformed_json") }
            return .mark(mark.name, stream: sid)
        case "dtmf":
            guard let digit = message.dtmf?.digit, digit.utf8.count == 1, "0123456789*#".contains(digit)
            else {
                throw MediaViolation(.malformed, "malformed_digit")
            }
            return .digit(digit, stream: sid)
        case "media":
            return .media(try escapedMedia(message, isOurs: Array(sid.utf8) == stream, audio: &audio))
        default: return .unknown
        }
    }

    private static func start(_ message: Message) throws(MediaViolation) -> StreamStart {
        guard let start = message.start, (1...64).contains(start.streamSid.utf8.count),
            start.streamSid.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C })
        else { throw MediaViolation(.malformed, "malformed_start") }
        if let format = start.mediaFormat {
            guard format.encoding ?? "audio/x-mulaw" == "audio/x-mulaw", format.sampleRate ?? 8000 == 8000,
                format.channels ?? 1 == 1
            else { throw MediaViolation(.policy, "wrong_format") }
        }
        return StreamStart(
            streamSid: start.streamSid, callSid: start.callSid, accountSid: start.accountSid ?? "",
            parameters: start.customParameters ?? [:])
    }

    /// `media` whose strings carry escapes (`\/` is legal in base64 written by some encoders).
    private static func escapedMedia(
        _ message: Message, isOurs: Bool, audio: inout ByteBuffer
    ) throws(MediaViolation) -> Media {
        guard let media = message.media else { throw MediaViolation(.malformed, "malformed_json") }
        guard media.payload.utf8.count <= Base64Bytes.encodedCount(audioBytesMax) else {
            throw MediaViolation(.tooBig, "oversized_audio")
        }
        let isBase64 = Array(media.payload.utf8).withUnsafeBufferPointer {
            Base64Bytes.decode($0, into: &audio)
        }
        guard isBase64 else { throw MediaViolation(.malformed, "broken_base64") }
        return Media(timestamp: nil, chunk: nil, isOurStream: isOurs, isInbound: media.track != "outbound")
    }
}
