import Base

/// `{{name}}` in lines and tool arguments. One pass: what is filled in is not looked at again.
package enum Template {
    /// Characters of a filled-in line; the rest is cut.
    package static let textMax = 4000
    /// And of a filled-in system text: what an agent may have, and as much again for what is filled in.
    package static let systemMax = 2 * AgentLimits.systemCharacters

    /// The names between `{{` and `}}`, in order; nil when braces do not close.
    package static func names(in text: String) -> [String]? {
        var names: [String] = []
        guard walk(text, text: { _ in }, name: { names.append($0) }) else { return nil }
        return names
    }

    /// Unknown names become nothing.
    package static func filled(_ text: String, max: Int = textMax, with value: (String) -> String?) -> String
    {
        guard text.utf8.contains(UInt8(ascii: "{")) else { return Words.cut(text, to: max) }
        var out = ""
        _ = walk(text, text: { out += $0 }, name: { out += value($0) ?? "" })
        return Words.cut(out, to: max)
    }

    private static func walk(_ whole: String, text: (Substring) -> Void, name: (String) -> Void) -> Bool {
        var rest = whole[...]
        while let open = rest.firstRange(of: "{{") {
            text(rest[..<open.lowerBound])
            rest = rest[open.upperBound...]
            guard let close = rest.firstRange(of: "}}") else { return false }
            name(Words.trimmed(String(rest[..<close.lowerBound])))
            rest = rest[close.upperBound...]
        }
        text(rest)
        return true
    }

    /// A dictated number is said digit by digit, "5 5 5, 0 1 2 2": a voice would read millions.
    package static func spoken(digits: String) -> String {
        var groups: [Substring] = []
        var rest = digits[...]
        while rest.count > 4 {
            groups.append(rest.prefix(3))
            rest = rest.dropFirst(3)
        }
        groups.append(rest)
        return groups.map { $0.map(String.init).joined(separator: " ") }.joined(separator: ", ")
    }
}
