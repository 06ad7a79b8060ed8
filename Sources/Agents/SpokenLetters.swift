import Base

/// Letters one by one, as people spell.
///
/// "s m i double l e", "b as in boy", "tango seven", "double u" → SMILLE, B, T7, W; "j o h n no j o n" → JON; "s m i t h, y not
/// i" → SMYTH.
enum SpokenLetters {
    private enum Piece: Hashable { case letters(String), no, not }

    private static let alphabet: [String: Character] = [
        "alpha": "a", "alfa": "a", "bravo": "b", "charlie": "c", "delta": "d", "echo": "e", "foxtrot": "f",
        "golf": "g", "hotel": "h", "india": "i", "juliet": "j", "juliett": "j", "kilo": "k", "lima": "l",
        "mike": "m", "november": "n", "oscar": "o", "papa": "p", "quebec": "q", "romeo": "r", "sierra": "s",
        "tango": "t", "uniform": "u", "victor": "v", "whiskey": "w", "xray": "x", "yankee": "y", "zulu": "z",
    ]

    /// Value upper case.
    static func read(_ words: [String]) -> Understanding {
        // Corrected, and nobody knows how: waiting longer does not make it an answer.
        let pieces = pieces(in: words)
        guard let out = joined(pieces) else { return Understanding(value: nil, fullness: .enough) }
        guard !out.isEmpty else { return Understanding(value: nil, fullness: .none) }
        // "j o h n no": what is right instead is owed.
        if pieces.last == .no || pieces.last == .not { return Understanding(value: nil, fullness: .part) }
        return Understanding(value: out.uppercased(), fullness: SpokenRequest.closes(words) ? .full : .enough)
    }

    /// "double l" → ll, "double u" → w; nil where no letter is doubled.
    static func multiplied(_ words: [String], _ at: Int) -> String? {
        guard words[at] == "double" || words[at] == "triple", at + 1 < words.count else { return nil }
        let next = words[at + 1]
        if words[at] == "double", next == "u" || next == "you" { return "w" }
        return letter(next).map { String(repeating: $0, count: words[at] == "double" ? 2 : 3) }
    }

    private static func pieces(in words: [String]) -> [Piece] {
        var pieces: [Piece] = []
        func add(_ letters: String) {
            if case .letters(let before) = pieces.last {
                pieces[pieces.count - 1] = .letters(before + letters)
            } else {
                pieces.append(.letters(letters))
            }
        }
        var at = 0
        while at < words.count {
            let word = words[at]
            let next = at + 1 < words.count ? words[at + 1] : ""
            if let letters = multiplied(words, at) {
                add(letters)
                at += 2
            } else if let used = SpokenCorrections.mark(words, at) {
                if pieces.last != .no { pieces.append(.no) }
                at += used
            } else if let letter = letter(word), !isArticle(words, at) {
                add(String(letter))
                at += 1
                // "as in boy", "for boy", "like boy"
                if next == "as", at + 2 < words.count, words[at + 1] == "in" {
                    at += 3
                } else if ["for", "like"].contains(next), at + 1 < words.count {
                    at += 2
                }
            } else {
                if word == "not" { pieces.append(.not) }
                if let digit = SpokenNumbers.one(word) { add(String(digit)) }
                at += 1
            }
        }
        return pieces
    }

    /// nil where something was corrected, and it is not certain what.
    private static func joined(_ pieces: [Piece]) -> String? {
        func letters(_ at: Int) -> String? {
            if at < pieces.count, case .letters(let letters) = pieces[at] { letters } else { nil }
        }
        func isNot(_ at: Int) -> Bool { at < pieces.count && pieces[at] == .not }
        var out = ""
        var at = 0
        while at < pieces.count {
            let isCorrection = at > 0 && pieces[at - 1] == .no && !out.isEmpty
            if let run = letters(at), isNot(at + 1), let wrong = letters(at + 2) {
                // "s m i t h, y not i", and "s not f", which says which of two that sound alike.
                guard wrong.count == 1, run.last != wrong.first, !isCorrection || run.count == 1 else {
                    return nil
                }
                let before = out + run.dropLast()
                guard let mended = replaced(wrong, by: String(run.suffix(1)), in: before) else { return nil }
                out = mended == before ? before + run.suffix(1) : mended
                at += 3
            } else if isNot(at), let pair = letters(at + 1), !out.isEmpty {
                // "not i, y"
                guard pair.count == 2,
                    let mended = replaced(String(pair.prefix(1)), by: String(pair.suffix(1)), in: out),
                    mended != out
                else { return nil }
                out = mended
                at += 2
            } else if let run = letters(at) {
                guard let mended = isCorrection ? corrected(out, by: run) : out + run else { return nil }
                out = mended
                at += 1
            } else {
                at += 1
            }
        }
        return out
    }

    /// `letters` as they are where there is no such letter; nil where there are several.
    private static func replaced(_ wrong: String, by right: String, in letters: String) -> String? {
        let count = letters.count { String($0) == wrong }
        guard count <= 1 else { return nil }
        return letters.map { String($0) == wrong ? right : String($0) }.joined()
    }

    /// `run` is all of it once more, or its last letter.
    private static func corrected(_ letters: String, by run: String) -> String? {
        if run.count >= letters.count || (run.count > 1 && run.first == letters.first) { return run }
        return run.count == 1 ? letters.dropLast() + run : nil
    }

    private static func letter(_ word: String) -> Character? {
        if word.count == 1, let letter = word.first, letter.isLetter || letter.isNumber { return letter }
        return alphabet[word]
    }

    /// "a" and "i" are letters only beside others.
    private static func isArticle(_ words: [String], _ at: Int) -> Bool {
        guard words[at] == "a" || words[at] == "i" else { return false }
        let neighbours = [at - 1, at + 1].filter(words.indices.contains).map { words[$0] }
        return !neighbours.isEmpty
            && !neighbours.contains { letter($0) != nil || $0 == "as" || $0 == "double" || $0 == "not" }
    }
}
