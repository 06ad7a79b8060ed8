import Base
import NIOCore
import Testing

@testable import VendorSim

struct WireTests {
    private let parameters = [
        ("To", "+14155550199"), ("CallSid", "CA0123456789abcdef0123456789abcdef"), ("From", "+14155550100"),
        ("CallStatus", "ringing"), ("Empty", ""),
    ]

    @Test func aFormIsSignedAsTheCarrierDoes() {
        let url = "https://voice.parley.example/twilio/voice?tenant=acme"
        let text = WebhookSignature.signedText(url: url, parameters: parameters)
        #expect(
            text == url
                + "CallSidCA0123456789abcdef0123456789abcdefCallStatusringingEmptyFrom+14155550100To+14155550199"
        )
        let signature = WebhookSignature.make(url: url, parameters: parameters, token: "parley_test_token")
        #expect(signature == "EiA34cKQmZ5p7o12O0rWC2oEU24=")
    }

    @Test func aWebSocketIsSignedByItsURL() {
        let signature = WebhookSignature.make(
            url: "wss://voice.parley.example/twilio/media", parameters: [], token: "parley_test_token")
        #expect(signature == "3PgRCsRvdtsEu8wmt9aK6UbNEmY=")
    }

    @Test func aNameGivenTwiceBringsEachValueOnce() {
        let text = WebhookSignature.signedText(
            url: "u", parameters: [("b", "2"), ("a", "z"), ("b", "1"), ("b", "2")])
        #expect(text == "uazb1b2")
    }

    @Test func formsSurviveTheWayThere() throws {
        let form = FormBody([("From", "+1415"), ("Name", "a b&c=d%é"), ("Empty", "")])
        let back = try #require(FormBody(form.encoded))
        #expect(back.fields.map(\.0) == form.fields.map(\.0))
        #expect(back.fields.map(\.1) == form.fields.map(\.1))
        #expect(FormBody("a=%4".utf8) == nil)
        #expect(FormBody("a=%zz".utf8) == nil)
    }

    @Test func twiMLIsRead() throws {
        let verbs = try TwiML.parse(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <!-- what to do -->
            <Response>
              <Say>Hello &amp; <![CDATA[<welcome>]]></Say>
              <Connect action="https://p.example/after?a=1&amp;b=2">
                <Stream url="wss://p.example/media"><Parameter name="token" value="t&quot;1"/></Stream>
              </Connect>
              <Play loop="2">/a.wav</Play><Pause length="3"/><Redirect>/next</Redirect>
              <Reject reason="busy"/><Hangup/>
            </Response>
            """)
        #expect(
            verbs == [
                .say("Hello & <welcome>"),
                .connect(
                    action: "https://p.example/after?a=1&b=2",
                    stream: .init(url: "wss://p.example/media", parameters: ["token": "t\"1"])),
                .play(url: "/a.wav", loop: 2), .pause(seconds: 3), .redirect(url: "/next"),
                .reject(isBusy: true),
                .hangup,
            ])
    }

    @Test(arguments: [
        "", "<Response>", "<Response/><Response/>", "<Other/>", "<Response><Fly/></Response>",
        "<Response><Say>a & b</Say></Response>", "<Response><Say a=\"1\" a=\"2\"/></Response>",
        "<Response><Connect/></Response>",
        "<Response><Connect><Stream url=\"http://x/\"/></Connect></Response>",
        "<Response><Connect><Stream url=\"wss://x/?token=1\"/></Connect></Response>",
        String(repeating: "<a>", count: 100),
    ])
    func wrongTwiMLIsRefused(_ document: String) {
        #expect(throws: (any Error).self) { try TwiML.parse(document) }
    }

    @Test func urlsAreResolvedAgainstTheDocument() {
        #expect(CallRunner.resolve("/b", against: "http://h:1/a/c?x=1") == "http://h:1/b")
        #expect(CallRunner.resolve("d", against: "http://h:1/a/c") == "http://h:1/a/d")
        #expect(CallRunner.resolve("d", against: "http://h:1") == "http://h:1/d")
        #expect(CallRunner.resolve("https://o/x", against: "http://h:1/a") == "https://o/x")
    }

    @Test func muLawRoundTripsEveryCodeWord() {
        for code in UInt8.min...UInt8.max where code != 0x7F {
            #expect(MuLaw.encode(MuLaw.linear[Int(code)]) == code)
        }
        #expect(MuLaw.encode(0) == MuLaw.silence)
        #expect(MuLaw.encode(.max) == 0x80)
        #expect(MuLaw.encode(.min) == 0x00)
    }

    @Test(arguments: 0..<7) func base64SurvivesEveryLength(_ length: Int) {
        let bytes = (0..<length).map { UInt8($0 * 37 & 0xFF) }
        #expect(Base64.decode(Base64.encode(bytes)[...]) == bytes)
    }

    @Test func brokenBase64IsRefused() {
        for text in ["A", "AA", "AA=A", "A===", "!!!!", "AAAA="] {
            #expect(Base64.decode(Array(text.utf8)[...]) == nil)
        }
    }

    @Test func resamplingKeepsAToneAndItsLength() {
        let samples = (0..<16_000).map { Int16(8000 * sine(Double($0) * 2 * .pi * 500 / 16_000)) }
        let out = Resample.toTelephone(samples, sampleRate: 16_000)
        #expect(out.count == 8000)
        let wanted = (0..<8000).map { 8000 * sine(Double($0) * 2 * .pi * 500 / 8000) }
        let error = (100..<7900).map { abs(Double(out[$0]) - wanted[$0]) }.max() ?? 0
        #expect(error < 100)
    }

    @Test func waveFilesAreReadBack() throws {
        let samples = (0..<800).map { Int16($0 * 20) }
        let audio = try WaveFile.telephoneAudio(WaveFile.mono(samples, sampleRate: 8000))
        #expect(audio == MuLaw.encode(samples))
        #expect(throws: WaveFile.Unreadable.self) { try WaveFile.telephoneAudio(Array("RIFFxxxx".utf8)) }
    }

    @Test func mediaMessagesAreReadWhateverTheirOrder() throws {
        func read(_ text: String) throws -> StreamOrder {
            try MediaWire.read(ByteBuffer(string: text), streamSid: "MZ1")
        }
        #expect(
            try read(#"{"event":"media","streamSid":"MZ1","media":{"payload":"AQID"}}"#) == .media([1, 2, 3]))
        #expect(
            try read(
                #" { "media" : {"x":[1,{"y":null}],"payload":"\/\/8="}, "streamSid":"MZ1","event":"media"}"#)
                == .media([255, 255]))
        #expect(try read(#"{"event":"mark","streamSid":"MZ1","mark":{"name":"a\"b"}}"#) == .mark("a\"b"))
        #expect(try read(#"{"event":"clear","streamSid":"MZ1"}"#) == .clear)
        for wrong in [
            "", "{", "[]", "null", #"{"event":"clear"}"#, #"{"event":"clear","streamSid":"MZ2"}"#,
            #"{"event":"media","streamSid":"MZ1","media":{"payload":"!!!!"}}"#,
            #"{"event":"media","streamSid":"MZ1"}"#, String(repeating: "[", count: 1000),
        ] {
            #expect(throws: MediaWire.Malformed.self) { try read(wrong) }
        }
    }

    private func sine(_ x: Double) -> Double {
        // Enough of a sine for a test: folded, then a series.
        var x = x.truncatingRemainder(dividingBy: 2 * .pi)
        if x > .pi { x -= 2 * .pi }
        var term = x
        var sum = x
        for n in 1..<12 {
            term *= -x * x / Double(2 * n * (2 * n + 1))
            sum += term
        }
        return sum
    }
}
