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
        var text = text
        return text.withUTF8 { ascii($0) } ?? other(text)
    }

    /// Nearly all that is said in English, and many times cheaper to read; nil for other text.
    private static func ascii(_ bytes: UnsafeBufferPointer<UInt8>) -> [String]? {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bytes.count) { word in
            var words: [String] = []
            var length = 0
            var isMarked = false
            func finish() {
                guard length > 0 else { return }
                let text = String(decoding: UnsafeBufferPointer(word.extracting(..<length)), as: UTF8.self)
                if isMarked { add(marked: text, to: &words) } else { words.append(text) }
                length = 0
                isMarked = false
            }
            for byte in bytes {
                guard byte < 0x80 else { return nil }
                let lower = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
                guard isPart(lower) else {
                    finish()
                    continue
                }
                if lower < UInt8(ascii: "0") { isMarked = true }
                word[length] = lower
                length += 1
            }
            finish()
            return words
        }
    }

    private static func other(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        func finish() {
            guard !word.isEmpty else { return }
            add(marked: word, to: &words)
            word = ""
        }
        for character in text.lowercased() {
            let character: Character = character == "\u{2019}" ? "'" : character
            let isPart = character.asciiValue.map(isPart) ?? (character.isLetter || character.isNumber)
            if isPart { word.append(character) } else { finish() }
        }
        finish()
        return words
    }

    /// A word that may hold `'` or `-`.
    private static func add(marked word: String, to words: inout [String]) {
        if hyphenated.contains(word) { return words.append(word == "mm-hmm" ? "mm-hm" : word) }
        for part in word.split(separator: "-") {
            let bare = part.drop { $0 == "'" }
            if !bare.isEmpty { words.append(String(bare)) }
        }
    }

    package static func range(of phrase: [String], in words: [String]) -> Range<Int>? {
        guard !phrase.isEmpty, phrase.count <= words.count else { return nil }
        for start in 0...(words.count - phrase.count) where stands(phrase, in: words, at: start) {
            return start..<start + phrase.count
        }
        return nil
    }

    package static func lastRange(of phrase: [String], in words: [String]) -> Range<Int>? {
        guard !phrase.isEmpty, phrase.count <= words.count else { return nil }
        for start in (0...(words.count - phrase.count)).reversed()
        where stands(phrase, in: words, at: start) {
            return start..<start + phrase.count
        }
        return nil
    }

    /// `words` hold `phrase` from `start` on; false where they end before it does.
    package static func stands(_ phrase: [String], in words: [String], at start: Int) -> Bool {
        guard start + phrase.count <= words.count else { return false }
        for index in phrase.indices where phrase[index] != words[start + index] { return false }
        return true
    }

    /// `text`, which begins with `count` words, without them: as it is written, single blanks between words.
    package static func dropping(_ count: Int, of text: String) -> String {
        guard count > 0 else { return text }
        let written = text.split { $0.isWhitespace }
        var left = count
        for (index, word) in written.enumerated() {
            if left <= 0 { return written[index...].joined(separator: " ") }
            left -= split(String(word)).count
        }
        return ""
    }

    /// Its first `max` characters.
    package static func cut(_ text: String, to max: Int) -> String {
        text.utf8.count <= max ? text : String(text.prefix(max))
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
