import NIOCore

/// One frame, unmasked.
struct Frame {
    enum Opcode: UInt8 {
        case continuation = 0x0
        case text = 0x1
        case binary = 0x2
        case close = 0x8
        case ping = 0x9
        case pong = 0xA

        var isControl: Bool { rawValue & 0x8 != 0 }
    }
    var isFinal: Bool
    var opcode: Opcode
    var payload: ByteBuffer

    /// First byte, length byte, 64-bit length, mask.
    static let headerBytesMax = 14
    /// Longest payload of a close, ping or pong (RFC 6455 §5.5).
    static let controlBytesMax = 125
}

/// Cuts the byte stream into frames. Strict: reserved bits, unknown opcodes, a wrong mask bit, long or
/// fragmented control frames are all violations, found before the payload has arrived.
struct FrameReader: NIOSingleStepByteToMessageDecoder {
    typealias InboundOut = Frame

    /// A server takes only masked frames, a client only unmasked ones (RFC 6455 §5.1).
    let expectsMask: Bool
    let frameBytesMax: Int

    mutating func decode(buffer: inout ByteBuffer) throws -> Frame? {
        let start = buffer.readerIndex
        guard let head: UInt16 = buffer.getInteger(at: start) else { return nil }
        let first = UInt8(head >> 8)
        let second = UInt8(head & 0xFF)
        let opcode = try Self.opcode(of: first)
        let isFinal = first & 0x80 != 0
        guard (second & 0x80 != 0) == expectsMask else {
            throw WebSocketError.protocolViolation(expectsMask ? "unmasked frame" : "masked frame")
        }
        guard let (length, lengthBytes) = Self.length(in: buffer, at: start + 2, short: second & 0x7F) else {
            return nil
        }
        if opcode.isControl, !isFinal || length > Frame.controlBytesMax {
            throw WebSocketError.protocolViolation("long or fragmented control frame")
        }
        guard length <= UInt64(frameBytesMax) else { throw WebSocketError.messageTooLarge }

        let maskBytes = expectsMask ? 4 : 0
        let headerBytes = 2 + lengthBytes + maskBytes
        guard buffer.readableBytes >= headerBytes + Int(length) else { return nil }
        buffer.moveReaderIndex(forwardBy: 2 + lengthBytes)
        if expectsMask, let key: UInt32 = buffer.readInteger(endianness: .host) {
            Masking.apply(key, to: &buffer, at: buffer.readerIndex, count: Int(length))
        }
        guard let payload = buffer.readSlice(length: Int(length)) else { return nil }
        return Frame(isFinal: isFinal, opcode: opcode, payload: payload)
    }

    mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> Frame? {
        try decode(buffer: &buffer)
    }

    private static func opcode(of first: UInt8) throws -> Frame.Opcode {
        guard first & 0x70 == 0 else { throw WebSocketError.protocolViolation("reserved bits set") }
        guard let opcode = Frame.Opcode(rawValue: first & 0x0F) else {
            throw WebSocketError.protocolViolation("unknown opcode")
        }
        return opcode
    }

    /// The payload's length and how many bytes said so beyond the first; nil: not all of them are here.
    private static func length(in buffer: ByteBuffer, at index: Int, short: UInt8) -> (UInt64, Int)? {
        switch short {
        case 126: buffer.getInteger(at: index, as: UInt16.self).map { (UInt64($0), 2) }
        case 127: buffer.getInteger(at: index, as: UInt64.self).map { ($0, 8) }
        default: (UInt64(short), 0)
        }
    }
}

enum FrameWriter {
    /// Header and payload in one buffer, so that a frame costs one allocation and one write.
    /// - Parameter mask: the client's key for this frame; nil on a server.
    static func encode(
        _ opcode: Frame.Opcode, _ payload: ByteBuffer, mask: UInt32?, allocator: ByteBufferAllocator
    ) -> ByteBuffer {
        let count = payload.readableBytes
        var frame = allocator.buffer(capacity: Frame.headerBytesMax + count)
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        frame.writeInteger(0x80 | opcode.rawValue)
        switch count {
        case ...125:
            frame.writeInteger(maskBit | UInt8(count))
        case ...Int(UInt16.max):
            frame.writeInteger(maskBit | 126)
            frame.writeInteger(UInt16(count))
        default:
            frame.writeInteger(maskBit | 127)
            frame.writeInteger(UInt64(count))
        }
        guard let mask else {
            frame.writeImmutableBuffer(payload)
            return frame
        }
        frame.writeInteger(mask, endianness: .host)
        let start = frame.writerIndex
        frame.writeImmutableBuffer(payload)
        Masking.apply(mask, to: &frame, at: start, count: count)
        return frame
    }
}

enum Masking {
    /// Exclusive-or with the key's bytes in memory order, eight at a time; its own inverse.
    static func apply(_ key: UInt32, to buffer: inout ByteBuffer, at index: Int, count: Int) {
        guard count > 0 else { return }
        let offset = index - buffer.readerIndex
        buffer.withUnsafeMutableReadableBytes { bytes in
            let area = UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<offset + count])
            let wide = UInt64(key) << 32 | UInt64(key)
            var position = 0
            while position + 8 <= count {
                let word = area.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                area.storeBytes(of: word ^ wide, toByteOffset: position, as: UInt64.self)
                position += 8
            }
            withUnsafeBytes(of: key) { keyBytes in
                while position < count {
                    area[position] ^= keyBytes[position & 3]
                    position += 1
                }
            }
        }
    }
}
