import Base

/// An e-mail address out of words, with what is corrected at its end.
///
/// "john dot smith at gmail dot com" → john.smith@gmail.com; "… no smyth s m y t h" → john.smyth@gmail.com; "… no at example
/// dot org" → john.smith@example.org. A correction that fits nowhere leaves no address.
enum SpokenEmail {
    private enum Token: Hashable { case text(String), at, dot }

    private static let signs = [
        "at": "@", "dot": ".", "point": ".", "period": ".", "underscore": "_", "dash": "-", "hyphen": "-",
        "minus": "-", "plus": "+",
    ]
    private static let leadIns: Set<String> = [
        "my", "email", "e-mail", "mail", "address", "is", "it's", "it", "the", "so", "yes", "sure", "okay",
    ]
    private static let hesitations: Set<String> = ["um", "uh", "er", "erm", "hmm"]
    /// Nothing of an address, at the end of what is said.
    private static let courtesies = [
        ["please"], ["thank", "you"], ["thanks"], ["okay"], ["ok"], ["yes"], ["yeah"], ["right"],
        ["that's", "it"], ["that", "is", "it"], ["that's", "all"], ["that", "is", "all"],
        ["that's", "everything"], ["i'm", "done"],
    ]
    /// Around what a correction gives.
    private static let around: Set<String> = [
        "it's", "it", "is", "its", "the", "that's", "that", "spelled", "spelt", "with", "should", "be", "a",
    ]
    /// Nothing follows these.
    private static let lastParts: Set<String> = ["com", "org", "net", "edu", "gov"]

    fileprivate struct Address: Hashable {
        var local: String
        /// At least two; the last is letters only.
        var labels: [String]

        var text: String { local + "@" + labels.joined(separator: ".") }
    }

    static func read(_ text: String) -> Understanding {
        let isClosed = SpokenRequest.closes(Words.split(text))
        let all = segments(in: text)
        let segments = all.filter { !$0.isEmpty }
        guard let first = segments.first else { return Understanding(value: nil, fullness: .none) }
        // "… dot com no": what is right instead is owed.
        guard all.last?.isEmpty == false else { return Understanding(value: nil, fullness: .part) }
        var address = whole(first)
        for segment in segments.dropFirst() {
            if let said = whole(segment) {
                address = said
            } else if let mended = mended(address, local: written(parts(first).local), by: segment) {
                address = mended
            } else {
                // Corrected, and nobody knows how: waiting longer does not make it an answer.
                return Understanding(value: nil, fullness: .enough)
            }
        }
        guard let address else {
            return Understanding(value: nil, fullness: parts(first).tail.isEmpty ? .part : .enough)
        }
        let isFull = isClosed || (segments.count == 1 && lastParts.contains(address.labels.last ?? ""))
        return Understanding(value: address.text, fullness: isFull ? .full : .enough)
    }

    // MARK: - Words

    /// What was said between marks of correction, without courtesies; the last one may be empty.
    private static func segments(in text: String) -> [[String]] {
        let words = text.lowercased().split(whereSeparator: \.isWhitespace)
            .map { String($0.trimmingMarks().map { $0 == "’" ? "'" : $0 }) }
            .filter { !$0.isEmpty && !hesitations.contains($0) }
        var segments: [[String]] = [[]]
        var at = 0
        while at < words.count {
            // "No reply at example dot com" begins with one of these words.
            if let used = SpokenCorrections.mark(words, at),
                !Words.stands(["no", "reply"], in: words, at: at)
            {
                if segments.last?.isEmpty == false { segments.append([]) }
                at += used
            } else {
                let isLeadIn = segments.last?.isEmpty == true && leadIns.contains(words[at])
                if !isLeadIn { segments[segments.count - 1].append(words[at]) }
                at += 1
            }
        }
        return segments.map(withoutCourtesies)
    }

    private static func withoutCourtesies(_ words: [String]) -> [String] {
        var words = words
        while let phrase = courtesies.first(where: { words.suffix($0.count).elementsEqual($0) }) {
            words.removeLast(phrase.count)
        }
        return words
    }

    private static func tokens(_ words: [String]) -> [Token] {
        var tokens: [Token] = []
        var at = 0
        while at < words.count {
            if let letters = SpokenLetters.multiplied(words, at) {
                tokens.append(.text(letters))
                at += 2
                continue
            }
            let word = signs[words[at]] ?? SpokenNumbers.one(words[at]).map(String.init) ?? words[at]
            var part = ""
            for character in word {
                guard character == "@" || character == "." else {
                    part.append(character)
                    continue
                }
                if !part.isEmpty { tokens.append(.text(part)) }
                part = ""
                tokens.append(character == "@" ? .at : .dot)
            }
            if !part.isEmpty { tokens.append(.text(part)) }
            at += 1
        }
        return tokens
    }

    /// Texts beside each other as one; a word that is spelled at once after it stands as it is spelled.
    private static func glued(_ texts: some Sequence<String>) -> String {
        var parts: [String] = []
        var spelled = ""
        func finish() {
            if spelled.count > 2, let last = parts.last, SpokenEmail.distance(last, spelled) <= nearest {
                parts.removeLast()
            }
            if !spelled.isEmpty { parts.append(spelled) }
            spelled = ""
        }
        for text in texts {
            if text.count == 1, text.first?.isLetter == true {
                spelled += text
            } else {
                finish()
                parts.append(text)
            }
        }
        finish()
        return parts.joined()
    }

    // MARK: - Addresses

