import Base
import Foundation

/// The wall clock, read once at the edge of the simulated world.
enum UTC {
    static func now() -> Timestamp { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }

    /// `Sun, 22 Nov 2026 16:00:00 GMT`, as HTTP writes times.
    static func http(_ time: Timestamp) -> String { rfc2822(time).dropLast(5) + "GMT" }

    /// So many seconds as a `Retry-After` has them, or as a date from now on.
    static func retryAfter(_ seconds: Int, asDate: Bool) -> String {
        // A date has whole seconds: the one under way is not over.
        asDate ? http(now() + .seconds(seconds + 1)) : String(seconds)
    }

    /// `Sun, 22 Nov 2026 16:00:00 +0000`, as the carrier writes times.
    static func rfc2822(_ time: Timestamp) -> String {
        let days = Int(time.milliseconds / 86_400_000)
        let date = CivilDate(daysSince1970: days)
        let clock = time.rfc3339.dropFirst(11).prefix(8)
        // 1970-01-01 was a Thursday.
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][days % 7]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let day = (date.day < 10 ? "0" : "") + String(date.day)
        return "\(weekday), \(day) \(months[date.month - 1]) \(date.year) \(clock) +0000"
    }
}
