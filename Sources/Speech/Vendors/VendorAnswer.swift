import Base
import Glibc

/// What the headers of a vendor's refusal say, beside its status. Names in lower case.
struct VendorAnswer: Sendable {
    /// Names of the request in the vendor's own logs, and of its error: nothing in them is secret.
    static let traceNames = [
        "x-request-id", "request-id", "dg-request-id", "dg-error", "cf-ray",
    ]
    /// All that is read of a refusal.
    static let names = ["retry-after", "retry-after-ms", "x-should-retry"] + traceNames
    /// Of one value, what is passed on.
    private static let valueMax = 100

    private let headers: [String: String]

    init(_ headers: [String: String] = [:]) { self.headers = headers }
    init(_ headers: [(String, String)]) {
        self.init(Dictionary(headers.map { ($0.0.lowercased(), $0.1) }) { first, _ in first })
    }

    /// Time from `now` until the vendor may be asked again: `retry-after-ms`, or `Retry-After` in seconds or as a date; nil
    /// where it does not say. Source: RFC 9110 §10.2.3.
    func retryAfter(now: Timestamp) -> Duration? {
        if let text = headers["retry-after-ms"], let value = Double(text), value >= 0 {
            return .milliseconds(min(value, 1e9))
        }
        guard let text = headers["retry-after"] else { return nil }
        if let value = Double(text) { return value >= 0 ? .seconds(min(value, 1e6)) : nil }
        return Timestamp(httpDate: text, now: now).map { max($0 - now, .zero) }
    }

    /// The vendor says that asking again is of no use.
    var isFutile: Bool { headers["x-should-retry"] == "false" }

    /// ` request-id=…`, each with a space before it; empty where there is none.
    var trace: String {
        Self.traceNames.reduce(into: "") { text, name in
            guard let value = headers[name] else { return }
            let plain = value.unicodeScalars.prefix(Self.valueMax).filter { (0x21...0x7E).contains($0.value) }
            text += " \(name)=\(String(String.UnicodeScalarView(plain)))"
        }
    }
}

extension Timestamp {
    /// The wall clock, for dates in what vendors send.
    static var wall: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
