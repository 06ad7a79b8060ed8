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
        /// Characters of one reply; what follows is cut off.
        package var textMax = 4000
        package init() {}
    }

    var policy: Policy
    /// Replies asked for so far, in the whole call.
    private(set) var number: Int
    private var isOpen = false
    private var newsAt = CallTime.zero
    private var hasText = false
    private var clauses = Clauses()
    private(set) var text = ""

    init(policy: Policy, number: Int) {
        self.policy = policy
        self.number = number
    }

    /// A reply was asked for and has not finished.
    var isPending: Bool { isOpen }
    func isCurrent(_ id: Int) -> Bool { isOpen && id == number }
    var deadline: CallTime? {
        isOpen ? newsAt + .milliseconds(hasText ? policy.nextLimitMs : policy.firstLimitMs) : nil
    }

    mutating func begin(at now: CallTime) -> Int {
        number += 1
        isOpen = true
        hasText = false
        newsAt = now
        clauses = Clauses()
        text = ""
        return number
    }

    /// Clauses that are ready to be spoken.
    mutating func add(_ delta: String, at now: CallTime) -> [String] {
        newsAt = now
        if !delta.isEmpty { hasText = true }
        guard text.utf8.count < policy.textMax || text.count < policy.textMax else { return [] }
        text += delta
        return clauses.add(delta)
    }

    /// The last clause, if any is left. The whole text stays readable until the next `begin`.
    mutating func finish() -> String? {
        isOpen = false
        return clauses.finish()
    }

    /// The number of the reply that must be called off; nil when none is pending.
    mutating func cancel() -> Int? {
        guard isOpen else { return nil }
        isOpen = false
        return number
    }
}

/// Cuts streamed text where a voice can begin: at sentence ends, at commas once there is enough, never in
/// a number.
struct Clauses: Sendable {
    /// Characters before a comma is worth a pause; the first clause of a reply is shorter, to be heard
    /// sooner.
    private static let commaMin = 60
    private static let firstCommaMin = 24
    /// Without any mark, the text is cut at a space after this many.
    private static let lengthMax = 200
    private static let abbreviations: Set<Substring> = [
        "mr", "mrs", "ms", "dr", "st", "no", "vs", "e.g", "i.e", "a.m", "p.m", "etc", "prof",
    ]

    private var buffer = ""
    private var isFirst = true

    mutating func add(_ delta: String) -> [String] {
        buffer += delta
        var ready: [String] = []
        while let end = cut() {
            let clause = Self.clean(buffer[..<end])
            buffer = String(buffer[end...])
            if !clause.isEmpty {
                ready.append(clause)
                isFirst = false
            }
        }
        return ready
    }

    mutating func finish() -> String? {
        let clause = Self.clean(buffer[...])
        buffer = ""
        return clause.isEmpty ? nil : clause
    }

    /// Where the first clause ends; needs the character after a mark to be sure.
    private func cut() -> String.Index? {
        let bytes = buffer.utf8
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
                if isSpace(next), length >= (isFirst ? Self.firstCommaMin : Self.commaMin) { return next }
            case UInt8(ascii: " "):
                if length > Self.lengthMax, let lastSpace { return lastSpace }
                lastSpace = next
            default: break
            }
            index = next
        }
        return nil
    }

    private func isSpace(_ index: String.Index) -> Bool {
        index < buffer.endIndex && buffer.utf8[index] <= 0x20
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
