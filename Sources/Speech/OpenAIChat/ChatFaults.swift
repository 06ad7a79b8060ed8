import Base

/// What a chat endpoint's failure means for trying again.
enum ChatFaults {
    private static let pause = Duration.milliseconds(500)
    private static let rateLimitPause = Duration.seconds(1)
    /// A server may ask for hours; nobody on a call waits that long.
    private static let retryAfterMax = Duration.seconds(60)
    /// Of a vendor's error name, what goes into a fault's cause.
    private static let nameMax = 60

    static func status(_ status: Int, headers: [(String, String)], problem: ChatWire.Problem?) -> Fault {
        let name = problem.map { String($0.name.prefix(nameMax)) } ?? "no details"
        let cause = "status \(status): \(name)"
        func never(_ code: String) -> Fault { Fault(code: code, retry: .never, cause: cause) }
        func later(_ code: String, _ pause: Duration) -> Fault {
            let isFutile = header("x-should-retry", headers) == "false"
            return Fault(code: code, retry: isFutile ? .never : .after(asked(headers) ?? pause), cause: cause)
        }
        switch status {
        case 401, 403: return never("llm.unauthorized")
        case 404: return never("llm.not_found")
        case 408, 409: return later("llm.unavailable", pause)
        case 429:
            return problem?.name == "insufficient_quota"
                ? never("llm.quota") : later("llm.rate_limited", rateLimitPause)
        case 500...: return later("llm.unavailable", pause)
        default: return never("llm.bad_request")
        }
    }

    /// An error object in the middle of a stream.
    static func stream(_ problem: ChatWire.Problem) -> Fault {
        let isQuota = problem.name == "insufficient_quota"
        return Fault(
            code: isQuota ? "llm.quota" : "llm.stream_failed", retry: isQuota ? .never : .after(pause),
            cause: "error in the stream: \(problem.name.prefix(nameMax))")
    }

    static let cut = Fault(
        code: "llm.cut", retry: .after(pause), cause: "the stream ended before the reply did")
    static let garbled = Fault(
        code: "llm.garbled", retry: .after(pause), cause: "the stream is not what a chat endpoint sends")
    static let slow = Fault(
        code: "llm.first_token_timeout", retry: .after(.zero), cause: "no first token in time")

    /// `retry-after-ms`, or `retry-after` in seconds. A date there is not read: the default pause serves.
    private static func asked(_ headers: [(String, String)]) -> Duration? {
        if let text = header("retry-after-ms", headers), let value = Double(text), value >= 0 {
            return min(.milliseconds(min(value, 1e9)), retryAfterMax)
        }
        if let text = header("retry-after", headers), let value = Double(text), value >= 0 {
            return min(.seconds(min(value, 1e6)), retryAfterMax)
        }
        return nil
    }

    private static func header(_ name: String, _ headers: [(String, String)]) -> String? {
        headers.first { $0.0.lowercased() == name }?.1
    }
}
