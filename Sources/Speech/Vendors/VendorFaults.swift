import Base
import WebSockets

/// What the ends of a vendor's socket mean for trying again. To recognise or to speak once more changes nothing in the
/// world, so repeating is always safe; where it is futile it is `never`.
struct VendorFaults: Sendable {
    /// A server may ask for hours; nobody on a call waits that long.
    static let retryAfterMax = Duration.seconds(60)
    private static let pause = Duration.milliseconds(500)
    private static let rateLimitPause = Duration.seconds(1)
    /// Of a vendor's own name for an error, what goes into a fault's cause.
    private static let nameMax = 60

    /// `stt` or `tts`.
    let stage: String
    /// The vendor closes with 1008 when the account does too much at once.
    var closesAtLimit = false

    func never(_ code: String, _ cause: String) -> Fault {
        Fault(code: "\(stage).\(code)", retry: .never, cause: cause)
    }
    func after(_ pause: Duration, _ code: String, _ cause: String) -> Fault {
        Fault(code: "\(stage).\(code)", retry: .after(pause), cause: cause)
    }

    /// An HTTP status, of a refused upgrade or inside a vendor's error message. `asked`: when the vendor wants to be asked
    /// again; `trace`: as `VendorAnswer` gives it.
    func status(
        _ status: Int, asked: Duration? = nil, name: String = "no details", trace: String = ""
    ) -> Fault {
        let cause = "status \(status): \(name.prefix(Self.nameMax))\(trace)"
        func later(_ code: String, _ pause: Duration) -> Fault {
            after(min(asked ?? pause, Self.retryAfterMax), code, cause)
        }
        switch status {
        case 401: return never("unauthorized", cause)
        case 403: return never("forbidden", cause)
        case 402: return never("quota", cause)
        case 404: return never("not_found", cause)
        case 408, 409: return later("unavailable", Self.pause)
        case 429: return later("rate_limited", Self.rateLimitPause)
        case 500...: return later("unavailable", Self.pause)
        default: return never("bad_request", cause)
        }
    }

    /// The socket could not be opened. `now`: what a date to ask again at is reckoned from.
    func unopened(_ error: any Error, now: Timestamp) -> Fault {
        switch error {
        case let refused as WebSocketRefused: self.refused(refused, now: now)
        case WebSocketError.connectTimeout: after(.zero, "connect_timeout", "no socket in time")
        case WebSocketError.addressRefused: never("address_refused", "the address may not be reached")
        case WebSocketError.badRequest(let what): never("bad_request", what)
        case WebSocketError.tls(let what): never("untrusted", "TLS: \(what.prefix(Self.nameMax))")
        case WebSocketError.badUpgrade: after(Self.pause, "garbled", "no WebSocket answers there")
        default: after(Self.pause, "unreachable", "\(type(of: error))")
        }
    }

    private func refused(_ refused: WebSocketRefused, now: Timestamp) -> Fault {
        let answer = VendorAnswer(refused.headers)
        return status(refused.status, asked: answer.retryAfter(now: now), trace: answer.trace)
    }

    /// The socket ended though nobody here wanted it to. `code` as `WebSocketPeer.closed` tells it.
    func closed(code: Int?, _ error: (any Error)?) -> Fault {
        switch (error, code) {
        case (WebSocketError.protocolViolation(let what)?, _): after(Self.pause, "garbled", what)
        case (WebSocketError.messageTooLarge?, _): after(Self.pause, "garbled", "a message beyond its limit")
        case (WebSocketError.deadPeer?, _): after(.zero, "silent", "no answer to pings")
        case (WebSocketError.tooSlow?, _): after(Self.pause, "too_slow", "the vendor reads too slowly")
        case (.some, _): after(.zero, "cut", "the connection broke")
        case (nil, WebSocketCode.policy?) where closesAtLimit:
            after(Self.rateLimitPause, "rate_limited", "closed with 1008")
        case (nil, WebSocketCode.policy?): never("policy", "closed with 1008")
        case (nil, let code): after(.zero, "cut", "closed with \(code ?? WebSocketCode.none)")
        }
    }

    var garbled: Fault { after(Self.pause, "garbled", "a message is not what this vendor sends") }
    var silent: Fault { after(.zero, "silent", "the vendor says nothing") }
    var endless: Fault { after(Self.pause, "endless", "far more than there can be") }
}
