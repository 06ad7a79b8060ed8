import Glibc

/// Walks JSON text in place: finds members without building values. Never traps, never allocates.
///
/// Each method returns nil (or false) at the first byte that is not JSON; the scan is then over.
package struct JSONScan {
    /// Deeper nesting than this is refused.
    package static let depthMax = 16

    package let bytes: UnsafeBufferPointer<UInt8>
    package private(set) var at = 0

    package init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// A string's place between its quotes. With escapes it must be decoded by other means.
    package struct Text {
        package var range: Range<Int>
        package var hasEscapes: Bool
    }

    package var isAtEnd: Bool { at >= bytes.count }

    package mutating func skipSpace() {
        while at < bytes.count, bytes[at] == 0x20 || (bytes[at] <= 0x0D && bytes[at] >= 0x09) { at += 1 }
    }

    /// Takes `byte` if it is next after space.
    package mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    /// Takes a string, or nothing.
    package mutating func text() -> Text? {
        guard take(0x22) else { return nil }
        let start = at
        // Payloads are most of a frame: looked through by the C library, which takes many bytes at once.
        guard let base = bytes.baseAddress, let quote = memchr(base + at, 0x22, bytes.count - at) else {
            return nil
        }
        let end = UnsafeRawPointer(quote) - UnsafeRawPointer(base)
        if memchr(base + start, 0x5C, end - start) == nil {
            at = end + 1
            return Text(range: start..<end, hasEscapes: false)
        }
        return escapedText(from: start)
    }

    private mutating func escapedText(from start: Int) -> Text? {
        while at < bytes.count {
            switch bytes[at] {
            case 0x22:
                at += 1
                return Text(range: start..<(at - 1), hasEscapes: true)
            case 0x5C: at += 2
            default: at += 1
            }
        }
        return nil
    }

    /// Steps over any value.
    package mutating func skipValue(depth: Int = 0) -> Bool {
        guard depth < Self.depthMax else { return false }
        skipSpace()
        guard at < bytes.count else { return false }
        switch bytes[at] {
        case 0x22: return text() != nil
        case 0x7B: return skipObject(depth: depth)
        case 0x5B: return skipArray(depth: depth)
        default: return skipBare()
        }
    }

    private mutating func skipObject(depth: Int) -> Bool {
        at += 1
        if take(0x7D) { return true }
        repeat {
            guard text() != nil, take(0x3A), skipValue(depth: depth + 1) else { return false }
        } while take(0x2C)
        return take(0x7D)
    }

    private mutating func skipArray(depth: Int) -> Bool {
        at += 1
        if take(0x5D) { return true }
        repeat {
            guard skipValue(depth: depth + 1) else { return false }
        } while take(0x2C)
        return take(0x5D)
    }

    /// A number, `true`, `false` or `null`; spelled loosely, as nothing here reads it.
    private mutating func skipBare() -> Bool {
        let start = at
        while at < bytes.count {
            switch bytes[at] {
            case 0x30...0x39, 0x61...0x7A, 0x45, 0x2B, 0x2D, 0x2E: at += 1
            default: return at > start
            }
        }
        return at > start
    }

    /// A whole number written bare or as a string; nil for anything else (the value is stepped over).
    package mutating func number() -> Int64?? {
        skipSpace()
        guard at < bytes.count else { return nil }
        let range: Range<Int>
        if bytes[at] == 0x22 {
            guard let text = text() else { return nil }
            range = text.range
        } else {
            let start = at
            guard skipValue() else { return nil }
            range = start..<at
        }
        return .some(whole(range))
    }

    private func whole(_ range: Range<Int>) -> Int64? {
        guard (1...18).contains(range.count) else { return nil }
        var value: Int64 = 0
        for index in range {
            guard (0x30...0x39).contains(bytes[index]) else { return nil }
            value = value * 10 + Int64(bytes[index] - 0x30)
        }
        return value
    }

    package func matches(_ range: Range<Int>, _ expected: StaticString) -> Bool {
        guard range.count == expected.utf8CodeUnitCount else { return false }
        let other = expected.utf8Start
        for offset in 0..<range.count where bytes[range.lowerBound + offset] != other[offset] { return false }
        return true
    }

    package func matches(_ range: Range<Int>, _ expected: [UInt8]) -> Bool {
        guard range.count == expected.count else { return false }
        for offset in 0..<range.count where bytes[range.lowerBound + offset] != expected[offset] {
            return false
        }
        return true
    }
}
