package import NIOCore

/// Base64 straight between byte buffers: no strings, no intermediate arrays.
///
/// Strict: the standard alphabet with padding, nothing else, no stray bits. Source: RFC 4648 §4.
package enum Base64Bytes {
    private static let digits: [UInt8] = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    /// Value of each byte; 0xFF outside the alphabet.
    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 0xFF, count: 256)
        for (value, digit) in digits.enumerated() { table[Int(digit)] = UInt8(value) }
        return table
    }()

    package static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    /// Appends the decoded bytes to `buffer`; false (and nothing appended) when `text` is not base64.
    package static func decode(_ text: UnsafeBufferPointer<UInt8>, into buffer: inout ByteBuffer) -> Bool {
        guard text.count % 4 == 0 else { return false }
        guard text.count > 0 else { return true }
        let padding = text[text.count - 1] != 0x3D ? 0 : text[text.count - 2] != 0x3D ? 1 : 2
        let count = text.count / 4 * 3 - padding
        var isValid = true
        let start = buffer.writerIndex
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { room in
            isValid = values.withUnsafeBufferPointer { decode(text, padding: padding, table: $0, to: room) }
            return isValid ? count : 0
        }
        if !isValid { buffer.moveWriterIndex(to: start) }
        return isValid
    }

    private static func decode(
        _ text: UnsafeBufferPointer<UInt8>, padding: Int, table: UnsafeBufferPointer<UInt8>,
        to room: UnsafeMutableRawBufferPointer
    ) -> Bool {
        let whole = text.count / 4 - (padding > 0 ? 1 : 0)
        var bad: UInt8 = 0
        for group in 0..<whole {
            let a = table[Int(text[group * 4])], b = table[Int(text[group * 4 + 1])]
            let c = table[Int(text[group * 4 + 2])], d = table[Int(text[group * 4 + 3])]
            bad |= a | b | c | d
            room[group * 3] = a << 2 | b >> 4
            room[group * 3 + 1] = b << 4 | c >> 2
            room[group * 3 + 2] = c << 6 | d
        }
        guard padding > 0 else { return bad & 0xC0 == 0 }
        let a = table[Int(text[whole * 4])], b = table[Int(text[whole * 4 + 1])]
        let c = padding == 1 ? table[Int(text[whole * 4 + 2])] : 0
        bad |= a | b | c
        guard bad & 0xC0 == 0, padding == 1 ? c & 0x03 == 0 : b & 0x0F == 0 else { return false }
        room[whole * 3] = a << 2 | b >> 4
        if padding == 1 { room[whole * 3 + 1] = b << 4 | c >> 2 }
        return true
    }

    /// Appends `bytes` to `buffer` as base64 with padding.
    package static func encode(_ bytes: UnsafeRawBufferPointer, into buffer: inout ByteBuffer) {
        let count = encodedCount(bytes.count)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { room in
            digits.withUnsafeBufferPointer { encode(bytes, table: $0, to: room) }
            return count
        }
    }

    private static func encode(
        _ bytes: UnsafeRawBufferPointer, table: UnsafeBufferPointer<UInt8>,
        to room: UnsafeMutableRawBufferPointer
    ) {
        var at = 0
        var out = 0
        while at + 3 <= bytes.count {
            let a = bytes[at], b = bytes[at + 1], c = bytes[at + 2]
            room[out] = table[Int(a >> 2)]
            room[out + 1] = table[Int((a & 0x03) << 4 | b >> 4)]
            room[out + 2] = table[Int((b & 0x0F) << 2 | c >> 6)]
            room[out + 3] = table[Int(c & 0x3F)]
            at += 3
            out += 4
        }
        guard at < bytes.count else { return }
        let a = bytes[at]
        let b = at + 1 < bytes.count ? bytes[at + 1] : 0
        room[out] = table[Int(a >> 2)]
        room[out + 1] = table[Int((a & 0x03) << 4 | b >> 4)]
        room[out + 2] = at + 1 < bytes.count ? table[Int((b & 0x0F) << 2)] : 0x3D
        room[out + 3] = 0x3D
    }
}
