import Base

/// A sum of money out of words, as prices are said.
///
/// "twelve fifty" → 12.50, "a dollar fifty" → 1.50, "two hundred and fifty dollars" → 250, "half a million" → 500000,
/// "ten to twenty" → none: two sums are no answer.
enum SpokenAmounts {
    /// In hundredths: more is nobody's answer on the telephone.
    private static let max = 1_000_000_000 * 100
    private static let scales = [
        "hundred": 100, "thousand": 1000, "grand": 1000, "k": 1000, "million": 1_000_000,
        "billion": 1_000_000_000,
    ]
    private static let units: Set<String> = [
        "dollar", "dollars", "euro", "euros", "pound", "pounds", "buck", "bucks", "quid",
    ]
    private static let smallUnits: Set<String> = ["cent", "cents", "pence", "penny", "pennies"]
    /// With these no number is a sum.
    private static let vague: Set<String> = [
        "percent", "%", "than", "least", "most", "between", "under", "couple", "few", "several", "dozen",
        "minus", "times",
    ]
    /// After these "one" counts nothing: "the wrong one".
    private static let pointers: Set<String> = [
        "the", "that", "this", "wrong", "right", "which", "another", "other", "first", "second", "last",
        "each", "every", "any", "no", "next", "same",
    ]

    private struct Sum: Hashable {
        var hundredths: Int
        /// Cents were said, if only as zero.
        var hasCents: Bool
        /// Nothing more can belong to it.
        var isWhole: Bool
    }

    static func read(_ text: String) -> Understanding {
        let words = split(text)
        let mentions = SpokenMentions<Sum>(
            words, merging: { $0.hundredths == $1.hundredths ? $1 : nil },
            mention: { at in
                guard let (sum, used) = sum(words, at) else { return nil }
                // A number at once after it: nobody knows what they are together.
                return .init(value: isNumber(words, at + used) ? nil : sum, used: used)
            })
        switch mentions.meant {
        case .nothing: return Understanding(value: nil, fullness: .none)
        case .value(let sum, let goesOn) where !words.contains(where: vague.contains):
            return Understanding(value: written(sum), fullness: sum.isWhole && !goesOn ? .full : .enough)
        case .unclear, .value: return Understanding(value: nil, fullness: .part)
        }
    }

    private static func written(_ sum: Sum) -> String {
        let (whole, rest) = sum.hundredths.quotientAndRemainder(dividingBy: 100)
        guard sum.hasCents || rest > 0 else { return String(whole) }
        return "\(whole).\(rest < 10 ? "0" : "")\(rest)"
    }

    /// Lower case, without signs of currency; "10-20" has a "to" in it.
    private static func split(_ text: String) -> [String] {
        var words: [String] = []
        for piece in text.lowercased().split(whereSeparator: \.isWhitespace) {
            var wasNumber = false
            for part in piece.split(whereSeparator: { "-–—".contains($0) }) {
                var word = String(part.filter { !"$€£?!:;\"".contains($0) }.map { $0 == "’" ? "'" : $0 })
                while word.last == "." || word.last == "," { word.removeLast() }
                guard let first = word.utf8.first else { continue }
                if isDigit(first), wasNumber { words.append("to") }
                wasNumber = isDigit(first)
                if word.count > 1, word.last == "%" { words.append("%") }
                words.append(word)
            }
        }
        return words
    }

    // MARK: - One sum

