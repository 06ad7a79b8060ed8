extension JSON {
    /// Deepest nesting that is read; more is refused, so that no input exhausts the stack.
    package static let depthMax = 64

    /// Reads one JSON text (RFC 8259); nil for anything else, trailing text or nesting beyond `depthMax`.
    package init?(parsing text: String) {
        var text = text
        guard
            let value = text.withUTF8({ bytes in
                var reader = JSONReader(bytes: bytes)
                return reader.document()
            })
        else { return nil }
        self = value
    }

    /// Reads the JSON text that `text` begins with, whatever follows it: nil where it begins with none, or with one nested beyond
    /// `depthMax`. `length`: its bytes in UTF-8.
    package static func prefix(of text: Substring) -> (value: JSON, length: Int)? {
        var text = text
        return text.withUTF8 { bytes in
            var reader = JSONReader(bytes: bytes)
            return reader.value().map { ($0, reader.at) }
        }
    }

    /// Compact JSON text, members sorted by key: the same value gives the same text.
    package var text: String {
        var out = ""
        write(to: &out)
        return out
    }

    private func write(to out: inout String) {
        switch self {
        case .null: out += "null"
        case .bool(let value): out += value ? "true" : "false"
        case .int(let value): out += String(value)
        case .double(let value): out += value.isFinite ? String(value) : "null"
        case .string(let value): Self.write(value, to: &out)
        case .array(let values):
            out += "["
            for (index, value) in values.enumerated() {
                if index > 0 { out += "," }
                value.write(to: &out)
            }
            out += "]"
        case .object(let members):
            out += "{"
            for (index, key) in members.keys.sorted().enumerated() {
                if index > 0 { out += "," }
                Self.write(key, to: &out)
                out += ":"
                members[key]?.write(to: &out)
            }
            out += "}"
        }
    }

    private static func write(_ string: String, to out: inout String) {
        out += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }
}

/// Recursive-descent reader over UTF-8 bytes.
private struct JSONReader {
    let bytes: UnsafeBufferPointer<UInt8>
    var at = 0
    var depth = 0

    init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    mutating func document() -> JSON? {
        guard let value = value() else { return nil }
        space()
        // Not `? value : nil`: there nil would be JSON's null.
        guard at == bytes.count else { return nil }
        return value
    }

    private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func space() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { at += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        at += 1
        return true
    }

    private mutating func word(_ text: StaticString, _ value: JSON) -> JSON? {
        let count = text.utf8CodeUnitCount
        guard at + count <= bytes.count else { return nil }
        for index in 0..<count where bytes[at + index] != text.utf8Start[index] { return nil }
        at += count
        return value
    }

    mutating func value() -> JSON? {
        space()
        switch next {
        case UInt8(ascii: "{"): return nested { $0.object() }
        case UInt8(ascii: "["): return nested { $0.array() }
        case UInt8(ascii: "\""): return string().map { .string($0) }
        case UInt8(ascii: "t"): return word("true", .bool(true))
        case UInt8(ascii: "f"): return word("false", .bool(false))
        case UInt8(ascii: "n"): return word("null", .null)
        default: return number()
        }
    }

    private mutating func nested(_ read: (inout JSONReader) -> JSON?) -> JSON? {
        guard depth < JSON.depthMax else { return nil }
        depth += 1
        defer { depth -= 1 }
        at += 1
        return read(&self)
    }

    private mutating func object() -> JSON? {
        var members: [String: JSON] = [:]
        space()
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            space()
            guard next == UInt8(ascii: "\""), let key = string() else { return nil }
            space()
            guard take(UInt8(ascii: ":")), let value = value() else { return nil }
            members[key] = value
            space()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { return nil }
        }
    }

    private mutating func array() -> JSON? {
        var values: [JSON] = []
        space()
        if take(UInt8(ascii: "]")) { return .array(values) }
        while true {
            guard let value = value() else { return nil }
            values.append(value)
            space()
            if take(UInt8(ascii: "]")) { return .array(values) }
            guard take(UInt8(ascii: ",")) else { return nil }
        }
    }

    private mutating func number() -> JSON? {
        let start = at
        var isWhole = true
        _ = take(UInt8(ascii: "-"))
        let first = at
        while let byte = next, (0x30...0x39).contains(byte) { at += 1 }
        guard at > first, at - first == 1 || bytes[first] != 0x30 else { return nil }
        if take(UInt8(ascii: ".")) {
            isWhole = false
            let digits = at
            while let byte = next, (0x30...0x39).contains(byte) { at += 1 }
            guard at > digits else { return nil }
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isWhole = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            let digits = at
            while let byte = next, (0x30...0x39).contains(byte) { at += 1 }
            guard at > digits else { return nil }
        }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        if isWhole, let value = Int64(text) { return .int(value) }
        guard let value = Double(text), value.isFinite else { return nil }
        return .double(value)
    }

    private mutating func string() -> String? {
        at += 1
        var out: [UInt8] = []
        while let byte = next {
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: out, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard escape(into: &out) else { return nil }
            case 0..<0x20: return nil
            default: out.append(byte)
            }
        }
        return nil
    }

    private mutating func escape(into out: inout [UInt8]) -> Bool {
        guard let byte = next else { return false }
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "u"):
            guard var code = hex() else { return false }
            if (0xD800...0xDBFF).contains(code) {
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")), let low = hex(),
                    (0xDC00...0xDFFF).contains(low)
                else { return false }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = UnicodeScalar(code) else { return false }
            out.append(contentsOf: String(Character(scalar)).utf8)
        default: return false
        }
        return true
    }

    private mutating func hex() -> UInt32? {
        guard at + 4 <= bytes.count else { return nil }
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(UnicodeScalar(bytes[at])).hexDigitValue else { return nil }
            code = code << 4 | UInt32(digit)
            at += 1
        }
        return code
    }
}
