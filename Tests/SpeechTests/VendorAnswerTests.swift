import Base
import Testing
import WebSockets

@testable import Speech

/// What headers of a refusal mean, with the clock as a value.
struct VendorAnswerTests {
    /// Sun, 06 Nov 1994 08:49:37 GMT.
    static let now = Timestamp(milliseconds: 784_111_777_000)

    @Test(arguments: [
        (["retry-after": "7"], Duration.seconds(7)), (["retry-after": "0.5"], .milliseconds(500)),
        (["retry-after-ms": "250", "retry-after": "7"], .milliseconds(250)),
        (["retry-after": "Sun, 06 Nov 1994 08:50:07 GMT"], .seconds(30)),
        (["retry-after": "Sunday, 06-Nov-94 08:50:07 GMT"], .seconds(30)),
        (["retry-after": "Sun Nov  6 08:50:07 1994"], .seconds(30)),
        (["retry-after": "Sun, 06 Nov 1994 08:00:00 GMT"], .zero), (["retry-after": "-1"], nil),
        (["retry-after": "soon"], nil), ([:], nil),
    ])
    func aVendorSaysWhenToAskAgain(headers: [String: String], pause: Duration?) {
        #expect(VendorAnswer(headers).retryAfter(now: Self.now) == pause)
    }

    @Test func aRefusedUpgradeHasThePauseAndTheVendorsOwnName() {
        let refused = WebSocketRefused(
            status: 429,
            headers: [
                "retry-after": "Sun, 06 Nov 1994 08:49:47 GMT", "dg-request-id": "a-1",
                "dg-error": "TOO MANY\n",
            ])
        let fault = VendorFaults(stage: "stt").unopened(refused, now: Self.now)
        #expect(fault.code == "stt.rate_limited" && fault.retry == .after(.seconds(10)))
        #expect(fault.cause == "status 429: no details dg-request-id=a-1 dg-error=TOOMANY")
        let hours = WebSocketRefused(status: 503, headers: ["retry-after": "7200"])
        #expect(
            VendorFaults(stage: "stt").unopened(hours, now: Self.now).retry
                == .after(VendorFaults.retryAfterMax))
    }

    @Test func aRefusedRequestHasThePauseAndTheVendorsOwnName() {
        let answer = VendorAnswer([
            ("X-Request-ID", "req_1"), ("Retry-After", "Sun, 06 Nov 1994 08:49:40 GMT"), ("Set-Cookie", "s"),
        ])
        let fault = ModelFaults.status(429, answer, name: "rate_limit_exceeded", now: Self.now)
        #expect(fault.retry == .after(.seconds(3)))
        #expect(fault.cause == "status 429: rate_limit_exceeded x-request-id=req_1")
        let futile = VendorAnswer([("x-should-retry", "false")])
        #expect(ModelFaults.status(503, futile, name: nil, now: Self.now).retry == .never)
    }
}