    /// nil in it: something like a sum, and nobody knows which.
    private static func sum(_ words: [String], _ at: Int) -> (Sum?, used: Int)? {
        guard let (number, used) = number(words, at) else {
            // "a dollar fifty", "a cent"
            let unit = at + (["a", "an"].contains(words[at]) ? 1 : 0)
            guard unit < words.count else { return nil }
            if units.contains(words[unit]), unit > at || pair(words, unit + 1) != nil {
                return withCents(words, at, unit, 100)
            }
            if unit > at, smallUnits.contains(words[unit]) {
                return (Sum(hundredths: 1, hasCents: true, isWhole: true), 2)
            }
            return nil
        }
        let next = at + used
        guard let number else { return (nil, used) }
        if next < words.count, units.contains(words[next]) { return withCents(words, at, next, number.value) }
        if next < words.count, smallUnits.contains(words[next]) {
            let isRound = number.value % 100 == 0
            let sum = Sum(hundredths: number.value / 100, hasCents: true, isWhole: true)
            return (isRound ? sum : nil, used + 1)
        }
        if number.isPlain, number.value % 100 == 0, let (cents, more) = pair(words, next) {
            let sum = Sum(hundredths: number.value + cents, hasCents: true, isWhole: false)
            let end = next + more
            guard end < words.count else { return (sum, used + more) }
            if units.contains(words[end]) { return withCents(words, at, end, sum.hundredths) }
            // "twelve fifty cents" are twelve and fifty cents.
            let isClosed = smallUnits.contains(words[end])
            return (
                Sum(hundredths: sum.hundredths, hasCents: true, isWhole: isClosed),
                used + more + (isClosed ? 1 : 0)
            )
        }
        let sum = Sum(
            hundredths: number.value, hasCents: number.hasCents, isWhole: number.hasBothCents)
        return (sum, used)
    }

    /// From the unit on: "dollars and fifty cents", "dollars five", "dollar and a half".
    private static func withCents(_ words: [String], _ start: Int, _ unit: Int, _ hundredths: Int) -> (
        Sum?, used: Int
    ) {
        var sum = Sum(hundredths: hundredths, hasCents: hundredths % 100 != 0, isWhole: false)
        var end = unit + 1
        guard hundredths % 100 == 0 else { return (sum, end - start) }
        if let (part, used) = fraction(words, end) {
            sum.hundredths += part
            sum.hasCents = true
            return (sum, end + used - start)
        }
        let from = end + (end < words.count && words[end] == "and" ? 1 : 0)
        guard let (cents, used) = pair(words, from, allowsOne: true) else { return (sum, end - start) }
        end = from + used
        let isNamed = end < words.count && smallUnits.contains(words[end])
        // "Twenty dollars and five thousand", "twenty dollars and thirty dollars".
        guard isNamed || end >= words.count || (scales[words[end]] == nil && !units.contains(words[end]))
        else { return (nil, end - start) }
        if isNamed { end += 1 }
        sum.hundredths += cents
        sum.hasCents = true
        sum.isWhole = isNamed || !tensMayGoOn(words, end - 1)
        return (sum, end - start)
    }

    private static func tensMayGoOn(_ words: [String], _ at: Int) -> Bool {
        SpokenNumbers.tens(words[at]) != nil || words[at] == "oh" || words[at] == "o"
    }

    /// Two digits of cents: "fifty", "ninety nine", "oh five", "50"; with `allowsOne` also "five".
    private static func pair(_ words: [String], _ at: Int, allowsOne: Bool = false) -> (Int, used: Int)? {
        guard at < words.count else { return nil }
        if words[at] == "oh" || words[at] == "o" {
            return at + 1 < words.count ? SpokenNumbers.one(words[at + 1]).map { ($0, 2) } : nil
        }
        if let (value, used) = SpokenNumbers.small(words, at) {
            return at + used < words.count && scales[words[at + used]] != nil ? nil : (value, used)
        }
        if words[at].utf8.allSatisfy(isDigit), words[at].utf8.count == 2, let value = Int(words[at]) {
            return (value, 1)
        }
        guard allowsOne, !["a", "an"].contains(words[at]) else { return nil }
        return SpokenNumbers.one(words[at]).map { ($0, 1) }
            ?? (words[at].utf8.count == 1 ? Int(words[at]).map { ($0, 1) } : nil)
    }

