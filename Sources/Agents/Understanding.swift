package import Base

/// What a caller's words or keys mean as an answer to what was asked.
///
/// Values: digits `5550122`; `yes`/`no`; the choice; a sum `12.50`; a day `friday`, `next friday`, `tomorrow` or `march 3`; the
/// name; for open questions the words. None where what was said contradicts itself or leaves a choice.
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
        case .yesNo: self = SpokenYesNo.read(words)
        case .choice(let phrases): self = Self.choice(of: phrases, in: words)
        case .digits(let min, let max):
            self = Self.dictated(words, keys, after: earlier) { Self.digits($0, min: min, max: max) }
        case .phone:
            let words = words
            let isInternational = words.first { $0 == "plus" || SpokenNumbers.one($0) != nil } == "plus"
            self = Self.dictated(words, keys, after: earlier) {
                NumberingPlan.read($0, isInternational: isInternational || text.contains("+"))
            }
        case .spelling: self = SpokenLetters.read(words)
        case .address: self = SpokenAddress.read(text)
        case .email: self = SpokenEmail.read(text)
        case .amount: self = SpokenAmounts.read(text)
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

    /// As long as the last words begin a longer phrase, it may be that one.
    private static func choice(of phrases: [String], in words: [String]) -> Understanding {
        var choice = known(phrases, in: words)
        let isBegun = phrases.map(Words.split).contains { parts in
            (1..<max(1, parts.count)).contains { words.suffix($0).elementsEqual(parts.prefix($0)) }
        }
        if isBegun { choice.fullness = choice.value == nil ? .part : .enough }
        return choice
    }

    /// The one phrase that was named and neither taken back nor ruled out; of phrases in each other the longest.
    private static func known(_ phrases: [String], in words: [String]) -> Understanding {
        let parts = phrases.map { (phrase: $0, words: Words.split($0)) }.filter { !$0.words.isEmpty }
        let byFirst = Dictionary(grouping: parts) { $0.words[0] }
        let mentions = SpokenMentions<String>(
            words,
            merging: { a, b in
                let (short, long) = a.count < b.count ? (a, b) : (b, a)
                return Words.range(of: Words.split(short), in: Words.split(long)) == nil ? nil : long
            },
            mention: { at in
                (byFirst[words[at]] ?? []).filter { Words.stands($0.words, in: words, at: at) }
                    .max { $0.words.count < $1.words.count }
                    .map { .init(value: $0.phrase, used: $0.words.count) }
            })
        return switch mentions.meant {
        case .nothing: Understanding(value: nil, fullness: .none)
        case .unclear: Understanding(value: nil, fullness: .part)
        case .value(let phrase, let goesOn): Understanding(value: phrase, fullness: goesOn ? .enough : .full)
        }
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
