/// Names and numbers of what an agent said: runs of words that begin with a capital or hold a digit, each once, in order.
///
/// A sentence's first word counts only as a number or before another such word ("New Found Glory"). In languages that
/// write every noun with a capital there are more of them.
struct ToldFacts: Sendable {
    /// The latest are kept.
    static let factsMax = 24
    /// A full stop behind so few letters belongs to a name ("Dr.", "T.").
    private static let initialMax = 3

    private var found: [String] = []
    private var known = ""

    /// What `text` says is known without the agent.
    mutating func skip(_ text: String) { known += Self.words(text) }

    mutating func read(_ text: String) {
        var run: [Substring] = []
        var isFirst = true
        // The run is the first word of a sentence, and may be any word.
        var isAnyWord = false
        func end() -> String? {
            defer { run = [] }
            return run.isEmpty || isAnyWord && run.count == 1 ? nil : run.joined(separator: " ")
        }
        for word in text.split(whereSeparator: \.isWhitespace) {
            let bare = Self.bare(word)
            if Self.isFact(bare) {
                if run.isEmpty { isAnyWord = isFirst && !bare.contains(where: \.isNumber) }
                run.append(bare)
            } else {
                note(end())
            }
            let isName = word.hasSuffix(".") && !run.isEmpty && bare.count <= Self.initialMax
            isFirst = !isName && word.last.map { ".!?:".contains($0) } ?? false
            if !isName, bare.endIndex < word.endIndex { note(end()) }
        }
        note(end())
    }

    /// What is not known otherwise.
    var facts: [String] {
        found.filter { !known.contains(Self.words($0)) }.suffix(Self.factsMax)
    }

    private mutating func note(_ fact: String?) {
        guard let fact, !found.contains(fact) else { return }
        found.append(fact)
    }

    private static func isFact(_ word: Substring) -> Bool {
        if word.contains(where: \.isNumber) { return true }
        return word.first?.isUppercase == true && word != "I" && !word.hasPrefix("I'")
            && !word.hasPrefix("I’")
    }

    private static func bare(_ word: Substring) -> Substring {
        let isOfIt = { (character: Character) in
            character.isLetter || character.isNumber || character.isCurrencySymbol
        }
        guard let last = word.lastIndex(where: isOfIt) else { return "" }
        return word[...last].drop { !isOfIt($0) }
    }

    /// Between blanks, without marks, in lower case.
    private static func words(_ text: String) -> String {
        " " + text.lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: " ") + " "
    }
}
