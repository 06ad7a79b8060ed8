import Base

/// Yes or no out of words.
///
/// The plain word at the start decides ("no, that is right"); one said later only behind a mark of correction ("yes, sorry,
/// no" → no). "Yes, that's wrong" is neither.
enum SpokenYesNo {
    private enum Answer: Hashable { case yes, no, unclear }

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
    /// How far from the start a word is still said at it.
    private static let startWords = 3
    private static let unsure = [
        ["don't", "know"], ["dont", "know"], ["not", "sure"], ["no", "idea"], ["don't", "understand"],
    ]
    /// Written apart; of one word they are among the positives.
    private static let hums = [["uh", "huh"], ["mm", "hm"], ["mm", "hmm"]]
    private static let agreeing = [
        ["no", "problem"], ["not", "a", "problem"], ["no", "worries"], ["of", "course"], ["go", "ahead"],
        ["why", "not"], ["you", "bet"],
    ]
    /// Of these words none counts.
    private static let neutral = [["don't", "mind"], ["dont", "mind"], ["do", "not", "mind"]]
    private static let faults: Set<String> = ["wrong", "incorrect"]
    private static let praises: Set<String> = ["right", "correct", "true", "it"]
    /// Behind these a plain word is said instead of what came before.
    private static let marks = [
        ["i", "mean"], ["i", "meant"], ["hold", "on"], ["hang", "on"], ["sorry"], ["wait"], ["actually"],
        ["correction"], ["oops"], ["rather"],
    ]

    static func read(_ words: [String]) -> Understanding {
        var answer: Answer?
        var segment: [String] = []
        var wasMarked = false
        func finish() {
            defer { segment = [] }
            guard let next = judged(segment) else { return }
            let isPlain = segment.contains(where: plain.contains)
            answer = answer == nil || isPlain || next == answer ? next : .unclear
        }
        var at = 0
        while at < words.count {
            if let mark = marks.first(where: { Words.stands($0, in: words, at: at) }) {
                finish()
                at += mark.count
                wasMarked = at == words.count
            } else {
                segment.append(words[at])
                at += 1
            }
        }
        finish()
        guard let answer, answer != .unclear else { return Understanding(value: nil, fullness: .none) }
        // "No, wait": what comes next decides.
        if let last = words.last, ["wait", "mean", "meant", "on"].contains(last), wasMarked {
            return Understanding(value: nil, fullness: .part)
        }
        let goesOn = wasMarked || words.last == "but" || words.last == "and"
        return Understanding(value: answer == .yes ? "yes" : "no", fullness: goesOn ? .enough : .full)
    }

    private static func judged(_ words: [String]) -> Answer? {
        if unsure.contains(where: { Words.range(of: $0, in: words) != nil }) { return .unclear }
        let words = simplified(words)
        let pairs = zip(words, words.dropFirst())
        // "Not wrong", "nothing wrong" may be praise.
        if pairs.contains(where: { denies($0) && faults.contains($1) }) { return .unclear }
        let plains = words.filter(plain.contains)
        let hasYes = plains.contains(where: positives.contains)
        if hasYes, plains.contains(where: negatives.contains) { return .unclear }
        // "Yes, I don't mind" and "no, that is right".
        if words.prefix(startWords).contains(where: plain.contains) {
            guard hasYes else { return .no }
            let isFault =
                words.contains(where: faults.contains)
                || pairs.contains { denies($0) && praises.contains($1) }
            return isFault ? .unclear : .yes
        }
        if words.contains(where: negatives.contains) { return .no }
        let isHum = hums.contains { Words.range(of: $0, in: words) != nil }
        return words.contains(where: positives.contains) || isHum ? .yes : nil
    }

    private static func denies(_ word: String) -> Bool {
        word == "not" || word == "nothing" || word.hasSuffix("n't")
    }

    /// Each phrase that agrees is one "sure", and those that say neither are left out.
    private static func simplified(_ words: [String]) -> [String] {
        var out: [String] = []
        var at = 0
        while at < words.count {
            if let phrase = neutral.first(where: { Words.stands($0, in: words, at: at) }) {
                at += phrase.count
            } else if let phrase = agreeing.first(where: { Words.stands($0, in: words, at: at) }) {
                out.append("sure")
                at += phrase.count
            } else {
                out.append(words[at])
                at += 1
            }
        }
        return out
    }
}
