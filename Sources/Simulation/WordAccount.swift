import Base
import Conversation

/// Are the caller's words neither lost nor doubled?
///
/// Told by the words that a simulated caller says once only: `tag` and letters. Each that came as final words stands
/// in one turn, or was dropped with a reason that was told.
struct WordAccount {
    private struct Entry {
        var word: Substring
        var finals = 0
        var told = 0
        var isDropped = false
    }

    /// Notes that say that what was heard is no turn; the first, that only the last transcript is none.
    private static let tooLate = "transcript_too_late"
    private static let reasons: Set<String> = ["echo", "spoke_over_protected_line", "backchannel"]
    private static let prefix = "tag"

    private var entries: [Entry] = []
    /// Of the last transcript, when it was final.
    private var latest: [Substring] = []
    /// Told in more turns than there were final words with it.
    private(set) var doubled: Substring?

    /// The word of this number; no two numbers give the same.
    static func tag(_ number: Int) -> String {
        var text = prefix
        var rest = number
        repeat {
            text.append(Character(UnicodeScalar(UInt8(ascii: "a") + UInt8(rest % 26))))
            rest /= 26
        } while rest > 0
        return text
    }

    mutating func hear(_ transcript: Dialogue.Transcript) {
        latest = transcript.isFinal ? Self.tags(transcript.text) : []
        for word in latest {
            let index = index(of: word)
            entries[index].finals += 1
        }
    }

    /// A turn was told. What is told as "(not recorded)" holds all that was heard.
    mutating func tell(_ text: String) {
        if text.hasPrefix("(not recorded") { return dropPending() }
        for word in Self.tags(text) {
            let index = index(of: word)
            entries[index].told += 1
            if entries[index].told > max(1, entries[index].finals) { doubled = word }
        }
    }

    mutating func drop(for code: String) {
        if Self.reasons.contains(code) { return dropPending() }
        guard code == Self.tooLate else { return }
        for word in latest { entries[index(of: word)].isDropped = true }
    }

    mutating func takeOver() { dropPending() }

    /// The first word that came and was neither told nor dropped.
    var lost: Substring? { entries.first { $0.finals > 0 && $0.told == 0 && !$0.isDropped }?.word }

    private mutating func dropPending() {
        for index in entries.indices where entries[index].told == 0 { entries[index].isDropped = true }
    }

    private mutating func index(of word: Substring) -> Int {
        if let index = entries.lastIndex(where: { $0.word == word }) { return index }
        entries.append(Entry(word: word))
        return entries.count - 1
    }

    private static func tags(_ text: String) -> [Substring] {
        guard mayHoldTag(text) else { return [] }
        return text.wordsAsWritten.filter { $0.hasPrefix(prefix) }
    }
    /// Nearly all text holds none, and need not be cut into words.
    private static func mayHoldTag(_ text: String) -> Bool {
        var before: (UInt8, UInt8) = (0, 0)
        for byte in text.utf8 {
            if before == (UInt8(ascii: "t"), UInt8(ascii: "a")), byte == UInt8(ascii: "g") { return true }
            before = (before.1, byte)
        }
        return false
    }
}

extension String {
    /// What stands between blanks.
    var wordsAsWritten: [Substring] { utf8.split(separator: UInt8(ascii: " ")).map(Substring.init) }
}
