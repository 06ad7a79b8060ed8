import Base

/// A day out of words, kept symbolic because there is no clock here.
///
/// "next tuesday" → `tuesday`, "the third of march" → `march 3`, "tomorrow" → `tomorrow`. The last day
/// named wins: people correct themselves forwards.
enum SpokenDates {
    static let weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
        "november",
        "december",
    ]
    /// Longest month lengths, so that 29 February can be said.
    private static let lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    private static let ordinals: [String: Int] = [
        "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
        "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14,
        "fifteenth": 15,
        "sixteenth": 16, "seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "twentieth": 20,
        "thirtieth": 30,
    ]

    /// What a day follows.
    private static let leaders: Set<String> = ["next", "this", "coming", "following", "on", "the"]

    static func read(_ words: [String]) -> Understanding {
        if let day = monthAndDay(words) { return Understanding(value: day, fullness: .full) }
        var value: String?
        for word in words {
            if word == "today" || word == "tomorrow" {
                value = word
            } else if let day = weekdays.first(where: { isShort(word, for: $0) }) {
                value = day
            }
        }
        if value == "tomorrow", contains(words, ["day", "after", "tomorrow"]) {
            value = "day after tomorrow"
        }
        if let value { return Understanding(value: value, fullness: .enough) }
        // A day without a month, a month without a day, or "next": the rest is owed.
        let hasPart =
            words.last.map(leaders.contains) ?? false
            || words.indices.contains { day(words, $0, isOrdinal: true) != nil || month(words[$0]) != nil }
        return Understanding(value: nil, fullness: hasPart ? .part : .none)
    }

    private static func contains(_ words: [String], _ phrase: [String]) -> Bool {
        Words.range(of: phrase, in: words) != nil
    }

    private static func isShort(_ word: String, for name: String) -> Bool {
        word == name || word == name + "s"
            || (word.count >= 3 && word.count <= 5 && word != "sat" && word != "sun"
                && word != "wed" && name.hasPrefix(word))
    }

    private static func month(_ word: String) -> Int? {
        months.firstIndex {
            $0 == word || (word.count >= 3 && $0 != "may" && $0 != "march" && $0.hasPrefix(word))
        }
    }

    private static func monthAndDay(_ words: [String]) -> String? {
        var found: String?
        for at in words.indices {
            guard let month = month(words[at]) else { continue }
            let before = dayBefore(words, at)
            let after = dayAfter(words, at)
            guard let day = before ?? after, (1...lengths[month]).contains(day) else { continue }
            found = "\(months[month]) \(day)"
        }
        return found
    }

    /// "the third of march", "twenty third march", "3 march".
    private static func dayBefore(_ words: [String], _ at: Int) -> Int? {
        var end = at - 1
        if end >= 0, words[end] == "of" { end -= 1 }
        guard end >= 0 else { return nil }
        if end > 0, let (value, used) = day(words, end - 1, isOrdinal: false), used == 2 { return value }
        return day(words, end, isOrdinal: false)?.value
    }

    /// "march third", "march the third", "march 3".
    private static func dayAfter(_ words: [String], _ at: Int) -> Int? {
        var start = at + 1
        if start < words.count, words[start] == "the" { start += 1 }
        guard start < words.count else { return nil }
        return day(words, start, isOrdinal: false)?.value
    }

    /// 1...31 at `at`; with `isOrdinal` only forms that can be nothing but a day.
    private static func day(_ words: [String], _ at: Int, isOrdinal: Bool) -> (value: Int, used: Int)? {
        let word = words[at]
        if let ten = SpokenNumbers.tens(word), at + 1 < words.count, let one = ordinals[words[at + 1]],
            one < 10
        {
            return ten + one <= 31 ? (ten + one, 2) : nil
        }
        if let value = ordinals[word] { return (value, 1) }
        let digits = word.prefix { $0.isASCII && $0.isNumber }
        if let value = Int(digits), (1...31).contains(value) {
            let suffix = word.dropFirst(digits.count)
            if ["st", "nd", "rd", "th"].contains(suffix) || (suffix.isEmpty && !isOrdinal) {
                return (value, 1)
            }
        }
        guard !isOrdinal else { return nil }
        if let (value, used) = SpokenNumbers.small(words, at), value <= 31 { return (value, used) }
        return SpokenNumbers.one(word).flatMap { $0 > 0 ? ($0, 1) : nil }
    }
}
