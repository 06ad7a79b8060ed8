/// An element of a small XML document: names, attributes, child elements and text. No namespaces, no DTD.
package struct Markup: Hashable, Sendable {
    package var name: String
    package var attributes: [String: String] = [:]
    package var children: [Markup] = []
    /// All character data directly inside, entities resolved.
    package var text = ""

    package struct Malformed: Error, Hashable, Sendable {
        package var reason: String
    }

    /// Nesting beyond this is refused.
    static let depthMax = 16

    /// - Throws: `Malformed` for anything but one well-formed element (with prolog and comments around it).
    package static func parse(_ document: String) throws -> Markup {
        var reader = MarkupReader(document)
        reader.skipProlog()
        let root = try reader.element(depth: 0)
        reader.skipProlog()
        guard reader.isAtEnd else { throw Malformed(reason: "text after the root element") }
        return root
    }
}

private struct MarkupReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    var isAtEnd: Bool { at >= bytes.count }

    mutating func skipProlog() {
        while true {
            skipSpace()
            if starts(with: "<?") {
                skip(past: "?>")
            } else if starts(with: "<!--") {
                skip(past: "-->")
            } else {
                return
            }
        }
    }

    mutating func element(depth: Int) throws -> Markup {
        guard depth < Markup.depthMax else { throw Markup.Malformed(reason: "too deep") }
        try expect("<")
        var element = Markup(name: try name())
        while true {
            skipSpace()
            if starts(with: "/>") {
                at += 2
                return element
            }
            if starts(with: ">") {
                at += 1
                break
            }
            let (key, value) = try attribute()
            guard element.attributes.updateValue(value, forKey: key) == nil else {
                throw Markup.Malformed(reason: "attribute twice: \(key)")
            }
        }
        try content(of: &element, depth: depth)
        return element
    }

    private mutating func content(of element: inout Markup, depth: Int) throws {
        while !isAtEnd {
            if starts(with: "</") {
                at += 2
                guard try name() == element.name else { throw Markup.Malformed(reason: "wrong end tag") }
                skipSpace()
                return try expect(">")
            } else if starts(with: "<!--") {
                skip(past: "-->")
            } else if starts(with: "<![CDATA[") {
                at += 9
                element.text += text(until: "]]>")
                skip(past: "]]>")
            } else if starts(with: "<") {
                element.children.append(try self.element(depth: depth + 1))
            } else {
                element.text += try Self.resolve(text(until: "<"))
            }
        }
        throw Markup.Malformed(reason: "missing end tag: \(element.name)")
    }

    private mutating func attribute() throws -> (String, String) {
        let key = try name()
        skipSpace()
        try expect("=")
        skipSpace()
        guard !isAtEnd, bytes[at] == 0x22 || bytes[at] == 0x27 else {
            throw Markup.Malformed(reason: "no quote")
        }
        let quote = bytes[at] == 0x22 ? "\"" : "'"
        at += 1
        let value = try Self.resolve(text(until: quote))
        try expect(quote)
        return (key, value)
    }

    private mutating func name() throws -> String {
        let start = at
        while !isAtEnd {
            switch bytes[at] {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x3A, 0x5F: at += 1
            default:
                guard at > start else { throw Markup.Malformed(reason: "name expected") }
                return String(decoding: bytes[start..<at], as: UTF8.self)
            }
        }
        throw Markup.Malformed(reason: "name expected")
    }

    private mutating func skipSpace() {
        while !isAtEnd, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
    }

    private func starts(with text: String) -> Bool { bytes[min(at, bytes.count)...].starts(with: text.utf8) }

    private mutating func expect(_ text: String) throws {
        guard starts(with: text) else { throw Markup.Malformed(reason: "expected \(text)") }
        at += text.utf8.count
    }

    private mutating func skip(past text: String) {
        _ = self.text(until: text)
        at = min(bytes.count, at + text.utf8.count)
    }

    private mutating func text(until end: String) -> String {
        let start = at
        while !isAtEnd, !starts(with: end) { at += 1 }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private static func resolve(_ text: String) throws -> String {
        guard text.contains("&") else { return text }
        var result = ""
        var rest = text[...]
        while let and = rest.firstIndex(of: "&") {
            result += rest[..<and]
            guard let end = rest[and...].firstIndex(of: ";") else { throw Markup.Malformed(reason: "bare &") }
            let entity = rest[rest.index(after: and)..<end]
            guard let character = character(entity) else { throw Markup.Malformed(reason: "unknown entity") }
            result.append(character)
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    private static func character(_ entity: Substring) -> Character? {
        switch entity {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard entity.hasPrefix("#") else { return nil }
            let isHex = entity.hasPrefix("#x")
            return UInt32(entity.dropFirst(isHex ? 2 : 1), radix: isHex ? 16 : 10).flatMap(UnicodeScalar.init)
                .map(Character.init)
        }
    }
}
