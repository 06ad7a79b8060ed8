/// Digits out of words as people dictate them.
///
/// "five five five oh one double two" → 5550122, "twenty three" → 23, "six hundred and twelve" → 612,
/// "one eight hundred five five five" → 1800555, "555-0122" → 5550122. Other words are passed over.
package enum SpokenNumbers {
    /// What a word is in a number.
    private enum Part: Hashable {
        case one(Int), teen(Int), tens(Int)
        /// Hundred, thousand.
        case unit(Int)
        /// How often the next digit comes.
        case times(Int)
        /// A digit only beside another number.
        case oh
    }

    private static let parts: [String: Part] = [
        "zero": .one(0), "nought": .one(0), "one": .one(1), "two": .one(2), "three": .one(3), "four": .one(4),
        "five": .one(5), "six": .one(6), "seven": .one(7), "eight": .one(8), "nine": .one(9),
        "ten": .teen(10),
        "eleven": .teen(11), "twelve": .teen(12), "thirteen": .teen(13), "fourteen": .teen(14),
        "fifteen": .teen(15), "sixteen": .teen(16), "seventeen": .teen(17), "eighteen": .teen(18),
        "nineteen": .teen(19), "twenty": .tens(20), "thirty": .tens(30), "forty": .tens(40),
        "fifty": .tens(50), "sixty": .tens(60), "seventy": .tens(70), "eighty": .tens(80),
        "ninety": .tens(90), "hundred": .unit(100), "thousand": .unit(1000), "double": .times(2),
        "triple": .times(3), "oh": .oh, "o": .oh,
    ]

    private static func part(_ words: [String], _ at: Int) -> Part? {
        words.indices.contains(at) ? parts[words[at]] : nil
    }

    /// 0...9.
    static func one(_ word: String) -> Int? { if case .one(let value) = parts[word] { value } else { nil } }

    /// 20, 30...90.
    static func tens(_ word: String) -> Int? { if case .tens(let value) = parts[word] { value } else { nil } }

    /// A number that is one word, below a hundred.
    static func single(_ word: String) -> Int? {
        switch parts[word] {
        case .one(let value), .teen(let value), .tens(let value): value
        default: nil
        }
    }

    /// All digits in `words`, joined; empty when there are none.
    package static func digits(in words: [String]) -> String {
        var out = ""
        var at = 0
        while at < words.count {
            if let (digits, used) = group(words, at) {
                out += digits
                at += used
            } else {
                at += 1
            }
        }
        return out
    }

    /// The digits that begin at `at` and how many words they take.
    static func group(_ words: [String], _ at: Int) -> (digits: String, used: Int)? {
        switch parts[words[at]] {
        case .times(let times):
            guard at + 1 < words.count, let digit = digit(words, at + 1), digit.count == 1 else { return nil }
            return (String(repeating: digit, count: times), 2)
        case .one(let value):
            if value > 0, case .unit(let unit) = part(words, at + 1) {
                return large(words, at, value: value * unit)
            }
            return (String(value), 1)
        case .teen, .tens: return small(words, at).map { (String($0.value), $0.used) }
        case .oh, nil: return digit(words, at).map { ($0, 1) }
        case .unit: return nil
        }
    }

    /// "six hundred", "six hundred and twelve", "two thousand twenty six".
    ///
    /// A bare digit after it does not join: "one eight hundred five five five" is a telephone number.
    private static func large(_ words: [String], _ at: Int, value: Int) -> (digits: String, used: Int) {
        var next = at + 2
        let hasAnd = next < words.count && words[next] == "and"
        if hasAnd { next += 1 }
        guard next < words.count else { return (String(value), 2) }
        if let rest = small(words, next) { return (String(value + rest.value), next + rest.used - at) }
        if hasAnd, let digit = one(words[next]) { return (String(value + digit), next + 1 - at) }
        return (String(value), 2)
    }

    /// 10...99 in words.
    static func small(_ words: [String], _ at: Int) -> (value: Int, used: Int)? {
        switch parts[words[at]] {
        case .teen(let value): return (value, 1)
        case .tens(let value):
            guard case .one(let digit) = part(words, at + 1), digit > 0 else { return (value, 1) }
            // "twenty eight hundred" is 20, 800.
            if case .unit = part(words, at + 2) { return (value, 1) }
            return (value + digit, 2)
        default: return nil
        }
    }

    /// One spoken digit or a run of written ones.
    private static func digit(_ words: [String], _ at: Int) -> String? {
        let word = words[at]
        switch parts[word] {
        case .one(let value): return String(value)
        case .oh:
            let hasNeighbour =
                (at > 0 && isNumber(words[at - 1])) || (at + 1 < words.count && isNumber(words[at + 1]))
            return hasNeighbour ? "0" : nil
        case nil: return isWritten(word) ? word : nil
        default: return nil
        }
    }

    private static func isNumber(_ word: String) -> Bool { parts[word] != nil || isWritten(word) }

    private static func isWritten(_ word: String) -> Bool {
        word.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