    /// What stands before the "at", between its dots and behind its last part.
    private static func parts(_ words: [String]) -> (local: [Token], labels: [String]?, tail: [Token]) {
        let tokens = tokens(words)
        guard let at = tokens.firstIndex(of: .at) else { return (tokens, nil, []) }
        let local = Array(tokens[..<at])
        var labels: [String] = []
        var rest = tokens[(at + 1)...]
        while true {
            let run = rest.prefix { if case .text = $0 { true } else { false } }
            let texts = run.compactMap { if case .text(let text) = $0 { text } else { nil } }
            let after = rest.dropFirst(run.count)
            guard let first = texts.first else { return (local, nil, []) }
            // What is written before a dot belongs to it, unless the address had ended.
            if after.first == .dot, labels.isEmpty || texts.count == 1 || !lastParts.contains(first) {
                labels.append(glued(texts))
                rest = after.dropFirst()
            } else if labels.isEmpty {
                return (local, nil, [])
            } else {
                // Spelled, "dot c o m", or one word.
                let used = max(1, texts.prefix { $0.count == 1 }.count)
                labels.append(texts.prefix(used).joined())
                return (local, isDomain(labels) ? labels : nil, Array(rest.dropFirst(used)))
            }
        }
    }

    private static func isDomain(_ labels: [String]) -> Bool {
        labels.last.map { $0.count >= 2 && $0.allSatisfy(\.isLetter) } ?? false
    }

    private static func whole(_ words: [String]) -> Address? {
        let (tokens, labels, rest) = parts(words)
        let local = written(tokens)
        guard let labels, !local.isEmpty, !isMore(rest) else { return nil }
        return Address(local: local, labels: labels)
    }

    private static func written(_ tokens: [Token]) -> String {
        tokens.split(separator: .dot, omittingEmptySubsequences: false).map { part in
            glued(part.compactMap { if case .text(let text) = $0 { text } else { nil } })
        }
        .joined(separator: ".")
    }

    /// Words behind an address that say something of it: more than "… is my address".
    private static func isMore(_ tail: [Token]) -> Bool {
        tail.contains { token in
            guard case .text(let text) = token else { return true }
            let isLetter = text.count == 1 && text != "a" && text != "i"
            return isLetter || SpokenDenials.ofTheNext([text], 0) != nil
                || ["with", "spelled", "spelt", "as"].contains(text)
        }
    }

    // MARK: - Corrections

    /// Letters in which a word may differ from the one that it corrects.
    private static let nearest = 2

    /// `local`: what was said before the "at", where there is no whole address yet.
    private static func mended(_ address: Address?, local: String, by words: [String]) -> Address? {
        let (before, labels, rest) = parts(words)
        if let labels, before.isEmpty, rest.isEmpty {
            let kept = address?.local ?? local
            return kept.isEmpty ? nil : Address(local: kept, labels: labels)
        }
        guard var address, labels == nil else { return nil }
        if before.count == 2, before[0] == .dot, case .text(let last) = before[1], last.allSatisfy(\.isLetter)
        {
            address.labels[address.labels.count - 1] = last
            return address
        }
        var texts: [String] = []
        for token in before {
            guard case .text(let text) = token else { return nil }
            if !around.contains(text) || (text == "a" && !texts.isEmpty && texts.allSatisfy { $0.count == 1 })
            {
                texts.append(text)
            }
        }
        if let not = texts.firstIndex(of: "not") {
            let (right, wrong) = (glued(texts[..<not]), glued(texts[(not + 1)...]))
            return right.isEmpty || wrong.isEmpty ? nil : address.replacing(wrong, by: right)
        }
        let right: String
        if texts.count == 2, texts[0].count > 2, texts[1].count == 1, texts[0].contains(texts[1]) {
            right = texts[0]  // "Smyth with a y."
        } else {
            right = glued(texts)
        }
        return address.replacingNearest(to: right, within: nearest)
    }

    /// Letters to put in, take out or change.
    fileprivate static func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a.utf8), Array(b.utf8))
        var row = Array(0...b.count)
        for i in a.indices {
            var corner = row[0]
            row[0] = i + 1
            for j in b.indices {
                let next = min(row[j] + 1, row[j + 1] + 1, corner + (a[i] == b[j] ? 0 : 1))
                corner = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[b.count]
    }
}

extension SpokenEmail.Address {
    /// Its parts that words stand for; the last one of the domain is corrected as "dot org".
    private var parts: [String] {
        local.split { ".-_+".contains($0) }.map(String.init) + labels.dropLast()
    }

    /// nil where `wrong` is none of its parts, or several.
    fileprivate func replacing(_ wrong: String, by right: String) -> Self? {
        guard right != wrong, parts.count(where: { $0 == wrong }) == 1 else { return nil }
        var mended = self
        if let label = labels.dropLast().firstIndex(of: wrong) {
            mended.labels[label] = right
            return mended
        }
        var out = ""
        var part = ""
        for character in local + "." {
            guard ".-_+".contains(character) else {
                part.append(character)
                continue
            }
            out += (part == wrong ? right : part) + String(character)
            part = ""
        }
        mended.local = String(out.dropLast())
        return mended
    }

    /// The one part that sounds like `word`; nil where none does, or several.
    fileprivate func replacingNearest(to word: String, within: Int) -> Self? {
        let near = parts.map { (part: $0, distance: SpokenEmail.distance($0, word)) }
            .filter { $0.distance <= within && $0.distance < Swift.min($0.part.count, word.count) - 1 }
        guard let least = near.map(\.distance).min() else { return nil }
        let nearest = near.filter { $0.distance == least }
        return nearest.count == 1 ? replacing(nearest[0].part, by: word) : nil
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
