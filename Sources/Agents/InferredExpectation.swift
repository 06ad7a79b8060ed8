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
        var sentences: [String] = []
        var sentence = ""
        for character in Words.unmarked(reply) {
            sentence.append(character)
            if ".?!".contains(character) {
                sentences.append(sentence)
                sentence = ""
            }
        }
        sentences.append(sentence)
        sentences.removeAll { Words.split($0).isEmpty }
        return sentences.last { $0.contains("?") } ?? sentences.last ?? ""
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
        if tails.contains(where: { words.count > $0.count && words.suffix($0.count).elementsEqual($0) }) {
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

    private static func slots(_ words: [String]) -> [Expectation] {
        func has(_ phrases: String...) -> Bool {
            phrases.contains { Words.range(of: Words.split($0), in: words) != nil }
        }
        if has("spell", "spelled", "spelling") { return [.spelling] }
        var slots: [Expectation] = []
        let isPhone =
            has(
                "phone number", "telephone number", "mobile number", "cell number", "cell phone number",
                "callback number", "contact number", "phone")
            || (has("number") && has("reach you", "call you", "call you back", "text you"))
        if isPhone { slots.append(.phone) }
        if has("email", "e mail", "email address") { slots.append(.email) }
        if has("address") && !has("email", "e mail") || has("street") { slots.append(.address) }
        if let digits = digits(words, has: { has($0) }), !isPhone { slots.append(digits) }
        if has(
            "date", "what day", "which day", "birthday", "what date", "day would", "day works", "day suits")
        {
            slots.append(.date)
        }
        if has("how much", "what amount", "the amount", "your budget") { slots.append(.amount) }
        if has("your name", "full name", "first name", "last name", "who am i speaking", "the name on") {
            slots.append(.name(known: []))
        }
        return slots
    }

    private static func digits(_ words: [String], has: (String) -> Bool) -> Expectation? {
        if let at = words.firstIndex(where: { $0 == "digit" || $0 == "digits" }), at > 0,
            let count = SpokenCount.value(words[at - 1])
        {
            return .digits(min: count, max: count)
        }
        if has("zip code") || has("zip") { return .digits(min: 5, max: 5) }
        if has("social security") { return .digits(min: 9, max: 9) }
        if has("security code") || has("cvv") || has("cvc") { return .digits(min: 3, max: 4) }
        if has("card number") { return .digits(min: 13, max: 19) }
        if has("pin") || has("passcode") { return .digits(min: 4, max: 8) }
        let numbered = [
            "account", "order", "confirmation", "reference", "policy", "member", "customer", "case",
            "tracking", "ticket",
            "claim", "invoice", "booking", "id",
        ]
        if numbered.contains(where: { has($0 + " number") }) { return .digits(min: 3, max: 20) }
        return nil
    }
}

/// "four" and "4" before "digits".
private enum SpokenCount {
    static func value(_ word: String) -> Int? {
        guard let count = SpokenNumbers.ones[word] ?? SpokenNumbers.teens[word] ?? Int(word),
            (1...20).contains(count)
        else { return nil }
        return count
    }
}
