import Base
import NIOCore

/// What the far end of a media stream sends the carrier.
enum StreamOrder: Hashable, Sendable {
    /// µ-law, any length.
    case media([UInt8])
    case mark(String)
    case clear
    /// Not an order of ours: counted, otherwise ignored, as the carrier does.
    case unknown(String)
}

/// Media Streams messages as bytes: no decoder objects on the frame path.
/// Source: reference/providers/twilio.md, "Media Streams WebSocket".
enum MediaWire {
    struct Malformed: Error, Hashable, Sendable {
        var reason: String
    }

    /// - Throws: `Malformed` for text that is not a JSON object with an `event`, a wrong stream or broken
    /// base64.
    static func read(_ buffer: ByteBuffer, streamSid: String) throws -> StreamOrder {
        try buffer.withUnsafeReadableBytes { bytes in
            var scanner = JSONScanner(bytes)
            var fields = Fields()
            try scanner.object(depth: 0) { key, scanner in
                switch key {
                case "event": fields.event = try scanner.string()
                case "streamSid": fields.streamSid = try scanner.string()
                case "media", "mark":
                    try scanner.object(depth: 1) { key, scanner in
                        switch key {
                        case "payload": fields.payload = try scanner.stringBytes()
                        case "name": fields.name = try scanner.string()
                        default: try scanner.skip(depth: 2)
                        }
                    }
                default: try scanner.skip(depth: 1)
                }
            }
            return try fields.order(streamSid: streamSid)
        }
    }

    private struct Fields {
        var event = ""
        var streamSid: String?
        var payload: [UInt8]?
        var name: String?

        func order(streamSid expected: String) throws -> StreamOrder {
            guard streamSid == expected else { throw Malformed(reason: "wrong or missing streamSid") }
            switch event {
            case "media":
                guard let payload, let audio = Base64.decode(payload[...]) else {
                    throw Malformed(reason: "media without base64 payload")
                }
                return .media(audio)
            case "mark":
                guard let name else { throw Malformed(reason: "mark without name") }
                return .mark(name)
            case "clear": return .clear
            default: return .unknown(event)
            }
        }
    }

    static func connected() -> String { #"{"event":"connected","protocol":"Call","version":"1.0.0"}"# }

    static func start(_ stream: StreamIdentity, parameters: [String: String]) -> String {
        let custom = JSON.object(parameters.mapValues { .string($0) })
        return #"{"event":"start","sequenceNumber":"1","start":{"accountSid":"\#(stream.accountSid)","#
            + #""streamSid":"\#(stream.streamSid)","callSid":"\#(stream.callSid)","tracks":["inbound"],"#
            + #""mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"#
            + #""customParameters":\#(JSONText.encode(custom))},"streamSid":"\#(stream.streamSid)"}"#
    }

    /// One 20 ms frame; `payload` is base64.
    static func media(
        sequence: Int, chunk: Int, timestamp: Int, payload: [UInt8], streamSid: [UInt8],
        into buffer: inout ByteBuffer
    ) {
        buffer.writeStaticString(#"{"event":"media","sequenceNumber":""#)
        buffer.writeString(String(sequence))
        buffer.writeStaticString(#"","media":{"track":"inbound","chunk":""#)
        buffer.writeString(String(chunk))
        buffer.writeStaticString(#"","timestamp":""#)
        buffer.writeString(String(timestamp))
        buffer.writeStaticString(#"","payload":""#)
        buffer.writeBytes(payload)
        buffer.writeStaticString(#""},"streamSid":""#)
        buffer.writeBytes(streamSid)
        buffer.writeStaticString(#""}"#)
    }

    static func mark(_ name: String, sequence: Int, streamSid: String) -> String {
        #"{"event":"mark","sequenceNumber":"\#(sequence)","streamSid":"\#(streamSid)","#
            + #""mark":{"name":\#(JSONText.encode(.string(name)))}}"#
    }

    static func dtmf(_ digit: Character, sequence: Int, streamSid: String) -> String {
        #"{"event":"dtmf","streamSid":"\#(streamSid)","sequenceNumber":"\#(sequence)","#
            + #""dtmf":{"track":"inbound_track","digit":"\#(digit)"}}"#
    }

    static func stop(_ stream: StreamIdentity, sequence: Int) -> String {
        #"{"event":"stop","sequenceNumber":"\#(sequence)","streamSid":"\#(stream.streamSid)","#
            + #""stop":{"accountSid":"\#(stream.accountSid)","callSid":"\#(stream.callSid)"}}"#
    }
}

package struct StreamIdentity: Hashable, Sendable {
    package var accountSid: String
    package var callSid: String
    package var streamSid: String
}
