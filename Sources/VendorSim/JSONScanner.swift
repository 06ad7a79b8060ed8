/// Walks JSON text once, handing out only the members asked for. Strict enough to refuse what is not JSON.
struct JSONScanner {
    static let depthMax = 8

    private let bytes: UnsafeRawBufferPointer
    private var at = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Calls `member` with each key, the scanner standing before its value; `member` must consume the value.
    mutating func object(depth: Int, member: (String, inout JSONScanner) throws -> Void) throws {
        guard depth < Self.depthMax else { throw wrong("too deep") }
        try expect(UInt8(ascii: "{"))
        if peek() == UInt8(ascii: "}") {
            at += 1
            return
        }
        while true {
            let key = try string()
            try expect(UInt8(ascii: ":"))
            try member(key, &self)
            switch peek() {
            case UInt8(ascii: ","): at += 1
            case UInt8(ascii: "}"):
                at += 1
                return
            default: throw wrong("expected , or }")
            }
        }
    }

    mutating func string() throws -> String {
        guard let text = String(validating: try stringBytes(), as: UTF8.self) else {
            throw wrong("not UTF-8")
        }
        return text
    }

    mutating func stringBytes() throws -> [UInt8] {
        try expect(UInt8(ascii: "\""))
        let start = at
        while at < bytes.count, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\") { at += 1 }
        guard at < bytes.count else { throw wrong("open string") }
        var result = Array(bytes[start..<at])
        while bytes[at] == UInt8(ascii: "\\") {
            try escape(into: &result)
            let start = at
            while at < bytes.count, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\") {
                at += 1
            }
            guard at < bytes.count else { throw wrong("open string") }
            result += bytes[start..<at]
        }
        at += 1
        return result
    }

    /// Passes over one value of any kind.
    mutating func skip(depth: Int) throws {
        switch peek() {
        case UInt8(ascii: "{"): try object(depth: depth) { _, scanner in try scanner.skip(depth: depth + 1) }
        case UInt8(ascii: "["): try array(depth: depth)
        case UInt8(ascii: "\""): _ = try stringBytes()
        case .some:
            let start = at
            while at < bytes.count, Self.isScalar(bytes[at]) { at += 1 }
            guard at > start else { throw wrong("value expected") }
        case nil: throw wrong("value expected")
        }
    }

    private mutating func array(depth: Int) throws {
        guard depth < Self.depthMax else { throw wrong("too deep") }
        try expect(UInt8(ascii: "["))
        if peek() == UInt8(ascii: "]") {
            at += 1
            return
        }
        while true {
            try skip(depth: depth + 1)
            switch peek() {
            case UInt8(ascii: ","): at += 1
            case UInt8(ascii: "]"):
                at += 1
                return
            default: throw wrong("expected , or ]")
            }
        }
    }

    private mutating func escape(into result: inout [UInt8]) throws {
        guard at + 1 < bytes.count else { throw wrong("open string") }
        let letter = bytes[at + 1]
        at += 2
        switch letter {
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "f"): result.append(0x0C)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(letter)
        case UInt8(ascii: "u"):
            guard at + 4 <= bytes.count,
                let code = UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16)
            else { throw wrong("bad escape") }
            at += 4
            // Half of a surrogate pair never occurs in what this carrier reads; it becomes a replacement
            // character.
            let scalar = UnicodeScalar(code) ?? "\u{FFFD}"
            result += Array(String(Character(scalar)).utf8)
        default: throw wrong("bad escape")
        }
    }

    private mutating func peek() -> UInt8? {
        while at < bytes.count, bytes[at] == 0x20 || (0x09...0x0D).contains(bytes[at]) { at += 1 }
        return at < bytes.count ? bytes[at] : nil
    }

    private mutating func expect(_ byte: UInt8) throws {
        guard peek() == byte else { throw wrong("expected \(Character(UnicodeScalar(byte)))") }
        at += 1
    }

    private static func isScalar(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x61...0x7A, 0x2B, 0x2D, 0x2E, 0x45: true
        default: false
        }
    }

    private func wrong(_ reason: String) -> MediaWire.Malformed { .init(reason: "\(reason) at byte \(at)") }
}
