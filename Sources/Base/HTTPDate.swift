extension Timestamp {
    /// Reads a date of HTTP, `Sun, 06 Nov 1994 08:49:37 GMT`, or one of the two obsolete forms a recipient must accept
    /// (`Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`); nil otherwise.
    ///
    /// `now` says which century a year of two digits is in: never one that lies more than 50 years ahead.
    /// Source: RFC 9110 §5.6.7.
    package init?(httpDate text: String, now: Timestamp) {
        let parts = text.split { " ,-:".contains($0) }
        let isAsctime = parts.count == 7
        guard isAsctime || parts.count == 8 && parts[7] == "GMT" else { return nil }
        let (dayOf, monthOf, yearOf) =
            isAsctime ? (parts[2], parts[1], parts[6]) : (parts[1], parts[2], parts[3])
        let clock = (isAsctime ? parts[3...5] : parts[4...6]).map(Self.number)
        guard let month = Self.months.firstIndex(of: monthOf), let day = Self.number(dayOf),
            var year = Self.number(yearOf), let hour = clock[0], let minute = clock[1], let second = clock[2],
            hour < 24, minute < 60, second <= 60, yearOf.count == 4 || yearOf.count == 2
        else { return nil }
        if yearOf.count == 2 {
            let days = Int((Double(now.milliseconds) / 86_400_000).rounded(.down))
            let thisYear = CivilDate(daysSince1970: days).year
            year += thisYear / 100 * 100
            if year > thisYear + 50 { year -= 100 }
        }
        guard let date = CivilDate(year: year, month: month + 1, day: day) else { return nil }
        let seconds = date.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second
        self.init(milliseconds: Int64(seconds) * 1000)
    }

    private static let months: [Substring] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Digits alone, at most four.
    private static func number(_ text: Substring) -> Int? {
        guard (1...4).contains(text.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }
}
