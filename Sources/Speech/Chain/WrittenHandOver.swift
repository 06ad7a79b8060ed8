import Base

/// Reads along with a probed model that may write the hand-over (`HandOver`) in place of calling it. Pure.
///
/// Words are passed on as they come; back stays only what could still become a written hand-over: its name in any spelling, a
/// lead-in ("I will call"), a JSON object or a code fence. The name by itself is one where a sentence begins and it is all of
/// it; as code (`hand_over`, `handover()`) and after a lead-in it is one anywhere. "Hand over your passport" is none. What looks like a
/// call of any other tool, as JSON or in tags, is one too: the probe has no other, and nobody wants to hear it.
struct WrittenHandOver: Sendable {
    struct Reading: Hashable, Sendable {
        /// To be passed on.
        var words: String
        /// What came next is the hand-over; the rest of the reply is of no account.
        var isHandOver: Bool
    }

    private enum Verdict: Hashable {
        case none
        /// More is needed. `atEnd`: it is one if no more comes.
        case open(atEnd: Bool)
        case found
    }

    /// Characters of an object or a code fence in which the name is waited for.
    private static let structureMax = 200
    private static let names = ["hand_over", "handover", "hand over", "hand-over"]
    private static let subjects = [
        "i", "i'll", "i will", "i'm", "i am", "i must", "i have to", "i need to", "let me",
    ]
    private static let verbs = ["call", "calling", "use", "using", "invoke", "invoking"]
    private static let articles = ["the", "the tool", "the function", "tool", "function"]
    /// What may follow the name after a lead-in, as a word and at once.
    private static let followers = ["now", "to", "tool", "function"]
    private static let closers: Set<Character> = [".", "!", "…", ";", "\n", ")", "]", ">", "{"]
    private static let tags = ["<tool_call", "<tool_use", "<function", "<invoke"]
    private static let structures = ["{", "[{", "```"] + tags
    /// An object is a call where it has one key of each.
    private static let calledKeys = [
        "\"name\"", "\"function\"", "\"tool\"", "\"tool_name\"", "\"recipient_name\"", "\"action\"",
    ]
    private static let argumentKeys = [
        "\"arguments\"", "\"args\"", "\"parameters\"", "\"input\"", "\"action_input\"",
    ]
    /// A sentence begins behind one of these.
    private static let ends: Set<Character> = [".", "!", "?", "…", ":", ";", "\n"]
    private static let marks: Set<Character> = ["`", "*", "\"", "“", "”", "‘", "'", "[", "<", "(", "{"]

    /// Held back; begins at the beginning of a word or a mark.
    private var tail: Substring = ""
    /// The last character that was passed on, and the last that is no blank and no mark.
    private var last: Character?
    private var lastOfWeight: Character?

    mutating func push(_ text: String) -> Reading {
        tail += text
        return read(isEnd: false)
    }

    /// The reply is over.
    mutating func finish() -> Reading { read(isEnd: true) }

    private mutating func read(isEnd: Bool) -> Reading {
        var words = ""
        while let first = tail.first {
            switch isCandidate(first) ? verdict() : .none {
            case .found: return Reading(words: words, isHandOver: true)
            case .open(let atEnd):
                guard isEnd, !atEnd else { return Reading(words: words, isHandOver: isEnd) }
                pass(first, &words)
            case .none: pass(first, &words)
            }
        }
        return Reading(words: words, isHandOver: false)
    }

    /// May a written hand-over begin here?
    private func isCandidate(_ first: Character) -> Bool {
        if first.isWhitespace { return last == nil }
        return last?.isOfAWord != true && (first.isOfAWord || Self.marks.contains(first))
    }

    /// A word, or one character that is of none.
    private mutating func pass(_ first: Character, _ words: inout String) {
        let piece = first.isOfAWord ? tail.prefix { $0.isOfAWord } : tail.prefix(1)
        words += piece
        last = piece.last
        if let weighty = piece.last, weighty == "\n" || !weighty.isWhitespace && !Self.marks.contains(weighty)
        {
            lastOfWeight = weighty
        }
        tail = tail.dropFirst(piece.count)
    }

    private func verdict() -> Verdict {
        let raw = tail.drop { $0.isWhitespace }.lowercased()
        guard !raw.isEmpty else { return .open(atEnd: false) }
        if Self.structures.contains(where: { raw.hasPrefix($0) }) { return structure(raw) }
        if Self.structures.contains(where: { $0.hasPrefix(raw) }) { return .open(atEnd: false) }
        return spelled(raw)
    }

