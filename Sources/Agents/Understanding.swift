package import Base

/// What a caller's words or keys mean as an answer to what was asked.
///
/// Values: digits `5550122`; `yes`/`no`; the choice; a weekday or `march 3`; the name; for open questions
/// the words.
package struct Understanding: Hashable, Sendable {
    /// nil: not an answer, or not a whole one.
    package var value: String?
    package var fullness: Fullness
    package init(value: String?, fullness: Fullness) {
        self.value = value
        self.fullness = fullness
    }

    /// `keys` are pressed digits without the closing `#`; they win over words where both exist.
    /// `earlier`: digits the caller gave before, which these go on.
    package init(of text: String, keys: String = "", after earlier: String = "", as expectation: Expectation)
    {
        var words: [String] { Words.split(text) }
        let isWritten = [.spelling, .address, .email].contains(expectation)
        if isWritten, SpokenCorrections.isAll(of: words) {
            self.init(value: nil, fullness: .none)
            return
        }
        switch expectation {
        case .open:
            let trimmed = Words.trimmed(text)
            self.init(value: trimmed.isEmpty ? nil : trimmed, fullness: .none)
        case .yesNo: self = Self.yesNo(words)
        case .choice(let phrases): self = Self.choice(of: phrases, in: words)
        case .digits(let min, let max):
            self = Self.dictated(words, keys, after: earlier) { Self.digits($0, min: min, max: max) }
        case .phone:
            let words = words
            let isInternational = words.first { $0 == "plus" || SpokenNumbers.one($0) != nil } == "plus"
            self = Self.dictated(words, keys, after: earlier) {
                NumberingPlan.read($0, isInternational: isInternational || text.contains("+"))
            }
        case .spelling: self = SpokenText.letters(words)
        case .address: self = SpokenText.address(text)
        case .email: self = SpokenText.email(text)
        case .amount: self = SpokenText.amount(text)
        case .date: self = SpokenDates.read(words)
        case .name(let known): self = known.isEmpty ? Self.anyName(words) : Self.known(known, in: words)
        }
    }

    /// Keys where none are asked for may be all that comes; of a number that is keyed, the rest is owed.
    package func fullness(ofKeys keys: String) -> Fullness {
        keys.isEmpty || fullness != .none ? fullness : .enough
    }

    private static func digits(_ digits: String, min: Int, max: Int) -> Understanding {
        switch digits.count {
        case 0: Understanding(value: nil, fullness: .none)
        case ..<min: Understanding(value: nil, fullness: .part)
        case max: Understanding(value: digits, fullness: .full)
        case ..<max: Understanding(value: digits, fullness: .enough)
        // Too many is not an answer, and waiting longer does not make it one.
        default: Understanding(value: nil, fullness: .enough)
        }
    }

    /// Digits with their corrections; "that's it" makes a number that may go on whole.
    private static func dictated(
        _ words: [String], _ keys: String, after earlier: String, read: (String) -> Understanding
    ) -> Understanding {
        guard keys.isEmpty else { return read(earlier + keys) }
        let digits = SpokenCorrections.digits(in: words, after: earlier) { read($0).fullness == .full }
        // Corrected, and nobody knows how: there is more to say.
        guard let digits else { return Understanding(value: nil, fullness: .part) }
        var number = read(digits)
        if number.value != nil, SpokenRequest.closes(words) { number.fullness = .full }
        return number
    }

    private static let positives: Set<String> = [
        "yes", "yeah", "yep", "yup", "yah", "sure", "correct", "right", "ok", "okay", "absolutely",
        "definitely",
        "certainly", "exactly", "indeed", "fine", "please", "mhm", "mm-hm", "mmhm", "uh-huh", "affirmative",
        "perfect",
        "great", "good", "oui", "ouais", "sí", "sì", "si", "ja", "sim", "да",
    ]
    private static let negatives: Set<String> = [
        "no", "nope", "nah", "not", "don't", "dont", "never", "wrong", "incorrect", "negative", "isn't",
        "can't",
        "won't", "neither", "non", "nein", "nee", "não", "нет",
    ]
    private static let plain: Set<String> = [
        "yes", "yeah", "yep", "yup", "no", "nope", "nah", "oui", "ouais", "non", "sí", "sì", "si", "ja",
        "nein", "nee",
        "sim", "não", "да", "нет",
    ]
    private static let unsure = [
        ["don't", "know"], ["dont", "know"], ["not", "sure"], ["no", "idea"], ["don't", "understand"],
    ]
    /// Written apart; of one word they are among the positives.
    private static let hums = [["uh", "huh"], ["mm", "hm"], ["mm", "hmm"]]
    private static let agreeing = [
        ["no", "problem"], ["of", "course"], ["go", "ahead"], ["why", "not"], ["you", "bet"],
    ]

    private static func yesNo(_ words: [String]) -> Understanding {
        func has(_ phrases: [[String]]) -> Bool { phrases.contains { Words.range(of: $0, in: words) != nil } }
        if has(unsure) { return Understanding(value: nil, fullness: .none) }
        func answer(_ isYes: Bool) -> Understanding {
            Understanding(value: isYes ? "yes" : "no", fullness: .full)
        }
        if has(agreeing) { return answer(true) }
        // "yes, I don't mind" and "no, that is right": the plain word at the start decides.
        if let first = words.prefix(3).first(where: plain.contains) {
            return answer(positives.contains(first))
        }
        if words.contains(where: negatives.contains) { return answer(false) }
        if words.contains(where: positives.contains) || has(hums) { return answer(true) }
        return Understanding(value: nil, fullness: .none)
    }

    /// As long as the last words begin a longer phrase, it may be that one.
    private static func choice(of phrases: [String], in words: [String]) -> Understanding {
        var choice = known(phrases, in: words)
        let isBegun = phrases.map(Words.split).contains { parts in
            (1..<max(1, parts.count)).contains { words.suffix($0).elementsEqual(parts.prefix($0)) }
        }
        if isBegun { choice.fullness = choice.value == nil ? .part : .enough }
        return choice
    }

    /// The phrase whose end comes last, the longest of those.
    private static func known(_ phrases: [String], in words: [String]) -> Understanding {
        var best: (end: Int, count: Int, phrase: String)?
        for phrase in phrases {
            let parts = Words.split(phrase)
            guard !parts.isEmpty, let range = Words.lastRange(of: parts, in: words) else { continue }
            if best.map({ (range.upperBound, parts.count) > ($0.end, $0.count) }) ?? true {
                best = (range.upperBound, parts.count, phrase)
            }
        }
        return Understanding(value: best?.phrase, fullness: best == nil ? .none : .full)
    }

    private static let leadIns = [
        ["my", "name", "is"], ["the", "name", "is"], ["name", "is"], ["this", "is"], ["i", "am"], ["i'm"],
        ["it's"],
        ["it", "is"], ["name's"], ["call", "me"], ["for"],
    ]
    private static let nameless: Set<String> = [
        "please", "speaking", "here", "thanks", "thank", "you", "um", "uh", "hi", "hello", "yes", "yeah",
        "well", "so",
        "my", "name", "is", "the", "a", "it", "i", "to", "what", "sorry", "pardon",
    ]
    /// A longer answer is a sentence, not a name.
    private static let nameWordsMax = 4

    private static func anyName(_ words: [String]) -> Understanding {
        var rest = words[...]
        for leadIn in leadIns {
            if let range = Words.range(of: leadIn, in: Array(rest)) {
                rest = rest.dropFirst(range.upperBound)
                break
            }
        }
        let name = rest.filter { !nameless.contains($0) }
        guard (1...nameWordsMax).contains(name.count) else {
            return Understanding(value: nil, fullness: .none)
        }
        let written = name.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: " ")
        return Understanding(value: written, fullness: .enough)
    }
}
