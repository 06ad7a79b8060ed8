import Base

/// Letters, addresses of both kinds and sums out of words as people say them.
enum SpokenText {
    private static let alphabet: [String: Character] = [
        "alpha": "a", "alfa": "a", "bravo": "b", "charlie": "c", "delta": "d", "echo": "e", "foxtrot": "f",
        "golf": "g", "hotel": "h", "india": "i", "juliet": "j", "juliett": "j", "kilo": "k", "lima": "l",
        "mike": "m", "november": "n", "oscar": "o", "papa": "p", "quebec": "q", "romeo": "r", "sierra": "s",
        "tango": "t", "uniform": "u", "victor": "v", "whiskey": "w", "xray": "x", "yankee": "y", "zulu": "z",
    ]

    /// "s m i double l e", "b as in boy", "tango seven" → SMILLE, B, T7. Value upper case.
    static func letters(_ words: [String]) -> Understanding {
        var out = ""
        var at = 0
        while at < words.count {
            let word = words[at]
            let next = at + 1 < words.count ? words[at + 1] : ""
            if ["double", "triple"].contains(word), let letter = letter(next) {
                out += String(repeating: letter, count: word == "double" ? 2 : 3)
                at += 2
                continue
            }
            if let letter = letter(word), !isArticle(words, at) {
                out.append(letter)
                at += 1
                // "as in boy", "for boy", "like boy"
                if next == "as", at + 2 < words.count, words[at + 1] == "in" {
                    at += 3
                } else if ["for", "like"].contains(next), at + 1 < words.count {
                    at += 2
                }
                continue
            }
            if let digit = SpokenNumbers.one(word) { out += String(digit) }
            at += 1
        }
        guard !out.isEmpty else { return Understanding(value: nil, fullness: .none) }
        return Understanding(value: out.uppercased(), fullness: SpokenRequest.closes(words) ? .full : .enough)
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
            && !neighbours.contains { letter($0) != nil || $0 == "as" || $0 == "double" }
    }

    /// Any words; whole with a postal code at the end.
    static func address(_ text: String) -> Understanding {
        let words = Words.split(text)
        guard let last = words.last else { return Understanding(value: nil, fullness: .none) }
        let value = words.count >= 2 ? Words.trimmed(text) : nil
        let tail = words.reversed().prefix { SpokenNumbers.one($0) != nil || isNumber($0) || $0 == "oh" }
        let code = SpokenNumbers.digits(in: tail.reversed())
        let isZIP = code.count == 5 && words.count - tail.count >= 3
        let isUK =
            words.count >= 4 && last.count == 3 && last.first?.isNumber == true
            && last.dropFirst().allSatisfy(\.isLetter)
            && words[words.count - 2].last.map { $0.isNumber || $0.isLetter } == true
            && words[words.count - 2].contains(where: \.isNumber)
        return Understanding(
            value: value,
            fullness: value != nil && (isZIP || isUK || SpokenRequest.closes(words)) ? .full : .part)
    }

    private static func isNumber(_ word: String) -> Bool {
        word.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static let signs = [
        "at": "@", "dot": ".", "point": ".", "period": ".", "underscore": "_", "dash": "-", "hyphen": "-",
        "minus": "-", "plus": "+",
    ]
    private static let leadIns: Set<String> = [
        "my", "email", "e-mail", "mail", "address", "is", "it's", "it", "the", "um", "uh", "so", "yes",
        "sure", "okay",
    ]
    /// Nothing follows these.
    private static let lastParts: Set<Substring> = ["com", "org", "net", "edu", "gov"]

    /// "john dot smith at gmail dot com" → john.smith@gmail.com.
    static func email(_ text: String) -> Understanding {
        let words = text.lowercased().split(whereSeparator: \.isWhitespace).map { word in
            String(word.trimmingMarks())
        }
        var out = ""
        for word in words.drop(while: leadIns.contains) where !word.isEmpty {
            out += signs[word] ?? SpokenNumbers.one(word).map(String.init) ?? word
        }
        let isClosed = SpokenRequest.closes(Words.split(text))
        if isClosed, let end = out.firstRange(of: "that's") { out = String(out[..<end.lowerBound]) }
        guard !out.isEmpty else { return Understanding(value: nil, fullness: .none) }
        let parts = out.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, let dot = parts[1].lastIndex(of: "."),
            dot != parts[1].startIndex
        else { return Understanding(value: nil, fullness: .part) }
        let last = parts[1][parts[1].index(after: dot)...]
        guard last.count >= 2, last.allSatisfy(\.isLetter) else {
            return Understanding(value: nil, fullness: .part)
        }
        return Understanding(value: out, fullness: isClosed || lastParts.contains(last) ? .full : .enough)
    }

    private static let scales = ["hundred": 100, "thousand": 1000, "grand": 1000, "million": 1_000_000]
    /// More is nobody's answer on the telephone.
    private static let amountMax = 1_000_000_000

    /// "two hundred and fifty dollars and ten cents", "$250.10" → 250.10; whole once cents are said.
    static func amount(_ text: String) -> Understanding {
        var whole: Int?
        var cents: Int?
        var current: Int?
        var hasUnit = false
        func add(_ value: Int) { current = min(amountMax, (current ?? 0) + value) }
        for piece in text.lowercased().split(whereSeparator: { $0.isWhitespace || $0 == "-" }) {
            let bare = piece.filter { !"$€£,?!".contains($0) }
            let word = bare.last == "." ? String(bare.dropLast()) : bare
            if let value = SpokenNumbers.single(word) {
                add(value)
            } else if let scale = scales[word] {
                current = min(amountMax, max(1, current ?? 1) * scale)
                if scale > 100 {
                    whole = min(amountMax, (whole ?? 0) + (current ?? 0))
                    current = nil
                }
            } else if let (major, minor) = written(word) {
                add(major)
                if let minor {
                    whole = (whole ?? 0) + (current ?? 0)
                    current = nil
                    cents = minor
                }
            } else if ["dollar", "dollars", "euro", "euros", "pound", "pounds", "bucks"].contains(word) {
                hasUnit = true
                whole = (whole ?? 0) + (current ?? 0)
                current = nil
            } else if ["cent", "cents", "pence", "penny", "pennies"].contains(word), let value = current {
                cents = value
                current = nil
            }
        }
        if let rest = current {
            if hasUnit, cents == nil, rest < 100 { cents = rest } else { whole = (whole ?? 0) + rest }
        }
        guard whole != nil || cents != nil else { return Understanding(value: nil, fullness: .none) }
        let minor = cents.map { $0 % 100 }
        let value = String(whole ?? 0) + (minor.map { $0 < 10 ? ".0\($0)" : ".\($0)" } ?? "")
        return Understanding(value: value, fullness: cents != nil ? .full : .enough)
    }

    /// `250`, `250.10`.
    private static func written(_ word: String) -> (Int, Int?)? {
        let parts = word.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ isNumber(String($0)) && !$0.isEmpty }),
            let major = Int(parts[0]), major <= amountMax
        else { return nil }
        guard parts.count == 2 else { return (major, nil) }
        return parts[1].count == 2 ? Int(parts[1]).map { (major, $0) } : nil
    }
}

extension Substring {
    /// Without the marks a recogniser sets around words.
    fileprivate func trimmingMarks() -> Substring {
        func isMark(_ character: Character) -> Bool { ".,;:!?\"".contains(character) }
        let start = drop(while: isMark)
        guard let end = start.lastIndex(where: { !isMark($0) }) else { return "" }
        return start[...end]
    }
}
