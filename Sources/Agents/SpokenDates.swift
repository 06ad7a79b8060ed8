import Base

/// A day out of words, kept symbolic because there is no clock here.
///
/// "tuesday" → `tuesday`, "next tuesday" → `next tuesday`, "the third of march" and "2027-03-03" → `march 3`, "tomorrow" →
/// `tomorrow`. What leaves a choice ("monday or tuesday") or takes counting ("in two weeks", "the second friday in march")
/// is no day, and neither is one without its month ("friday the fourth").
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
    /// Days are counted from these, or they are many.
    private static let spans: Set<String> = [
        "days", "week", "weeks", "weekend", "weekends", "fortnight", "month", "months", "year", "years",
    ]
    /// What makes a day another one: "the day after friday", "last friday".
    private static let displacing: Set<String> = [
        "after", "before", "until", "till", "than", "last", "past", "following",
    ]

    /// What was named, in the order of what tells more of a day.
    private enum Day: Hashable {
        /// Owes its month.
        case dayOfMonth
        case weekday(String), relative(String), date(String)

        var rank: Int {
            switch self {
            case .dayOfMonth: 0
            case .weekday: 1
            case .relative: 2
            case .date: 3
            }
        }
    }

    static func read(_ words: [String]) -> Understanding {
        let mentions = SpokenMentions(words, merging: merged) { mention(words, $0) }
        switch mentions.meant {
        case .value(.date(let value), let goesOn):
            // "march twenty": "first" may follow.
            let mayGoOn = words.last.flatMap(SpokenNumbers.tens) != nil
            return Understanding(value: value, fullness: goesOn || mayGoOn ? .enough : .full)
        case .value(.weekday(let value), _), .value(.relative(let value), _):
            return Understanding(value: value, fullness: .enough)
        case .value(.dayOfMonth, _), .unclear: return Understanding(value: nil, fullness: .part)
        case .nothing:
            // A day without a month, a month without a day, or "next": the rest is owed.
            let hasPart =
                words.last.map(leaders.contains) ?? false
                || words.indices.contains {
                    day(words, $0, isOrdinal: true) != nil || month(words[$0]) != nil
                }
            return Understanding(value: nil, fullness: hasPart ? .part : .none)
        }
    }

    /// "Tuesday the third of march" is one day, "tuesday the third" owes a month; two of a kind are two days.
    private static func merged(_ a: Day, _ b: Day) -> Day? {
        if a == b { return a }
        let (less, more) = a.rank < b.rank ? (a, b) : (b, a)
        guard less.rank < more.rank else { return nil }
        switch (less, more) {
        case (.dayOfMonth, .date): return nil
        case (.dayOfMonth, .weekday): return less
        default: return more
        }
    }

    private static func mention(_ words: [String], _ at: Int) -> SpokenMentions<Day>.Mention? {
        let word = words[at]
        if let (value, used) = written(words, at) ?? date(words, at) {
            return .init(value: isDisplaced(words, at) ? nil : value.map(Day.date), used: used)
        }
        if Words.stands(["day", "after", "tomorrow"], in: words, at: at) {
            return .init(value: .relative("day after tomorrow"), used: 3)
        }
        if spans.contains(word), !(at > 0 && words[at - 1] == "this") { return .init(value: nil, used: 1) }
        if word == "today" || word == "tomorrow" {
            return .init(value: isDisplaced(words, at) ? nil : .relative(word), used: 1)
        }
        if let name = weekdays.first(where: { isShort(word, for: $0) }) {
            let isNext = at > 0 && words[at - 1] == "next"
            let value = Day.weekday(isNext ? "next " + name : name)
            return .init(value: isCounted(words, at) || isDisplaced(words, at) ? nil : value, used: 1)
        }
        // "In march" beside "a friday"; "may" alone is a verb.
        if word != "may", month(word) != nil { return .init(value: nil, used: 1) }
        guard let (_, used) = day(words, at, isOrdinal: true), isDayOfMonth(words, at, used) else {
            return nil
        }
        return .init(value: .dayOfMonth, used: used)
    }

    private static func isDisplaced(_ words: [String], _ at: Int) -> Bool {
        guard at > 0 else { return false }
        let isLed = leaders.contains(words[at - 1]) && at > 1
        return displacing.contains(words[at - 1]) || (isLed && displacing.contains(words[at - 2]))
    }

    /// "The second friday", "friday after next", "friday next".
    private static func isCounted(_ words: [String], _ at: Int) -> Bool {
        let before = Array(words[..<at].suffix(3))
        // Behind a month it is its day; "a second" is a moment.
        let isNumbered =
            before.last.map { ordinal($0) != nil } ?? false
            && !before.dropLast().contains { month($0) != nil || $0 == "a" || $0 == "one" }
        return isNumbered || Words.stands(["next"], in: words, at: at + 1)
            || Words.stands(["after", "next"], in: words, at: at + 1)
    }

    /// An ordinal that is a day: "the fourth", "4th", "or fourth"; not "first thing", "one second".
    private static func isDayOfMonth(_ words: [String], _ at: Int, _ used: Int) -> Bool {
        if used == 2 || words[at].first?.isNumber == true { return true }
        let next = at + used < words.count ? words[at + used] : ""
        let isFollowed = next.isEmpty || ["or", "and", "to", "no", "please", "then"].contains(next)
        guard at > 0 else { return isFollowed }
        let isAfterDay = weekdays.contains { isShort(words[at - 1], for: $0) }
        return isAfterDay || (["the", "or", "and", "to", "on"].contains(words[at - 1]) && isFollowed)
    }

    private static func isShort(_ word: String, for name: String) -> Bool {
        word == name || word == name + "s" || word == name + "'s"
            || (word.count >= 3 && word.count <= 5 && word != "sat" && word != "sun"
                && word != "wed" && name.hasPrefix(word))
    }

    private static func month(_ word: String) -> Int? {
        months.firstIndex {
            $0 == word || (word.count >= 3 && $0 != "may" && $0 != "march" && $0.hasPrefix(word))
        }
    }

    // MARK: - Month and day

    /// `2027-04-03` → april 3. Which is the month of 3/4/2027 nobody knows: nil in it.
    private static func written(_ words: [String], _ at: Int) -> (String?, used: Int)? {
        guard let first = number(words, at), let second = number(words, at + 1) else { return nil }
        guard let third = number(words, at + 2) else { return nil }
        guard words[at].utf8.count == 4, first > 31, (1...12).contains(second),
            (1...lengths[second - 1]).contains(third)
        else {
            let isBeforeMonth = at + 3 < words.count && month(words[at + 3]) != nil
            return isBeforeMonth ? nil : (nil, 3)
        }
        return ("\(months[second - 1]) \(third)", 3)
    }

    private static func number(_ words: [String], _ at: Int) -> Int? {
        guard at < words.count, words[at].utf8.count <= 4,
            words[at].utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int(words[at])
    }

    /// A month with its day, from its first word on; nil in it: there is no such day.
    private static func date(_ words: [String], _ at: Int) -> (String?, used: Int)? {
        if let (value, used) = day(words, at, isOrdinal: false) {
            var next = at + used
            if next < words.count, words[next] == "of" { next += 1 }
            guard next < words.count, let month = month(words[next]) else { return nil }
            // "May third may work": the second is no month.
            return (named(month, value), next + 1 - at)
        }
        guard let month = month(words[at]) else { return nil }
        let start = at + 1 + (at + 1 < words.count && words[at + 1] == "the" ? 1 : 0)
        guard start < words.count, !isYear(words, start),
            let (value, used) = day(words, start, isOrdinal: false)
        else { return nil }
        return (named(month, value), start + used - at)
    }

    private static func named(_ month: Int, _ day: Int) -> String? {
        (1...lengths[month]).contains(day) ? "\(months[month]) \(day)" : nil
    }

    /// "twenty twenty seven", "nineteen eighty five", "two thousand": behind a month they are a year.
    private static func isYear(_ words: [String], _ at: Int) -> Bool {
        guard at + 1 < words.count else { return false }
        if words[at + 1] == "thousand" { return true }
        guard words[at] == "nineteen" || words[at] == "twenty",
            let (_, used) = SpokenNumbers.small(words, at + 1)
        else { return false }
        let next = at + 1 + used
        return next >= words.count || SpokenNumbers.single(words[next]) == nil
    }

    private static func ordinal(_ word: String) -> Int? {
        if let value = ordinals[word] { return value }
        let digits = word.prefix { $0.isASCII && $0.isNumber }
        guard let value = Int(digits), (1...31).contains(value),
            ["st", "nd", "rd", "th"].contains(word.dropFirst(digits.count))
        else { return nil }
        return value
    }

    /// 1...31 at `at`; with `isOrdinal` only forms that can be nothing but a day.
    private static func day(_ words: [String], _ at: Int, isOrdinal: Bool) -> (value: Int, used: Int)? {
        let word = words[at]
        if let ten = SpokenNumbers.tens(word), at + 1 < words.count, let one = ordinals[words[at + 1]],
            one < 10
        {
            return ten + one <= 31 ? (ten + one, 2) : nil
        }
        if let value = ordinal(word) { return (value, 1) }
        guard !isOrdinal else { return nil }
        if let value = number(words, at), (1...31).contains(value) { return (value, 1) }
        if let (value, used) = SpokenNumbers.small(words, at), value <= 31 { return (value, used) }
        return SpokenNumbers.one(word).flatMap { $0 > 0 ? ($0, 1) : nil }
    }
}
