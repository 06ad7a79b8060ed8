/// Text cut into words the way answers are compared: lower case, no punctuation but inner `'` and `-` of
/// hums.
package enum Words {
    /// Hums keep their hyphen; everything else is cut at it ("twenty-three", "555-0122").
    private static let hyphenated: Set<String> = ["mm-hm", "mm-hmm", "uh-huh", "mhm-hm", "uh-oh"]

    private static func isPart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "'"),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }

    package static func split(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        if let bytes = ascii(text) {
            for byte in bytes {
                let lower = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
                if isPart(lower) {
                    word.unicodeScalars.append(UnicodeScalar(lower))
                } else if !word.isEmpty {
                    finish(&word, into: &words)
                }
            }
            finish(&word, into: &words)
            return words
        }
        for character in text.lowercased() {
            let character: Character = character == "\u{2019}" ? "'" : character
            let isPart = character.asciiValue.map(isPart) ?? (character.isLetter || character.isNumber)
            if isPart {
                word.append(character)
            } else if !word.isEmpty {
                finish(&word, into: &words)
            }
        }
        finish(&word, into: &words)
        return words
    }

    /// Nearly all that is said in English, and many times cheaper to read.
    private static func ascii(_ text: String) -> String.UTF8View? {
        text.utf8.allSatisfy { $0 < 0x80 } ? text.utf8 : nil
    }

    private static func finish(_ word: inout String, into words: inout [String]) {
        defer { word = "" }
        guard !word.isEmpty else { return }
        guard word.utf8.contains(where: { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "'") }) else {
            return words.append(word)
        }
        if hyphenated.contains(word) {
            words.append(word == "mm-hmm" ? "mm-hm" : word)
            return
        }
        for part in word.split(separator: "-") {
            let bare = part.drop { $0 == "'" }
            if !bare.isEmpty { words.append(String(bare)) }
        }
    }

    package static func range(of phrase: [String], in words: [String]) -> Range<Int>? {
        guard !phrase.isEmpty, phrase.count <= words.count else { return nil }
        for start in 0...(words.count - phrase.count)
        where words[start..<start + phrase.count].elementsEqual(phrase) {
            return start..<start + phrase.count
        }
        return nil
    }

    package static func lastRange(of phrase: [String], in words: [String]) -> Range<Int>? {
        guard !phrase.isEmpty, phrase.count <= words.count else { return nil }
        for start in (0...(words.count - phrase.count)).reversed()
        where words[start..<start + phrase.count].elementsEqual(phrase) {
            return start..<start + phrase.count
        }
        return nil
    }

    /// Without white space at either end.
    package static func trimmed(_ text: String) -> String {
        func isEdge(_ byte: UInt8?) -> Bool { byte.map { $0 <= 0x20 || $0 >= 0x80 } ?? false }
        guard isEdge(text.utf8.first) || isEdge(text.utf8.last) else { return text }
        let start = text.drop { $0.isWhitespace }
        guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...end])
    }
}