    private static func isNumber(_ words: [String], _ at: Int) -> Bool {
        guard at < words.count else { return false }
        return SpokenNumbers.single(words[at]) != nil || scales[words[at]] != nil
            || words[at].utf8.first.map(isDigit) == true || words[at] == "point"
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    // MARK: - Numbers

    private struct Number {
        /// Hundredths.
        var value: Int
        var hasCents = false
        /// Below a thousand and nothing but whole: two digits after it are cents.
        var isPlain = true
        /// Written with two digits of cents: nothing can follow.
        var hasBothCents = false
    }

    /// nil in it: written as nobody can read it, or too much.
    private static func number(_ words: [String], _ start: Int) -> (Number?, used: Int)? {
        if words[start] == "half" || words[start] == "quarter", let part = halfOf(words, start) {
            return part
        }
        guard let (head, used) = belowThousand(words, start) else { return nil }
        guard var number = head else { return (nil, used) }
        var at = start + used
        // What was said may go down only: thousands after millions.
        var last = Int.max
        var sum = 0
        while at < words.count, let scale = scales[words[at]] {
            guard scale > 100 || number.hasCents else { return (nil, at + 1 - start) }
            let (scaled, isTooMuch) = number.value.multipliedReportingOverflow(by: scale)
            at += 1
            guard !isTooMuch, scale < last, scaled <= max - min(max, sum) else { return (nil, at - start) }
            last = scale
            sum += scaled
            number = Number(value: 0, isPlain: false)
            if let (part, used) = fraction(words, at) {
                // "A million and a half"; of a thousand nobody says so.
                guard scale == 1_000_000 else { return (nil, at + used - start) }
                sum += part * scale
                at += used
                break
            }
            let from = at + (at < words.count && words[at] == "and" ? 1 : 0)
            guard from < words.count, let (rest, used) = belowThousand(words, from) else { break }
            guard let rest, !rest.hasCents, rest.value < last * 100 else {
                return (nil, from + used - start)
            }
            at = from + used
            number = rest
        }
        number.value += sum
        guard number.value <= max else { return (nil, at - start) }
        if sum > 0 { number.isPlain = false }
        return (number, at - start)
    }

    /// "half a million", "quarter of a million", "half a dollar": what the unit after it is a part of.
    private static func halfOf(_ words: [String], _ start: Int) -> (Number?, used: Int)? {
        var at = start + 1
        if at < words.count, words[at] == "of" { at += 1 }
        if at < words.count, words[at] == "a" { at += 1 }
        guard at < words.count else { return nil }
        let part = words[start] == "half" ? 50 : 25
        if let scale = scales[words[at]], scale <= 1_000_000 {
            return (Number(value: part * scale, isPlain: false), at + 1 - start)
        }
        guard units.contains(words[at]) else { return nil }
        // The unit is read next.
        return (Number(value: part, hasCents: true, isPlain: false), at - start)
    }

    /// "and a half", "and a quarter", "and three quarters" in hundredths.
    private static func fraction(_ words: [String], _ at: Int) -> (Int, used: Int)? {
        let fractions: [([String], Int)] = [
            (["and", "a", "half"], 50), (["and", "a", "quarter"], 25), (["and", "three", "quarters"], 75),
        ]
        return fractions.first { Words.stands($0.0, in: words, at: at) }.map { ($0.1, $0.0.count) }
    }

    /// Up to a thousand, or as much as is written, with what follows the point.
    private static func belowThousand(_ words: [String], _ start: Int) -> (Number?, used: Int)? {
        let word = words[start]
        if word.utf8.first.map(isDigit) == true || (word.first == "." && word.utf8.count > 1) {
            guard let number = digits(word) else { return (nil, 1) }
            if start + 1 < words.count, words[start + 1] == "hundred", number.isPlain {
                return hundreds(words, start, number.value / 100, used: 1)
            }
            return pointed(words, start, number, used: 1)
        }
        if word == "point", start + 1 < words.count,
            SpokenNumbers.one(words[start + 1]) != nil || words[start + 1].utf8.allSatisfy(isDigit)
        {
            return pointed(words, start, Number(value: 0), used: 0)
        }
        let isArticle = word == "a" || word == "an"
        if isArticle || scales[word] == 100 {
            let at = start + (isArticle ? 1 : 0)
            guard at < words.count, let scale = scales[words[at]] else { return nil }
            if scale == 100 { return hundreds(words, start, 1, used: at - start) }
            return (Number(value: 100), 1)
        }
        guard let (value, used) = belowHundred(words, start) else { return nil }
        if start + used < words.count, words[start + used] == "hundred" {
            return hundreds(words, start, value, used: used)
        }
        return pointed(words, start, Number(value: value * 100), used: used)
    }

    private static func belowHundred(_ words: [String], _ at: Int) -> (Int, used: Int)? {
        if let ten = SpokenNumbers.tens(words[at]) {
            let one = at + 1 < words.count ? SpokenNumbers.one(words[at + 1]) : nil
            return one.map { $0 > 0 ? (ten + $0, 2) : (ten, 1) } ?? (ten, 1)
        }
        if words[at] == "one", at > 0, pointers.contains(words[at - 1]) {
            let next = at + 1 < words.count ? words[at + 1] : ""
            guard scales[next] != nil || units.contains(next) else { return nil }
        }
        return SpokenNumbers.single(words[at]).map { ($0, 1) }
    }

    /// "… hundred and twelve".
    private static func hundreds(_ words: [String], _ start: Int, _ count: Int, used: Int) -> (
        Number?, used: Int
    ) {
        var at = start + used + 1
        guard count < 100 else { return (nil, at - start) }
        var value = count * 100
        let from = at + (at < words.count && words[at] == "and" ? 1 : 0)
        if from < words.count, fraction(words, at) == nil, let (rest, more) = belowHundred(words, from),
            rest > 0
        {
            value += rest
            at = from + more
        } else if fraction(words, at) != nil {
            return (nil, at + 3 - start)
        }
        return pointed(words, start, Number(value: value * 100), used: at - start)
    }

    /// "… point two five", "… and a half".
    private static func pointed(_ words: [String], _ start: Int, _ number: Number, used: Int) -> (
        Number?, used: Int
    ) {
        var at = start + used
        if number.isPlain, let (part, more) = fraction(words, at) {
            return (Number(value: number.value + part, hasCents: true, isPlain: false), used + more)
        }
        guard number.isPlain, at + 1 < words.count, words[at] == "point" else { return (number, used) }
        at += 1
        var digits: [Int] = []
        while at < words.count {
            if words[at] == "oh" || words[at] == "o" {
                digits.append(0)
            } else if let digit = SpokenNumbers.one(words[at]) {
                digits.append(digit)
            } else if digits.isEmpty, let (two, used) = SpokenNumbers.small(words, at) {
                digits = [two / 10, two % 10]
                at += used - 1
            } else if words[at].utf8.allSatisfy(isDigit) {
                digits += words[at].utf8.map { Int($0) - 0x30 }
            } else {
                break
            }
            at += 1
        }
        guard (1...2).contains(digits.count) else { return (nil, at - start) }
        let cents = digits[0] * 10 + (digits.count == 2 ? digits[1] : 0)
        return (Number(value: number.value + cents, hasCents: true, isPlain: false), at - start)
    }

    /// `250`, `1,200`, `250.10`, `12.5`, `5k`, `1.5m`.
    private static func digits(_ word: String) -> Number? {
        var word = word[...]
        var scale = 1
        if let last = word.last, let factor = ["k": 1000, "m": 1_000_000][last] {
            scale = factor
            word = word.dropLast()
        }
        let parts = word.split(separator: ".", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2, let whole = grouped(first) else { return nil }
        var value = whole * 100
        if parts.count == 2 {
            guard (1...2).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy(isDigit),
                let cents = Int(parts[1])
            else { return nil }
            value += parts[1].utf8.count == 1 ? cents * 10 : cents
        }
        let (scaled, isTooMuch) = value.multipliedReportingOverflow(by: scale)
        guard !isTooMuch, scaled <= max else { return nil }
        let hasCents = parts.count == 2 && scale == 1
        return Number(
            value: scaled, hasCents: hasCents, isPlain: !hasCents && scaled < 1000 * 100,
            hasBothCents: hasCents && parts[1].utf8.count == 2)
    }

    /// Commas stand before three digits each.
    private static func grouped(_ text: Substring) -> Int? {
        if text.isEmpty { return 0 }
        let groups = text.split(separator: ",", omittingEmptySubsequences: false)
        guard groups.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isDigit) }),
            groups.dropFirst().allSatisfy({ $0.utf8.count == 3 })
        else { return nil }
        guard let value = Int(groups.joined()), value <= max / 100 else { return nil }
        return value
    }
}
