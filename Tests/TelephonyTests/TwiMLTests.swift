import Base
import Telephony
import Testing

@Suite struct TwiMLTests {
    @Test func everyVerbIsWritten() {
        let document = TwiML([
            .connect(
                action: "https://p/continue?a=1&b=2", stream: "wss://w/media",
                parameters: ["token": "t<1>", "a": "\"q\""]),
            .say("Fish & chips", voice: nil), .play(url: "https://p/a.wav"), .redirect(url: "https://p/next"),
            .pause(seconds: 0), .reject(isBusy: true), .hangUp,
        ])
        #expect(
            document.text == """
                <?xml version="1.0" encoding="UTF-8"?>
                <Response><Connect action="https://p/continue?a=1&amp;b=2" method="POST"><Stream url="wss://w/media">\
                <Parameter name="a" value="&quot;q&quot;"/><Parameter name="token" value="t&lt;1&gt;"/></Stream></Connect>\
                <Say>Fish &amp; chips</Say><Play>https://p/a.wav</Play><Redirect method="POST">https://p/next</Redirect>\
                <Pause length="1"/><Reject reason="busy"/><Hangup/></Response>
                """)
    }

    @Test func charactersXMLCannotHoldAreLeftOut() {
        #expect(TwiML([.say("a\u{0}b\u{1F}c\nd")]).text.contains("<Say>abc&#10;d</Say>"))
    }

    @Test func aDialIsWrittenAsAForm() throws {
        let dial = TwilioREST.Dial(
            to: Redacted(try #require(E164("+14155550100"))),
            from: Redacted(try #require(E164("+14155550199"))),
            url: "https://p/voice?x=1", statusURL: "https://p/status", ringSeconds: 30, limitSeconds: 600)
        let text = TwilioREST.encode(TwilioREST.form(dial))
        #expect(
            text.hasPrefix(
                "To=%2B14155550100&From=%2B14155550199&Url=https%3A%2F%2Fp%2Fvoice%3Fx%3D1&Method=POST"))
        #expect(text.contains("StatusCallbackEvent=initiated&StatusCallbackEvent=ringing"))
        #expect(text.hasSuffix("Timeout=30&TimeLimit=600"))
    }

    @Test(
        arguments: [
            (201, "{}", false, nil, nil), (404, #"{"code":20404}"#, true, nil, nil),
            (400, #"{"code":21220}"#, true, nil, nil),
            (404, #"{"code":20404}"#, false, "carrier.refused", Fault.Retry.never),
            (400, #"{"code":21211}"#, false, "carrier.refused", .never),
            (401, "", false, "carrier.unauthorized", .never),
            (429, "", false, "carrier.rate_limited", .after(.seconds(1))),
            (500, "", false, "carrier.failed", .unsafe),
            (500, "", true, "carrier.failed", .after(.seconds(1))),
            (302, "<html>", false, "carrier.failed", .unsafe),
        ] as [(Int, String, Bool, String?, Fault.Retry?)])
    func eachAnswerOfTheCarrierHasItsFault(
        status: Int, body: String, isRepeatable: Bool, code: String?, retry: Fault.Retry?
    ) {
        let fault = TwilioREST.fault(status: status, body: Array(body.utf8), isRepeatable: isRepeatable)
        #expect(fault?.code == code)
        #expect(fault?.retry == retry)
    }
}
