/// Digits out of words as people dictate them.
///
/// "five five five oh one double two" → 5550122, "twenty three" → 23, "six hundred and twelve" → 612,
/// "one eight hundred five five five" → 1800555, "555-0122" → 5550122. Other words are passed over.
package enum SpokenNumbers {
    static let ones: [String: Int] = [
        "zero": 0, "nought": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
        "eight": 8, "nine": 9,
    ]
    static let teens: [String: Int] = [
        "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
        "seventeen": 17, "eighteen": 18, "nineteen": 19,
    ]
    static let tens: [String: Int] = [
        "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
        "ninety": 90,
    ]

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
        let word = words[at]
        if word == "double" || word == "triple" {
            let times = word == "double" ? 2 : 3
            guard at + 1 < words.count, let digit = one(words, at + 1), digit.count == 1 else { return nil }
            return (String(repeating: digit, count: times), 2)
        }
        if let value = ones[word], value > 0, at + 1 < words.count, let unit = units[words[at + 1]] {
            return large(words, at, value: value * unit)
        }
        if let digit = one(words, at) { return (digit, 1) }
        return small(words, at).map { (String($0.value), $0.used) }
    }

    private static let units = ["hundred": 100, "thousand": 1000]

    /// "six hundred", "six hundred and twelve", "two thousand twenty six".
    ///
    /// A bare digit after it does not join: "one eight hundred five five five" is a telephone number.
    private static func large(_ words: [String], _ at: Int, value: Int) -> (digits: String, used: Int) {
        var next = at + 2
        let hasAnd = next < words.count && words[next] == "and"
        if hasAnd { next += 1 }
        guard next < words.count else { return (String(value), 2) }
        if let rest = small(words, next) { return (String(value + rest.value), next + rest.used - at) }
        if hasAnd, let digit = ones[words[next]] { return (String(value + digit), next + 1 - at) }
        return (String(value), 2)
    }

    /// 10...99 in words.
    static func small(_ words: [String], _ at: Int) -> (value: Int, used: Int)? {
        if let value = teens[words[at]] { return (value, 1) }
        guard let value = tens[words[at]] else { return nil }
        if at + 1 < words.count, let digit = ones[words[at + 1]], digit > 0 {
            let follows = at + 2 < words.count ? words[at + 2] : ""
            // "twenty eight hundred" is 20, 800.
            if units[follows] == nil { return (value + digit, 2) }
        }
        return (value, 1)
    }

    /// One spoken digit or a run of written ones. "oh" is a digit only beside another number.
    private static func one(_ words: [String], _ at: Int) -> String? {
        let word = words[at]
        if let value = ones[word] { return String(value) }
        if word.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return word }
        guard word == "oh" || word == "o" else { return nil }
        let hasNeighbour =
            (at > 0 && isNumber(words[at - 1])) || (at + 1 < words.count && isNumber(words[at + 1]))
        return hasNeighbour ? "0" : nil
    }

    private static func isNumber(_ word: String) -> Bool {
        ones[word] != nil || teens[word] != nil || tens[word] != nil || units[word] != nil || word == "oh"
            || word == "o" || word == "double" || word == "triple"
            || word.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    }
}
