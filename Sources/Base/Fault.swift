/// The world failed: a vendor, a database, a socket. Says whether doing it again is safe.
package struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Retry: Hashable, Sendable {
        /// Doing it again would fail the same way (bad key, bad request).
        case never
        /// Safe to repeat, not before this long.
        case after(Duration)
        /// It may have happened: repeat only under the same idempotency key.
        case unsafe
    }
    /// Stable, lower-case, dotted: `postgres.unreachable`, `llm.rate_limited`. For metrics and events.
    package var code: String
    package var retry: Retry
    /// For the operator; never spoken words, numbers or secrets.
    package var cause: String
    package init(code: String, retry: Retry, cause: String) {
        self.code = code
        self.retry = retry
        self.cause = cause
    }
    package var description: String { "\(code): \(cause)" }
}
