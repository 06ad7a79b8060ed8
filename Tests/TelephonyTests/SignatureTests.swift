import Telephony
import Testing

/// Vectors of reference/providers/test-vectors.md.
@Suite struct SignatureTests {
    static let url = "https://voice.parley.example/twilio/voice?tenant=acme"
    static let form = [
        ("CallSid", "CA0123456789abcdef0123456789abcdef"), ("From", "+14155550100"), ("To", "+14155550199"),
        ("CallStatus", "ringing"), ("Empty", ""),
    ]
    let sha1 = TwilioSignature(secrets: ["parley_test_token"])
    let sha256 = TwilioSignature(secrets: ["parley_test_token"], algorithm: .sha256)

    @Test func aFormIsSignedAsTheCarrierSignsIt() {
        #expect(sha1.sign(url: Self.url, form: Self.form) == "EiA34cKQmZ5p7o12O0rWC2oEU24=")
        #expect(sha256.sign(url: Self.url, form: Self.form) == "3D1vnA5mdWPqJTUFOvvpSJWFFgi6hPxyQ0SoaTbiFeE=")
        #expect(sha1.sign(url: "wss://voice.parley.example/twilio/media") == "3PgRCsRvdtsEu8wmt9aK6UbNEmY=")
    }

    @Test func aJSONBodyMustBeTheOneInTheURL() {
        let url =
            "https://voice.parley.example/twilio/json?bodySHA256="
            + "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
        let signature = "tul2BJlr2+Kcn4MUFG0XtajSsuM="
        #expect(sha1.isValid(signature, url: url, body: Array(#"{"a":1}"#.utf8)))
        #expect(!sha1.isValid(signature, url: url, body: Array(#"{"a":2}"#.utf8)))
        #expect(!sha1.isValid(sha1.sign(url: Self.url), url: Self.url, body: Array("{}".utf8)))
    }

    @Test(arguments: [
        ("https://a.example/x", "https://a.example:443/x"),
        ("https://a.example:443/x", "https://a.example/x"),
        ("http://a.example/x?y=1", "http://a.example:80/x?y=1"),
        ("https://a.example/x", "https://a.example/x/"),
        ("https://a.example/x/", "https://a.example/x"), ("wss://a.example/m", "wss://a.example:8443/m"),
    ])
    func spellingsOfOneURLAreAccepted(signed: String, received: String) {
        #expect(sha1.isValid(sha1.sign(url: signed, form: Self.form), url: received, form: Self.form))
    }

    @Test func whatIsNotSignedWithTheTokenIsRefused() {
        let good = sha1.sign(url: Self.url, form: Self.form)
        #expect(sha1.isValid(good, url: Self.url, form: Self.form.reversed()))
        #expect(!sha1.isValid(good, url: Self.url, form: Array(Self.form.dropLast())))
        #expect(!sha1.isValid(good, url: Self.url + "x", form: Self.form))
        #expect(!sha1.isValid("", url: Self.url, form: Self.form))
        #expect(!sha1.isValid("not base64!", url: Self.url, form: Self.form))
        #expect(!sha256.isValid(good, url: Self.url, form: Self.form))
        #expect(!TwilioSignature(secrets: [""]).isValid(good, url: Self.url, form: Self.form))
        let rotating = TwilioSignature(secrets: ["new", "parley_test_token"])
        #expect(rotating.isValid(good, url: Self.url, form: Self.form))
    }

    @Test func repeatedValuesCountOnce() {
        let twice = [("A", "2"), ("A", "1"), ("A", "2")]
        #expect(sha1.sign(url: "https://a.example", form: twice) == sha1.sign(url: "https://a.exampleA1A2"))
    }

    @Test func onlyKnownAlgorithmsAreTaken() {
        #expect(TwilioSignature.algorithm(settings: nil) == .sha1)
        #expect(TwilioSignature.algorithm(settings: "key=K1,algorithm=HMAC_SHA256") == .sha256)
        #expect(TwilioSignature.algorithm(settings: "key=K1,algorithm=HMAC_MD5") == nil)
        #expect(TwilioSignature.algorithm(settings: "key=K1") == nil)
    }
}
