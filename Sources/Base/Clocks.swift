/// Time since the call's media (or its dialing) began: monotonic, nanoseconds. What cores are given as `now`.
package struct CallTime: Hashable, Comparable, Sendable, Codable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    package init(_ duration: Duration) { self.init(nanoseconds: duration.nanoseconds) }
    package static func milliseconds(_ value: Int) -> CallTime {
        CallTime(nanoseconds: Int64(value) * 1_000_000)
    }

    package static let zero = CallTime(nanoseconds: 0)
    /// Whole milliseconds, rounded down.
    package var milliseconds: Int { Int(nanoseconds / 1_000_000) }

    package static func < (a: CallTime, b: CallTime) -> Bool { a.nanoseconds < b.nanoseconds }
    package static func + (time: CallTime, duration: Duration) -> CallTime {
        CallTime(nanoseconds: time.nanoseconds + duration.nanoseconds)
    }
    package static func - (a: CallTime, b: CallTime) -> Duration {
        .nanoseconds(a.nanoseconds - b.nanoseconds)
    }

    package init(from decoder: any Decoder) throws {
        nanoseconds = try decoder.singleValueContainer().decode(Int64.self)
    }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(nanoseconds)
    }
}

/// A position in a stream of audio, counted in samples at a stated rate.
package struct MediaTime: Hashable, Comparable, Sendable {
    package var samples: Int64
    package init(samples: Int64) { self.samples = samples }
    package static func < (a: MediaTime, b: MediaTime) -> Bool { a.samples < b.samples }
    package func duration(sampleRateHz: Int) -> Duration {
        .nanoseconds(samples * 1_000_000_000 / Int64(sampleRateHz))
    }
}

/// UTC, milliseconds since 1970, stamped once at the edge.
package struct Timestamp: Hashable, Comparable, Sendable, Codable {
    package var milliseconds: Int64
    package init(milliseconds: Int64) { self.milliseconds = milliseconds }
    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.milliseconds < b.milliseconds }
    package static func + (time: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(milliseconds: time.milliseconds + duration.milliseconds)
    }
    package static func - (a: Timestamp, b: Timestamp) -> Duration {
        .milliseconds(a.milliseconds - b.milliseconds)
    }

    package init(from decoder: any Decoder) throws {
        milliseconds = try decoder.singleValueContainer().decode(Int64.self)
    }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(milliseconds)
    }
}

extension Timestamp {
    /// RFC 3339 with milliseconds, `2026-11-22T16:00:00.000Z`: the form of every time in the API.
    package var rfc3339: String {
        let day = Int((Double(milliseconds) / 86_400_000).rounded(.down))
        let rest = Int(milliseconds) - day * 86_400_000
        let date = CivilDate(daysSince1970: day)
        return "\(Self.pad(date.year, 4))-\(Self.pad(date.month, 2))-\(Self.pad(date.day, 2))T"
            + "\(Self.pad(rest / 3_600_000, 2)):\(Self.pad(rest / 60_000 % 60, 2)):"
            + "\(Self.pad(rest / 1000 % 60, 2)).\(Self.pad(rest % 1000, 3))Z"
    }

    /// Reads `YYYY-MM-DDTHH:MM:SS[.fraction](Z|±HH:MM)` or a bare `YYYY-MM-DD` (midnight UTC); nil otherwise.
    package init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count, bytes[range].allSatisfy({ (0x30...0x39).contains($0) })
            else { return nil }
            return bytes[range].reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }
        guard bytes.count >= 10, bytes[4] == 0x2D, bytes[7] == 0x2D,
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let date = CivilDate(year: year, month: month, day: day)
        else { return nil }
        let midnight = Int64(date.daysSince1970) * 86_400_000
        if bytes.count == 10 {
            self.init(milliseconds: midnight)
            return
        }
        guard bytes.count >= 20, bytes[10] == 0x54 || bytes[10] == 0x20, bytes[13] == 0x3A, bytes[16] == 0x3A,
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        var at = 19
        var fraction = 0
        if bytes[at] == 0x2E {
            let start = at + 1
            at = start
            while at < bytes.count, (0x30...0x39).contains(bytes[at]) { at += 1 }
            guard at > start else { return nil }
            let digits = Array(bytes[start..<min(at, start + 3)]) + [0x30, 0x30]
            fraction = digits.prefix(3).reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }
        guard let offset = Self.offsetMinutes(bytes[at...]) else { return nil }
        let seconds = hour * 3600 + (minute - offset) * 60 + second
        self.init(milliseconds: midnight + Int64(seconds) * 1000 + Int64(fraction))
    }

    private static func offsetMinutes(_ zone: ArraySlice<UInt8>) -> Int? {
        let zone = Array(zone)
        if zone == [0x5A] || zone == [0x7A] { return 0 }
        guard zone.count == 6, zone[0] == 0x2B || zone[0] == 0x2D, zone[3] == 0x3A else { return nil }
        let digits = [zone[1], zone[2], zone[4], zone[5]].map { Int($0) - 0x30 }
        guard digits.allSatisfy({ (0...9).contains($0) }) else { return nil }
        let minutes = (digits[0] * 10 + digits[1]) * 60 + digits[2] * 10 + digits[3]
        return zone[0] == 0x2D ? -minutes : minutes
    }

    private static func pad(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// A day of the proleptic Gregorian calendar.
/// Source: H. Hinnant, "chrono-compatible low-level date algorithms" (public method, own code).
package struct CivilDate: Hashable, Sendable {
    package let year: Int, month: Int, day: Int

    /// nil for a day that does not exist.
    package init?(year: Int, month: Int, day: Int) {
        let lengths = [31, Self.isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...12).contains(month), (1...lengths[month - 1]).contains(day) else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    package init(daysSince1970 days: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    package var daysSince1970: Int {
        let marchYear = month <= 2 ? year - 1 : year
        let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }
}

extension Duration {
    /// Whole nanoseconds. Traps beyond ±292 years.
    package var nanoseconds: Int64 { Int64(attoseconds / 1_000_000_000) }
    /// Whole milliseconds, rounded towards zero.
    package var milliseconds: Int64 { nanoseconds / 1_000_000 }
}
