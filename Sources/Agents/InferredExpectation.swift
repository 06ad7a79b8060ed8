package import Base

/// What does the agent's last sentence ask for? English; a sentence it cannot place asks for anything.
extension Expectation {
    /// `.open` costs no more than the usual wait, so a question that asks for two things at once is open.
    package static func inferred(from reply: String) -> Expectation {
        let sentence = lastQuestion(in: reply)
        let words = Words.split(sentence)
        guard !words.isEmpty else { return .open }
        let asked = slots(words)
        if isClosed(words, asksFor: !asked.isEmpty) { return alternative(sentence, words) ?? .yesNo }
        guard asked.count <= 1 else { return .open }
        return asked.first ?? alternative(sentence, words) ?? .open
    }

    /// The last sentence that ends in a question mark, else the last one.
    private static func lastQuestion(in reply: String) -> String {
        var last = ""
        var question: String?
        var rest = Words.unmarked(reply)[...]
        while !rest.isEmpty {
            let mark = rest.utf8.firstIndex { ".?!".utf8.contains($0) }
            let end = mark.map { rest.utf8.index(after: $0) } ?? rest.endIndex
            let sentence = String(rest[..<end])
            rest = rest[end...]
            guard !Words.split(sentence).isEmpty else { continue }
            last = sentence
            if sentence.utf8.last == UInt8(ascii: "?") { question = sentence }
        }
        return question ?? last
    }

    private static let openers: Set<String> = [
        "is", "are", "am", "was", "were", "do", "does", "did", "have", "has", "had", "can", "could", "would",
        "will",
        "shall", "should", "may", "might", "isn't", "aren't", "don't", "doesn't", "didn't", "won't",
        "wouldn't",
    ]
    private static let prefaces: Set<String> = [
        "and", "so", "okay", "ok", "great", "thanks", "thank", "you", "now", "also", "then", "well",
        "alright", "sure",
        "perfect", "just", "to", "confirm", "sorry", "please",
    ]
    private static let questionWords: Set<String> = [
        "what", "what's", "which", "when", "where", "who", "how", "why",
    ]
    /// "Can I have", "could you tell me", "do you have": a question that wants the thing, not a yes.
    private static let wishes: Set<String> = [
        "have", "get", "take", "tell", "give", "provide", "spell", "share", "read", "enter", "say", "state",
        "repeat",
        "know", "key", "type", "confirm",
    ]
    private static let tails = [
        ["correct"], ["right"], ["is", "that", "correct"], ["is", "that", "right"], ["is", "that", "ok"],
        ["is", "that", "okay"], ["okay"], ["yes", "or", "no"], ["does", "that", "work"],
    ]

    /// A question for yes or no.
    private static func isClosed(_ words: [String], asksFor hasSlot: Bool) -> Bool {
        if tails.contains(where: {
            words.count > $0.count && Words.stands($0, in: words, at: words.count - $0.count)
        }) {
            return true
        }
        guard let first = words.first(where: { !prefaces.contains($0) }), openers.contains(first) else {
            return false
        }
        let isIndirect = words.contains(where: questionWords.contains)
        let isWish = words.dropFirst().prefix(6).contains(where: wishes.contains)
        return !(hasSlot && (isWish || isIndirect)) && !(isWish && isIndirect)
    }

    /// "the morning or the afternoon": both words, when each side ends in one.
    private static func alternative(_ sentence: String, _ words: [String]) -> Expectation? {
        guard let or = words.lastIndex(of: "or"), or > 0, or + 1 < words.count else { return nil }
        let fill: Set<String> = [
            "the", "a", "an", "in", "on", "at", "by", "to", "for", "with", "your", "you", "is", "it",
        ]
        let left = words[or - 1]
        let right = words[(or + 1)...].filter { !fill.contains($0) }
        if ["not", "no"].contains(right.first ?? "") { return nil }
        guard right.count == 1, !fill.contains(left) else { return .open }
        return .choice([left, right[0]])
    }

    /// Phrases as words, so that they are cut once and not with every sentence.
    private struct Phrases {
        private let phrases: [[String]]
        init(_ phrases: String...) { self.phrases = phrases.map(Words.split) }
        func isIn(_ words: [String]) -> Bool { phrases.contains { Words.range(of: $0, in: words) != nil } }
    }

    private static let spells = Phrases("spell", "spelled", "spelling")
    private static let phones = Phrases(
        "phone number", "telephone number", "mobile number", "cell number", "cell phone number",
        "callback number", "contact number", "phone")
    private static let number = Phrases("number")
    private static let reaches = Phrases("reach you", "call you", "text you")
    private static let emails = Phrases("email", "e mail")
    private static let addresses = Phrases("address")
    private static let street = Phrases("street")
    private static let dates = Phrases(
        "date", "what day", "which day", "birthday", "day would", "day works", "day suits")
    private static let amounts = Phrases("how much", "what amount", "the amount", "your budget")
    private static let names = Phrases(
        "your name", "full name", "first name", "last name", "who am i speaking", "the name on")

    private static func slots(_ words: [String]) -> [Expectation] {
        if spells.isIn(words) { return [.spelling] }
        var slots: [Expectation] = []
        let isPhone = phones.isIn(words) || (number.isIn(words) && reaches.isIn(words))
        let isEmail = emails.isIn(words)
        if isPhone { slots.append(.phone) }
        if isEmail { slots.append(.email) }
        if addresses.isIn(words) && !isEmail || street.isIn(words) { slots.append(.address) }
        if !isPhone, let digits = digits(words) { slots.append(digits) }
        if dates.isIn(words) { slots.append(.date) }
        if amounts.isIn(words) { slots.append(.amount) }
        if names.isIn(words) { slots.append(.name(known: [])) }
        return slots
    }

    /// Numbers of a known length.
    private static let lengths: [(phrases: Phrases, digits: ClosedRange<Int>)] = [
        (Phrases("zip"), 5...5), (Phrases("social security"), 9...9),
        (Phrases("security code", "cvv", "cvc"), 3...4), (Phrases("card number"), 13...19),
        (Phrases("pin", "passcode"), 4...8),
        (
            Phrases(
                "account number", "order number", "confirmation number", "reference number", "policy number",
                "member number", "customer number", "case number", "tracking number", "ticket number",
                "claim number", "invoice number", "booking number", "id number"), 3...20
        ),
    ]

    private static func digits(_ words: [String]) -> Expectation? {
        if let at = words.firstIndex(where: { $0 == "digit" || $0 == "digits" }), at > 0,
            let count = SpokenCount.value(words[at - 1])
        {
            return .digits(min: count, max: count)
        }
        let length = lengths.first { $0.phrases.isIn(words) }?.digits
        return length.map { .digits(min: $0.lowerBound, max: $0.upperBound) }
    }
}

/// "four" and "4" before "digits".
private enum SpokenCount {
    static func value(_ word: String) -> Int? {
        guard let count = SpokenNumbers.single(word) ?? Int(word),
            (1...20).contains(count)
        else { return nil }
        return count
    }
}
