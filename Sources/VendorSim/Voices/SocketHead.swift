import Crypto
import Foundation
import NIOCore
import Synchronization

/// The HTTP part of a WebSocket's beginning.
enum SocketHead {
    /// nil until the whole head is there, or for what is no upgrade.
    static func read(_ bytes: inout ByteBuffer) -> (SocketAsked, key: String)? {
        let text = String(buffer: bytes)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        bytes.moveReaderIndex(forwardBy: text[..<end.upperBound].utf8.count)
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        let target = lines[0].split(separator: " ").dropFirst().first ?? "/"
        let parts = target.split(separator: "?", maxSplits: 1)
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...]
                .trimmingCharacters(in: .whitespaces)
        }
        let query = FormBody((parts.count > 1 ? String(parts[1]) : "").utf8) ?? FormBody([])
        let asked = SocketAsked(path: String(parts.first ?? "/"), query: query, headers: headers)
        return (asked, headers["sec-websocket-key"] ?? "")
    }

    static func acceptance(_ key: String) -> ByteBuffer {
        let digest = Insecure.SHA1.hash(data: Data((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        let accept = Data(digest).base64EncodedString()
        return ByteBuffer(
            string: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: \(accept)\r\n\r\n")
    }

    static func refusal(_ status: Int, _ headers: [(String, String)], _ body: String) -> ByteBuffer {
        let more = headers.map { "\($0.0): \($0.1)\r\n" }.joined()
        return ByteBuffer(
            string:
                "HTTP/1.1 \(status) Refused\r\nContent-Type: application/json\r\n\(more)Connection: close\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }
}

/// One frame of a client, unmasked.
struct SocketFrame {
    var opcode: UInt8
    var payload: ByteBuffer

    /// nil until it is whole.
    static func read(_ bytes: inout ByteBuffer) -> SocketFrame? {
        let start = bytes.readerIndex
        guard let frame = take(&bytes) else {
            bytes.moveReaderIndex(to: start)
            return nil
        }
        return frame
    }

    private static func take(_ bytes: inout ByteBuffer) -> SocketFrame? {
        guard let head = bytes.readBytes(length: 2) else { return nil }
        let length: Int?
        switch head[1] & 0x7F {
        case 126: length = bytes.readInteger(as: UInt16.self).map { Int($0) }
        case 127: length = bytes.readInteger(as: UInt64.self).map { Int(clamping: $0) }
        default: length = Int(head[1] & 0x7F)
        }
        guard let length, let mask = bytes.readBytes(length: 4), var payload = bytes.readSlice(length: length)
        else { return nil }
        payload.withUnsafeMutableReadableBytes { place in
            for index in place.indices { place[index] ^= mask[index & 3] }
        }
        return SocketFrame(opcode: head[0] & 0x0F, payload: payload)
    }
}

/// The connections of a door.
final class SocketGuests: Sendable {
    private let open = Mutex<(channels: [ObjectIdentifier: any Channel], total: Int)>(([:], 0))

    var all: [any Channel] { open.withLock { Array($0.channels.values) } }
    var count: Int { open.withLock { $0.channels.count } }
    var total: Int { open.withLock { $0.total } }

    func add(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        open.withLock {
            $0.channels[id] = channel
            $0.total += 1
        }
        channel.closeFuture.whenComplete { _ in self.open.withLock { $0.channels[id] = nil } }
    }
}
