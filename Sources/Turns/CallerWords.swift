import Base

/// Which words does the turn hold? Pure.
///
/// Finals in order, then the last partial. A final that comes twice counts once; one that begins like the last
/// replaces it.
struct CallerWords: Hashable, Sendable {
    /// Characters of words kept in one turn.
    static let textMax = 4000

    private(set) var finals: [String] = []
    private(set) var partial = ""
    private(set) var finalAt: CallTime?
    /// Speech was heard for which no final words have come.
    private(set) var isFinalDue = false
    /// Where among the finals a partial stands whose final may still come.
    private var looseAt: Int?

    var isEmpty: Bool { finals.isEmpty && partial.isEmpty }
    /// There are words, and some of the last speech are among them.
    var isHeardToTheEnd: Bool { isFinalDue ? !partial.isEmpty : !isEmpty }
    var text: String { with(partial) }
    /// The words if `transcript` comes next.
    func with(_ transcript: String) -> String {
        let last = Words.trimmed(transcript)
        if finals.isEmpty { return last }
        return last.isEmpty ? finals.joined(separator: " ") : finals.joined(separator: " ") + " " + last
    }

    /// `transcript` without the words of `told` that it begins with: all of it where it begins otherwise, nothing
    /// where it stops before they do.
    static func rest(of transcript: String, after told: String) -> String {
        if told.isEmpty { return transcript }
        let (old, new) = (Words.split(told), Words.split(transcript))
        if new.starts(with: old) { return Words.dropping(old.count, of: transcript) }
        return old.starts(with: new) ? "" : transcript
    }

    mutating func speechHeard() { isFinalDue = true }

    /// One that the last final begins with, without speech since, comes late. One that goes on where a loose partial
    /// stopped takes its place.
    mutating func hear(partial words: String) {
        if !isFinalDue, !words.isEmpty, finals.last?.hasPrefix(words) == true { return }
        if let index = looseAt, index == finals.count - 1, Self.goesOn(words, from: finals[index]) {
            finals.removeLast()
            looseAt = nil
            isFinalDue = true
        }
        partial = Words.cut(words, to: Self.textMax)
    }

    /// False for what was there already.
    mutating func hear(final words: String, at now: CallTime) -> Bool {
        defer { partial = "" }
        if let index = looseAt, Self.isSame(finals[index], words) {
            finals[index] = words
            looseAt = nil
            return true
        }
        if !isFinalDue, let last = finals.last {
            if last == words { return false }
            if words.hasPrefix(last) { finals.removeLast() }
        }
        isFinalDue = false
        finalAt = now
        if !words.isEmpty, finals.reduce(0, { $0 + $1.utf8.count }) < Self.textMax { finals.append(words) }
        return true
    }

    /// The words of a turn that was cut, then these.
    mutating func follow(_ earlier: CallerWords) {
        let isHeard =
            finals.first.map { Self.isSame(earlier.partial, $0) }
            ?? Self.goesOn(partial, from: earlier.partial)
        if earlier.partial.isEmpty || isHeard {
            finals = earlier.finals + finals
        } else {
            if earlier.isFinalDue { looseAt = earlier.finals.count }
            finals = earlier.finals + [earlier.partial] + finals
        }
    }

    /// A partial and its final: they begin with the same word.
    private static func isSame(_ partial: String, _ final: String) -> Bool {
        guard let first = Words.split(partial).first else { return false }
        return Words.split(final).first == first
    }

    /// Recognisers tell all of a stretch of speech again with each word of it.
    private static func goesOn(_ words: String, from partial: String) -> Bool {
        Words.split(words).starts(with: Words.split(partial))
    }

    /// True when this final says something else than the partial it comes for.
    func isRevised(by final: String) -> Bool {
        isFinalDue && !partial.isEmpty && !final.isEmpty && Words.split(final) != Words.split(partial)
    }
}
