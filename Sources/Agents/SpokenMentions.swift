import Base

/// Which of the things that were named is meant? Days, sums and choices are taken back, ruled out and put beside each other
/// with the same words.
///
/// "monday no tuesday" → tuesday; "blue not red" and "not red, blue" → blue; "any day but friday" → unclear;
/// "red or blue" → unclear.
struct SpokenMentions<Value: Hashable> {
    struct Mention {
        /// nil: something like it, and nobody knows which.
        let value: Value?
        /// Words it takes, at least one.
        let used: Int
    }

    enum Meant: Hashable {
        case nothing
        /// Several, or none of those named.
        case unclear
        /// `goesOn`: the last words take something back, and nothing was said in its place yet.
        case value(Value, goesOn: Bool)
    }

    let words: [String]
    /// One value for two that follow each other without a correction ("tuesday, the third of march"); nil where they differ.
    let merging: (Value, Value) -> Value?

    private var kept: [Value?] = []
    private var denied: Set<Value> = []
    private var hasDenied = false
    /// Where the word stands that rules out what is named next.
    private var denial: Int?
    private var isCorrected = false
    /// "or", "and": what is named next stands beside what was named before.
    private var isBeside = false
    private var isLastDenied = false
    /// End of the last thing named; nil from a "but" on.
    private var lastEnd: Int?

    /// `mention`: what is named from a word on; it is asked for every word outside of what was named before.
    init(
        _ words: [String], merging: @escaping (Value, Value) -> Value? = { $0 == $1 ? $0 : nil },
        mention: (Int) -> Mention?
    ) {
        self.words = words
        self.merging = merging
        var at = 0
        while at < words.count {
            if let found = mention(at) {
                take(found.value)
                at += max(1, found.used)
                lastEnd = at
            } else {
                at += pass(at)
            }
        }
        settle()
    }

    private(set) var meant = Meant.nothing

    private mutating func take(_ value: Value?) {
        if denial != nil || (isBeside && isLastDenied) {
            hasDenied = true
            if let value {
                denied.insert(value)
                kept.removeAll { $0 == value }
            }
            isLastDenied = true
        } else {
            if isCorrected { kept = [] }
            isLastDenied = false
            keep(value)
        }
        denial = nil
        isCorrected = false
        isBeside = false
    }

    private mutating func keep(_ value: Value?) {
        guard let value, let before = kept.last, let before else {
            kept.append(value)
            return
        }
        if before == value { return }
        if !isBeside, let one = merging(before, value) {
            kept[kept.count - 1] = one
        } else {
            kept.append(value)
        }
    }

    /// Words to go on by.
    private mutating func pass(_ at: Int) -> Int {
        if let used = SpokenDenials.harmless(words, at) { return used }
        if let used = SpokenDenials.ofTheOneBefore(words, at), lastEnd == at {
            denyLast()
            return used
        }
        if let used = SpokenDenials.ofTheNext(words, at) {
            denial = at
            return used
        }
        if let start = denial, at - start > SpokenDenials.reach { giveUpDenial() }
        // "I can't make it on friday" corrects nothing.
        if denial == nil, let used = SpokenCorrections.mark(words, at) {
            isCorrected = true
            isLastDenied = false
            return used
        }
        switch words[at] {
        case "but":
            giveUpDenial()
            lastEnd = nil
            isLastDenied = false
        case "so", "then", "instead", "maybe", "let's": giveUpDenial()
        case "or", "nor", "and", "to": isBeside = true
        default: break
        }
        return 1
    }

    /// "Friday I can't": nothing was named after it.
    private mutating func giveUpDenial() {
        if let denial, let lastEnd, denial - lastEnd <= 1, words[denial] != "not" { denyLast() }
        denial = nil
    }

    private mutating func denyLast() {
        guard let last = kept.popLast() else { return }
        hasDenied = true
        isLastDenied = true
        if let last { denied.insert(last) }
    }

    private mutating func settle() {
        giveUpDenial()
        if kept.isEmpty {
            meant = hasDenied ? .unclear : .nothing
        } else if kept.count == 1, let value = kept[0], !denied.contains(value), !isLeftOpen {
            meant = .value(value, goesOn: isCorrected)
        } else {
            meant = .unclear
        }
    }

    /// "monday or …", "monday no …", "monday wait …"
    private var isLeftOpen: Bool {
        ["or", "and", "but", "not", "no", "to", "mean", "wait"].contains(words.last)
    }
}

/// Words that rule something out.
enum SpokenDenials {
    /// Words between one of them and what it rules out.
    static let reach = 6

    private static let harmlessPhrases = [
        ["don't", "know"], ["dont", "know"], ["don't", "mind"], ["dont", "mind"], ["don't", "care"],
        ["do", "not", "mind"], ["doesn't", "matter"], ["not", "sure"], ["why", "not"], ["no", "problem"],
        ["no", "worries"], ["not", "a", "problem"], ["isn't", "a", "problem"], ["no", "doubt"],
        ["don't", "worry"], ["can't", "wait"], ["no", "question"],
    ]
    private static let phrases = [
        ["not"], ["never"], ["cannot"], ["cant"], ["dont"], ["wont"], ["except"], ["excluding"],
        ["besides"],
        ["without"], ["neither"], ["apart", "from"], ["aside", "from"], ["other", "than"],
        ["rather", "than"], ["instead", "of"],
    ]
    private static let phrasesAfter = [
        ["is", "not"], ["is", "no"], ["does", "not"], ["will", "not"], ["would", "not"], ["was", "not"],
        ["isn't"], ["doesn't"], ["won't"], ["wouldn't"], ["wasn't"], ["is", "out"], ["is", "bad"],
    ]
    private static let anything: Set<String> = [
        "any", "anything", "anytime", "anyday", "all", "every", "everything", "whatever", "whichever",
    ]

    /// Words of a phrase that rules out nothing: "I don't mind".
    static func harmless(_ words: [String], _ at: Int) -> Int? { used(harmlessPhrases, words, at) }

    /// "…isn't good", "… doesn't work".
    static func ofTheOneBefore(_ words: [String], _ at: Int) -> Int? { used(phrasesAfter, words, at) }

    /// "I don't want …", "any day but …".
    static func ofTheNext(_ words: [String], _ at: Int) -> Int? {
        if let used = used(phrases, words, at) { return used }
        if words[at].hasSuffix("n't") { return 1 }
        let isAllBut = words[at] == "but" && words[max(0, at - 3)..<at].contains(where: anything.contains)
        return isAllBut ? 1 : nil
    }

    private static func used(_ phrases: [[String]], _ words: [String], _ at: Int) -> Int? {
        phrases.first { Words.stands($0, in: words, at: at) }?.count
    }
}