    private func structure(_ raw: String) -> Verdict {
        let whole = Self.whole(raw)
        let text = whole ?? raw[...]
        let has = { (words: [String]) in words.contains { text.contains($0) } }
        if has(Self.names) || Self.tags.contains(where: { raw.hasPrefix($0) }) { return .found }
        if has(Self.calledKeys), has(Self.argumentKeys) { return .found }
        return whole != nil || raw.count > Self.structureMax ? .none : .open(atEnd: false)
    }

    /// The object or code fence that `raw` begins with, once it is all there.
    private static func whole(_ raw: String) -> Substring? {
        if let (_, length) = JSON.prefix(of: raw[...]) {
            return raw[..<raw.utf8.index(raw.startIndex, offsetBy: length)]
        }
        guard raw.hasPrefix("```"), let end = raw.dropFirst(3).firstRange(of: "```") else { return nil }
        return raw[..<end.upperBound]
    }

    private func spelled(_ raw: String) -> Verdict {
        var text = Self.plain(raw)
        var isLed = false
        for phrases in [Self.subjects, Self.verbs, Self.articles] where isLed || phrases != Self.articles {
            switch Step(text, phrases) {
            case .open: return .open(atEnd: false)
            case .none: continue
            case .past(let rest):
                guard rest.first == " " else { return rest.isEmpty ? .open(atEnd: false) : .none }
                isLed = true
                text = rest.dropFirst()
            }
        }
        if text.hasPrefix(HandOver.name) { return .found }
        switch Step(text, Self.names) {
        case .open: return .open(atEnd: false)
        case .none: return .none
        case .past(let rest):
            if raw.contains("`hand") || rest.hasPrefix("(") { return .found }
            if isLed { return Self.led(rest) }
            if raw.hasPrefix("[") || raw.hasPrefix("<"), let next = rest.first, next != " " { return .found }
            if lastOfWeight.map(Self.ends.contains) ?? true { return Self.alone(rest) }
            // In the midst of a sentence only what follows at once can make code of it.
            return rest.isEmpty ? .open(atEnd: false) : .none
        }
    }

    /// Behind a lead-in and the name.
    private static func led(_ rest: Substring) -> Verdict {
        guard let next = rest.first else { return .open(atEnd: true) }
        guard next == " " else { return next == "," || closers.contains(next) ? .found : .none }
        switch Step(rest.dropFirst(), followers) {
        case .open: return .open(atEnd: rest.count == 1)
        case .none: return rest.dropFirst().first == "{" ? .found : .none
        case .past: return .found
        }
    }

    /// Behind the name where a sentence begins.
    private static func alone(_ rest: Substring) -> Verdict {
        var rest = rest
        if rest.first == " " {
            switch Step(rest.dropFirst(), ["now"]) {
            case .open: return .open(atEnd: rest.count == 1)
            case .none: return rest.dropFirst().first == "{" ? .found : .none
            case .past(let after): rest = after
            }
        }
        guard let next = rest.first else { return .open(atEnd: true) }
        return closers.contains(next) ? .found : .none
    }

    /// Without marks, blanks as one each.
    private static func plain(_ raw: String) -> Substring {
        var plain = ""
        for character in raw.drop(while: { marks.contains($0) }) {
            switch character {
            case "`", "*", "\"", "“", "”": continue
            case "’": plain.append("'")
            case "\n": plain.append("\n")
            case _ where character.isWhitespace: if plain.last != " " { plain.append(" ") }
            default: plain.append(character)
            }
        }
        return plain[...]
    }
}

/// How a text stands to phrases that it may begin with.
private enum Step {
    /// It may still become one of them.
    case open
    case none
    /// It begins with one; what is left.
    case past(Substring)

    init(_ text: Substring, _ phrases: [String]) {
        // A phrase that is all of the text may go on: as a longer word, too.
        let longest = phrases.filter { text.hasPrefix($0) }.max { $0.count < $1.count }
        if phrases.contains(where: { $0.count > text.count && $0.hasPrefix(text) }) {
            self = .open
        } else if let longest, text.dropFirst(longest.count).first?.isOfAWord != true {
            self = .past(text.dropFirst(longest.count))
        } else {
            self = .none
        }
    }
}

extension Character {
    fileprivate var isOfAWord: Bool { isLetter || isNumber || self == "_" || self == "'" || self == "’" }
}
