import Base

/// Which reply is current? Pure.
///
/// Owns: the number of the model's current reply, its text so far, and cutting that into clauses worth
/// speaking. News of any other reply is stale and ignored.
package struct Reply: Sendable {
    package struct Policy: Hashable, Sendable {
        /// First text must come within this.
        package var firstLimitMs = 15_000
        /// And the next within this.
        package var nextLimitMs = 10_000
        /// Text that has been coming for so long without a place for a voice to begin is begun at a weaker one:
        /// a slow model is not waited for to the end of its first clause. 0...5000.
        package var openingMs = 40
        /// Characters of one reply; what follows is cut off.
        package var textMax = 4000
        package init() {}
    }

    /// What a draft has come to.
    struct Draft: Hashable {
        var clauses: [String]
        var firstTextAt: CallTime?
        var isFinished: Bool
    }

    private enum State: Hashable {
        case closed
        /// Asked for, and spoken as it comes.
        case open
        /// Begun on a guess: its clauses wait.
        case draft, finishedDraft
    }

    var policy: Policy
    /// Replies asked for so far, in the whole call.
    private(set) var number: Int
    private var state = State.closed
    private(set) var begunAt = CallTime.zero
    /// As `begunAt`; of a draft that went on, when its first part was.
    private(set) var askedAt = CallTime.zero
    private var newsAt = CallTime.zero
    private var firstTextAt: CallTime?
    private var clauses = Clauses()
    private var waiting: [String] = []
    private(set) var text = ""

    init(policy: Policy, number: Int) {
        self.policy = policy
        self.number = number
    }

    /// A reply was asked for, is heard as it comes, and has not finished.
    var isPending: Bool { state == .open }
    var isDraft: Bool { state == .draft || state == .finishedDraft }
    /// When it was asked for, while it is heard as it comes and has no word yet.
    var silentSince: CallTime? { isPending && firstTextAt == nil ? begunAt : nil }
    /// A draft that has come to its end, and may go on.
    var isDraftWhole: Bool { state == .finishedDraft }
    func isCurrent(_ id: Int) -> Bool { id == number && (state == .open || state == .draft) }
    var deadline: CallTime? {
        guard state == .open || state == .draft else { return nil }
        return newsAt + .milliseconds(firstTextAt == nil ? policy.firstLimitMs : policy.nextLimitMs)
    }

    mutating func begin(at now: CallTime, isDraft: Bool = false) -> Int {
        firstTextAt = nil
        askedAt = now
        waiting = []
        return ask(isDraft ? .draft : .open, at: now)
    }

    /// The draft goes on with another reply; the clauses that wait are heard before those of the new one.
    mutating func goOn(at now: CallTime) -> Int { ask(.draft, at: now) }

    private mutating func ask(_ state: State, at now: CallTime) -> Int {
        number += 1
        self.state = state
        begunAt = now
        newsAt = now
        clauses = Clauses()
        text = ""
        return number
    }

    /// Clauses that are ready to be spoken; those of a draft wait.
    mutating func add(_ delta: String, at now: CallTime) -> [String] {
        newsAt = now
        if !delta.isEmpty, firstTextAt == nil { firstTextAt = now }
        guard text.utf8.count < policy.textMax || text.count < policy.textMax else { return [] }
        text += delta
        let isLate = firstTextAt.map { now - $0 >= .milliseconds(policy.openingMs) } ?? false
        return ready(clauses.add(delta, isLate: isLate))
    }

    /// The last clause, if any is left. The whole text stays readable until the next `begin`.
    mutating func finish() -> [String] {
        let last = ready(clauses.finish().map { [$0] } ?? [])
        state = state == .draft ? .finishedDraft : .closed
        return last
    }

    private mutating func ready(_ clauses: [String]) -> [String] {
        guard isDraft else { return clauses }
        waiting += clauses
        return []
    }

    /// What a draft will begin with, once that is known.
    var opening: String? { isDraft ? waiting.first : nil }

    /// The draft is the reply: gives what has waited.
    mutating func adopt() -> Draft {
        defer { waiting = [] }
        let isFinished = state == .finishedDraft
        state = isFinished ? .closed : .open
        return Draft(clauses: waiting, firstTextAt: firstTextAt, isFinished: isFinished)
    }

    /// The number of the reply that must be called off; nil when none is on its way.
    mutating func cancel() -> Int? {
        defer { state = .closed }
        return state == .open || state == .draft ? number : nil
    }
}

