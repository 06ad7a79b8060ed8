/// HTML being written: text is escaped where it goes in, so no words of a call can become markup. Pure.
struct Markup {
    private(set) var text = ""

    /// A number, colour or name of the page's own in an attribute, or words: both are escaped alike.
    typealias Attribute = (String, String)

    mutating func element(_ name: String, _ content: String) { element(name, [], content) }

    mutating func element(_ name: String, _ attributes: [Attribute], _ content: String) {
        open(name, attributes)
        words(content)
        close(name)
    }

    mutating func element(_ name: String, _ attributes: [Attribute] = [], _ content: (inout Markup) -> Void) {
        open(name, attributes)
        content(&self)
        close(name)
    }

    /// An element without content: `<line …/>`, `<meta …/>`.
    mutating func empty(_ name: String, _ attributes: [Attribute]) { open(name, attributes, end: "/>") }

    mutating func words(_ words: String) { text += Self.escaped(words) }

    /// The page's own styles and script; never anything of a call.
    mutating func own(_ code: String) { text += code }

    private mutating func open(_ name: String, _ attributes: [Attribute], end: String = ">") {
        text += "<" + name
        for (key, value) in attributes { text += " \(key)=\"\(Self.escaped(value))\"" }
        text += end
    }

    private mutating func close(_ name: String) { text += "</" + name + ">" }

    static func escaped(_ words: String) -> String {
        var out = ""
        out.reserveCapacity(words.utf8.count)
        for scalar in words.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            // Control characters are no HTML.
            case "\u{0}"..."\u{8}", "\u{B}"..."\u{1F}", "\u{7F}"...("\u{9F}"): out += "\u{FFFD}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
