import Base

/// What a model vendor's failure means for trying again. Asking for a reply changes nothing in the world, so repeating
/// is never unsafe; it may be of no use.
enum ModelFaults {
    private static let pause = Duration.milliseconds(500)
    private static let rateLimitPause = Duration.seconds(1)
    /// A server may ask for hours; nobody on a call waits that long.
    private static let retryAfterMax = Duration.seconds(60)
    /// Of a vendor's error name, what goes into a fault's cause.
    private static let nameMax = 60

    /// `name`: the vendor's word for the error, nil when the body did not say. Never its message: that may quote the
    /// caller or part of a key. `now`: what a date to ask again at is reckoned from.
    static func status(_ status: Int, _ answer: VendorAnswer, name: String?, now: Timestamp) -> Fault {
        let cause =
            "status \(status): \(name.map { String($0.prefix(nameMax)) } ?? "no details")\(answer.trace)"
        func never(_ code: String) -> Fault { Fault(code: code, retry: .never, cause: cause) }
        func later(_ code: String, _ pause: Duration) -> Fault {
            let pause = min(answer.retryAfter(now: now) ?? pause, retryAfterMax)
            return Fault(code: code, retry: answer.isFutile ? .never : .after(pause), cause: cause)
        }
        switch status {
        case 401: return never("llm.unauthorized")
        case 403: return never("llm.forbidden")
        case 402: return never("llm.quota")
        case 404: return never("llm.not_found")
        case 408, 409: return later("llm.unavailable", pause)
        case 413: return never("llm.too_long")
        case 429:
            return isQuota(name) ? never("llm.quota") : later("llm.rate_limited", rateLimitPause)
        case 498, 500...: return later("llm.unavailable", pause)
        default: return never("llm.bad_request")
        }
    }

    /// An error object in the middle of a stream, whose status was 200.
    static func stream(_ name: String) -> Fault {
        let cause = "error in the stream: \(name.prefix(nameMax))"
        if isQuota(name) { return Fault(code: "llm.quota", retry: .never, cause: cause) }
        let isLimited = name == "rate_limit_error" || name == "rate_limit_exceeded"
        return Fault(
            code: isLimited ? "llm.rate_limited" : "llm.stream_failed",
            retry: .after(isLimited ? rateLimitPause : pause), cause: cause)
    }

    private static func isQuota(_ name: String?) -> Bool {
        name == "insufficient_quota" || name == "billing_error"
    }

    static let cut = Fault(
        code: "llm.cut", retry: .after(pause), cause: "the stream ended before the reply did")
    static let garbled = Fault(
        code: "llm.garbled", retry: .after(pause), cause: "the stream is not what a model vendor sends")
    static let slow = Fault(
        code: "llm.first_token_timeout", retry: .after(.zero), cause: "no first token in time")
    static let stalled = Fault(
        code: "llm.stalled", retry: .after(.zero), cause: "the reply fell silent in the middle")
    static let endless = Fault(
        code: "llm.endless", retry: .never, cause: "the reply is longer than any that was asked for")
    static let badToolCall = Fault(
        code: "llm.bad_tool_call", retry: .after(.zero),
        cause: "a tool call's arguments are not a JSON object")
    static let unknownTool = Fault(
        code: "llm.unknown_tool", retry: .after(.zero), cause: "a tool was called that nobody offered")
    static let empty = Fault(
        code: "llm.empty", retry: .after(.zero), cause: "the model had nothing to say")
    static let refused = Fault(
        code: "llm.refused", retry: .never, cause: "the vendor refuses to answer this conversation")
    static let tooLong = Fault(
        code: "llm.too_long", retry: .never, cause: "the conversation is too long for the model")
}