/// Cuts streamed text where a voice can begin: at sentence ends, at commas once there is enough, never in
/// a number. The opening of a reply that is late also ends at its first comma ("Sure,"), and before a word that begins a phrase.
struct Clauses: Sendable {
    /// Characters before a comma is worth a pause; in the opening of a reply, its first so many characters, fewer, to
    /// be heard sooner.
    private static let commaMin = 60
    private static let openingMin = 24
    /// Words of a late opening, letters of the last of them (a shorter one leans on what follows), and what may
    /// follow it: words that begin a phrase and seldom end one.
    private static let openingWordsMin = 3
    private static let openingLettersMin = 4
    private static let joints: Set<Substring> = [
        "at", "for", "with", "from", "before", "after", "until", "about", "but", "because", "if", "when",
        "while",
        "which", "para", "con", "pero", "porque", "cuando", "desde", "hasta", "pour", "avec", "mais", "quand",
        "depuis", "für", "mit", "aber", "weil", "wenn", "bis", "per", "perché", "quando", "com", "mas",
    ]
    /// Of these, such as may also end a sentence ("the one you asked for."): known by what follows.
    private static let endings: Set<Substring> = [
        "for", "with", "from", "before", "after", "about", "if", "when", "while", "avec", "mit", "depuis",
    ]
    /// Words of a question, anywhere or first: it may end with any of them ("which address are you at?").
    private static let asking: Set<String> = [
        "what", "which", "who", "whom", "whose", "where", "when", "how", "why",
    ]
    private static let askingFirst: Set<String> = [
        "do", "does", "did", "is", "are", "was", "were", "can", "could", "would", "will", "should", "shall",
        "may", "have",
    ]
    /// Without any mark, the text is cut at a space after this many.
    private static let lengthMax = 200
    private static let abbreviations: Set<Substring> = [
        "mr", "mrs", "ms", "dr", "st", "no", "vs", "e.g", "i.e", "a.m", "p.m", "etc", "prof",
    ]

    private var buffer = ""
    /// Characters of the clauses so far.
    private var begun = 0
    private var isOpening: Bool { begun < Self.openingMin }

    /// `isLate`: a caller may be waiting for the opening.
    mutating func add(_ delta: String, isLate: Bool = false) -> [String] {
        buffer += delta
        var ready: [String] = []
        while let end = cut(isLate: isLate) ?? (isOpening && isLate ? joint(after: delta) : nil) {
            let clause = Self.clean(buffer[..<end])
            buffer = String(buffer[end...])
            if !clause.isEmpty {
                ready.append(clause)
                begun += clause.count
            }
        }
        return ready
    }

    mutating func finish() -> String? {
        let clause = Self.clean(buffer[...])
        buffer = ""
        return clause.isEmpty ? nil : clause
    }

    /// Where the first clause ends; needs the character after a mark to be sure, but after a late opener's comma ("Sure,").
    private func cut(isLate: Bool) -> String.Index? {
        let bytes = buffer.utf8
        let opens = begun == 0 && isLate
        let commaMin = opens ? 0 : isOpening ? Self.openingMin : Self.commaMin
        var length = 0
        var lastSpace: String.Index?
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            let next = bytes.index(after: index)
            if byte & 0xC0 != 0x80 { length += 1 }
            switch byte {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): return next
            case UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "?"):
                if isSpace(next), !isAbbreviation(before: index) { return next }
            case UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ":"):
                let isEnd = isSpace(next) || opens && byte == UInt8(ascii: ",") && endsAWord(index)
                if isEnd, length >= commaMin { return next }
            case UInt8(ascii: " "):
                if length > Self.lengthMax, let lastSpace { return lastSpace }
                lastSpace = next
            default: break
            }
            index = next
        }
        return nil
    }

    /// Before the first word that begins a phrase, after words enough to begin with. The last one may go on ("at", "tend") or
    /// end the sentence; a token of its own that does not look so is taken for the beginning of one.
    private func joint(after delta: String) -> String.Index? {
        let words = buffer.split(separator: " ")
        let last = words.last ?? ""
        let begins =
            delta.first == " " && delta.dropFirst() == last && !Self.endings.contains(last) && !mayAsk(words)
        for (before, word) in zip(words, words.dropFirst()).dropFirst(Self.openingWordsMin - 1)
            .dropLast(begins ? 0 : 1)
        where Self.joints.contains(word) && before.count >= Self.openingLettersMin {
            return word.startIndex
        }
        return nil
    }

    private func mayAsk(_ words: [Substring]) -> Bool {
        // "What's" is one of them too.
        let plain = words.map { $0.prefix(while: \.isLetter).lowercased() }
        return Self.askingFirst.contains(plain.first ?? "")
            || plain.contains { Self.asking.contains($0) || $0.hasSuffix("ing") }
    }

    private func isSpace(_ index: String.Index) -> Bool {
        index < buffer.endIndex && buffer.utf8[index] <= 0x20
    }

    /// The last character of all, behind a letter: "1," may go on as a number.
    private func endsAWord(_ index: String.Index) -> Bool {
        buffer.index(after: index) == buffer.endIndex && buffer[..<index].last?.isLetter == true
    }

    private func isAbbreviation(before dot: String.Index) -> Bool {
        guard buffer[dot] == "." else { return false }
        let head = buffer[..<dot]
        let start = head.lastIndex(where: \.isWhitespace).map { head.index(after: $0) } ?? head.startIndex
        return Self.abbreviations.contains(Substring(head[start...].lowercased()))
    }

    /// Without the marks of written text that a voice would read out.
    private static func clean(_ text: Substring) -> String {
        guard text.utf8.contains(where: isMark) else { return Words.trimmed(String(text)) }
        return Words.trimmed(
            Words.unmarked(
                String(text.filter { !"*#`_~".contains($0) }.map { $0.isNewline ? " " : $0 })))
    }

    /// May be one: all that is no ASCII counts.
    private static func isMark(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "*"), UInt8(ascii: "#"), UInt8(ascii: "`"), UInt8(ascii: "_"), UInt8(ascii: "~"),
            UInt8(ascii: "["), ..<0x20, 0x80...:
            true
        default: false
        }
    }
}
