import Base

/// An appointment as it was meant, and the judge's rule of what counts as the same.
package struct Booking: Hashable, Sendable {
    /// Lower case.
    package var name: String
    package var day: Day
    /// Ten digits.
    package var phone: String

    package init(name: String, day: Day, phone: String) {
        self.name = name
        self.day = day
        self.phone = phone
    }

    package enum Day: Hashable, Sendable {
        /// 0 is Monday.
        case weekday(Int)
        case date(month: Int, day: Int)

        /// As somebody says it: `tuesday`, `december third`.
        package var spoken: String {
            switch self {
            case .weekday(let index): Self.weekdays[index]
            case .date(let month, let day): Self.months[month - 1] + " " + Self.ordinals[day - 1]
            }
        }

        package static let weekdays = [
            "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
        ]
        package static let months = [
            "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
            "november", "december",
        ]
        package static let ordinals =
            [
                "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
                "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth",
                "eighteenth", "nineteenth", "twentieth",
            ]
            + ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"].map {
                "twenty " + $0
            }
            + ["thirtieth", "thirty first"]

        /// The day as spoken, `march 3`, or any ISO date that falls on it.
        package func matches(_ text: String) -> Bool {
            let words = PersonaMind.words(text).joined(separator: " ")
            if words == spoken { return true }
            if case .date(let month, let day) = self, words == "\(Self.months[month - 1]) \(day)" {
                return true
            }
            guard let time = Timestamp(rfc3339: String(text.prefix(10))) else { return false }
            let days = Int(time.milliseconds / 86_400_000)
            let date = CivilDate(daysSince1970: days)
            return switch self {
            // 1970-01-01 was a Thursday.
            case .weekday(let index): (days + 3) % 7 == index
            case .date(let month, let day): date.month == month && date.day == day
            }
        }
    }

    /// Empty when the tool was called with what was meant; else the names of the fields that differ.
    package func differences(name: String?, day: String?, phone: String?) -> [String] {
        var wrong: [String] = []
        if PersonaMind.words(name ?? "") != PersonaMind.words(self.name) { wrong.append("name") }
        if !self.day.matches(day ?? "") { wrong.append("day") }
        let digits = (phone ?? "").filter(\.isNumber)
        if digits != self.phone, digits != "1" + self.phone { wrong.append("phone") }
        return wrong
    }
}
