/// Names and numbers of what an agent said: runs of words that begin with a capital or hold a digit, each once, in order.
///
/// A sentence's first word counts only as a number or before another such word ("New Found Glory"). In languages that
/// write every noun with a capital there are more of them.
struct ToldFacts: Sendable {
    /// The latest are kept.
    static let factsMax = 24
    /// A number of fewer digits says nothing by itself ("15"); a price, a time or a share does.
    private static let digitsMin = 4
    private static let titles: Set<Substring> = ["Dr", "Mr", "Mrs", "Ms", "Prof", "St"]
    private static let halves: Set<String> = ["am", "pm", "a.m", "p.m"]

    private var found: [String] = []
    private var seen: Set<String> = []
    /// Words that are known otherwise.
    private var known: Set<Substring> = []

    /// What `text` says is known without the agent.
    mutating func skip(_ text: String) { known.formUnion(Self.words(text)) }

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
            let isNumber = bare.contains(where: \.isNumber)
            let isHalf =
                run.last?.contains(where: \.isNumber) == true && Self.halves.contains(bare.lowercased())
            if isNumber || isHalf || Self.isName(bare) {
                if run.isEmpty { isAnyWord = isFirst && !isNumber }
                run.append(bare)
            } else {
                note(end())
            }
            // A full stop that ends no sentence.
            let isInitial =
                word.hasSuffix(".") && (bare.count == 1 && !isNumber || Self.titles.contains(bare))
            isFirst = !isInitial && word.last.map { ".!?:".contains($0) } ?? false
            if !isInitial, word[bare.endIndex...].contains(where: { !Self.marksWithin.contains($0) }) {
                note(end())
            }
        }
        note(end())
    }

    /// What is not known otherwise.
    var facts: [String] {
        var facts: [String] = []
        for fact in found.reversed() where facts.count < Self.factsMax && !isKnown(fact) {
            facts.append(fact)
        }
        return facts.reversed()
    }

    private func isKnown(_ fact: String) -> Bool { Self.words(fact).allSatisfy { known.contains($0) } }

    private mutating func note(_ fact: String?) {
        guard let fact, fact.count >= Self.digitsMin || !fact.allSatisfy(\.isNumber),
            seen.insert(fact).inserted
        else { return }
        found.append(fact)
    }

    private static func isName(_ word: Substring) -> Bool {
        word.first?.isUppercase == true && word != "I" && !word.hasPrefix("I'") && !word.hasPrefix("I’")
    }

    /// Behind a word, and no end of a run.
    private static let marksWithin: Set<Character> = ["'", "’", "\"", "”", ")"]

    /// Without the marks round it, but those that belong to a number.
    private static func bare(_ word: Substring) -> Substring {
        let isNumber = word.contains(where: \.isNumber)
        let isOfIt = { (character: Character) in
            character.isLetter || character.isNumber || character.isCurrencySymbol
                || isNumber && "%+-−".contains(character)
        }
        guard let last = word.lastIndex(where: isOfIt) else { return word.suffix(0) }
        return word[...last].drop { !isOfIt($0) }
    }

    /// In lower case, without marks but those that tell a price or a share from a number.
    private static func words(_ text: String) -> [Substring] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber && !$0.isCurrencySymbol && $0 != "%" }
    }
}
