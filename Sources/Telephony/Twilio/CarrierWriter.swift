package import NIOCore
import WebSockets

/// Writes our messages of the Media Streams protocol into one buffer that is used again and again.
package struct CarrierWriter {
    private let mediaHead: [UInt8]
    private let markHead: [UInt8]
    private let clearText: [UInt8]
    private static let mediaTail: StaticString = "\"}}"
    private var buffer = ByteBuffer()

    /// `streamSid` has been checked to need no JSON escapes.
    package init(streamSid: String) {
        mediaHead = Array(#"{"event":"media","streamSid":"\#(streamSid)","media":{"payload":""#.utf8)
        markHead = Array(#"{"event":"mark","streamSid":"\#(streamSid)","mark":{"name":""#.utf8)
        clearText = Array(#"{"event":"clear","streamSid":"\#(streamSid)"}"#.utf8)
    }

    /// µ-law bytes, any number.
    package mutating func media(_ audio: ByteBufferView) -> ByteBuffer {
        buffer.clear(minimumCapacity: mediaHead.count + Base64Bytes.encodedCount(audio.count) + 3)
        buffer.writeBytes(mediaHead)
        audio.withUnsafeBytes { Base64Bytes.encode($0, into: &buffer) }
        buffer.writeStaticString(Self.mediaTail)
        return buffer
    }

    package mutating func mark(_ number: Int) -> ByteBuffer {
        buffer.clear()
        buffer.writeBytes(markHead)
        buffer.writeString(String(number))
        buffer.writeStaticString(Self.mediaTail)
        return buffer
    }

    package mutating func clear() -> ByteBuffer {
        buffer.clear()
        buffer.writeBytes(clearText)
        return buffer
    }
}
