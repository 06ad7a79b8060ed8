/// Text cut into words the way answers are compared: lower case, no punctuation but inner `'` and `-` of
/// hums.
package enum Words {
    /// Hums keep their hyphen; everything else is cut at it ("twenty-three", "555-0122").
    private static let hyphenated: Set<String> = ["mm-hm", "mm-hmm", "uh-huh", "mhm-hm", "uh-oh"]

    package static func split(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        func isPart(_ character: Character) -> Bool {
            character.isLetter || character.isNumber || character == "'" || character == "-"
        }
        for character in text.lowercased() {
            let character: Character = character == "\u{2019}" ? "'" : character
            if isPart(character) {
                word.append(character)
            } else if !word.isEmpty {
                finish(&word, into: &words)
            }
        }
        finish(&word, into: &words)
        return words
    }

    private static func finish(_ word: inout String, into words: inout [String]) {
        defer { word = "" }
        guard !word.isEmpty else { return }
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
        let start = text.drop { $0.isWhitespace }
        guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...end])
    }
}
