import Base
import TestKit
import Testing
import VendorSim

@testable import Speech

/// Frames as Deepgram sends them, and what becomes of them.
struct DeepgramDialectTests {
    static func results(_ text: String, final: Bool, speechFinal: Bool = false, fromFinalize: Bool = false)
        -> String
    {
        """
        {"type":"Results","channel_index":[0,1],"start":4.18,"duration":1.22,
         "is_final":\(final),"speech_final":\(speechFinal),"from_finalize":\(fromFinalize),
         "channel":{"alternatives":[{"transcript":"\(text)","confidence":0.98,"languages":["en"],
           "words":[{"word":"book","punctuated_word":"Book","start":4.18,"end":4.40,"confidence":0.99,"speaker":0}]}]},
         "metadata":{"request_id":"r","model_uuid":"u","model_info":{"name":"n","version":"v","arch":"nova-3"}}}
        """
    }
    static func turn(_ event: String, _ text: String, _ confidence: Double) -> String {
        """
        {"type":"TurnInfo","request_id":"r","sequence_id":9,"event":"\(event)","turn_index":2,
         "audio_window_start":11.2,"audio_window_end":13.04,"transcript":"\(text)",
         "words":[{"word":"Book","confidence":0.99,"start":11.3,"end":11.5},{"word":"it","confidence":0.9}],
         "end_of_turn_confidence":\(confidence),"trigger":"model","languages":["en"]}
        """
    }
    static let book = [Word(text: "Book", startMs: 4180, endMs: 4400)]
    static let finalize = DeepgramStep.send(#"{"type":"Finalize"}"#)

    private func feed(_ dialect: inout some DeepgramDialect, _ text: String) throws -> [DeepgramStep] {
        dialect.received(try #require(DeepgramMessage(text)))
    }

    @Test func segmentsOfOneUtteranceBecomeOneFinal() throws {
        var nova = NovaDialect(model: "nova-3", terms: [])
        #expect(nova.utteranceStarted() == [])
        #expect(try feed(&nova, Self.results("Book", final: false)) == [.partial("Book")])
        #expect(try feed(&nova, Self.results("Book it", final: true)) == [.partial("Book it")])
        #expect(try feed(&nova, Self.results("for", final: false)) == [.partial("Book it for")])
        #expect(
            try feed(&nova, Self.results("for Tuesday.", final: true, speechFinal: true))
                == [.final("Book it for Tuesday.", Self.book + Self.book)])
    }

    @Test func theEarsEdgeAsksForTheFinalAndTakesWhatIsThereWhenNoneComes() throws {
        var nova = NovaDialect(model: "nova-3", terms: [])
        _ = nova.utteranceStarted()
        _ = try feed(&nova, Self.results("Book it", final: false))
        #expect(nova.utteranceEnded() == [Self.finalize, .wait(NovaDialect.finalizeMax)])
        #expect(nova.waitedInVain() == [.final("Book it", []), .wait(nil)])
        #expect(nova.waitedInVain() == [])
        _ = nova.utteranceStarted()
        _ = nova.utteranceEnded()
        #expect(
            try feed(&nova, Self.results("Yes.", final: true, fromFinalize: true))
                == [.final("Yes.", Self.book), .wait(nil)])
        // That utterance has its final: the edge asks for none.
        #expect(nova.utteranceEnded() == [])
    }

    /// Its words went with the turn before; only what they did not have yet begins the next.
    @Test(arguments: [
        ("Book it.", "at nine", [DeepgramStep.partial("at nine")]),
        ("Book it for two", "at nine", [.partial("for two at nine")]),
    ])
    func anAnswerThatComesLateIsNotToldAgain(late: String, next: String, told: [DeepgramStep]) throws {
        var nova = NovaDialect(model: "nova-3", terms: [])
        _ = nova.utteranceStarted()
        _ = try feed(&nova, Self.results("Book it", final: false))
        _ = nova.utteranceEnded()
        #expect(nova.waitedInVain() == [.final("Book it", []), .wait(nil)])
        _ = nova.utteranceStarted()
        #expect(try feed(&nova, Self.results("Book it", final: false)) == [])
        _ = nova.utteranceEnded()
        let steps = try feed(&nova, Self.results(late, final: true, fromFinalize: true))
        #expect(!steps.contains { if case .final = $0 { true } else { false } })
        #expect(try feed(&nova, Self.results(next, final: false)) == told)
    }

    /// Words that were lost may be heard by another vendor: they are not told to be none.
    @Test func silenceOfTheVendorIsNoAnswer() throws {
        var nova = NovaDialect(model: "nova-3", terms: [])
        _ = nova.utteranceStarted()
        _ = nova.utteranceEnded()
        #expect(nova.waitedInVain() == [])
        // That there are no words is one.
        _ = nova.utteranceStarted()
        _ = try feed(&nova, Self.results("", final: false))
        _ = nova.utteranceEnded()
        #expect(nova.waitedInVain() == [.final("", []), .wait(nil)])
    }

    @Test func anUtteranceThatGoesOnIsNotTakenForOver() throws {
        var nova = NovaDialect(model: "nova-3", terms: [])
        _ = nova.utteranceStarted()
        _ = try feed(&nova, Self.results("My number is", final: false))
        _ = nova.utteranceEnded()
        #expect(nova.utteranceStarted() == [.wait(nil)])
        #expect(nova.waitedInVain() == [])
    }

    @Test func utteranceEndIsAnEndWhereNoiseKeptSpeechFinalAway() throws {
        var nova = NovaDialect(model: "nova-3", terms: [])
        _ = try feed(&nova, Self.results("Book it", final: true))
        let end = #"{"type":"UtteranceEnd","channel":[0,1],"last_word_end":5.40}"#
        #expect(try feed(&nova, end) == [.final("Book it", Self.book)])
        #expect(try feed(&nova, end) == [])
    }

    @Test func aSpeechFinalWithoutWordsIsNoFinal() throws {
        var nova = NovaDialect(model: "nova-3", terms: [])
        #expect(try feed(&nova, Self.results("", final: true, speechFinal: true)) == [])
    }

    @Test func newWordsAreToldOneChangeAtATime() throws {
        var nova = NovaDialect(model: "nova-3", terms: ["Parley"])
        #expect(nova.expect([]) == [])
        #expect(nova.expect(["Sophia"]) == [.send(#"{"keyterms":["Parley","Sophia"],"type":"Configure"}"#)])
        #expect(nova.expect(["Emma"]) == [])
        let done = #"{"type":"ConfigureSuccess","request_id":"r"}"#
        #expect(
            try feed(&nova, done) == [.send(#"{"keyterms":["Parley","Emma"],"type":"Configure"}"#)],
            "what was wanted meanwhile")
        #expect(try feed(&nova, done) == [])
        #expect(nova.expect(["Emma"]) == [])
        // One that is never answered blocks a single wish, not all that follow.
        #expect(nova.expect(["Olga"]) == [.send(#"{"keyterms":["Parley","Olga"],"type":"Configure"}"#)])
        #expect(nova.expect(["Ivan"]) == [])
        #expect(nova.expect(["Vera"]) == [.send(#"{"keyterms":["Parley","Vera"],"type":"Configure"}"#)])
        var older = NovaDialect(model: "nova-2", terms: [])
        #expect(older.expect(["Emma"]) == [])
    }

    @Test func fluxTellsOfTheTurnEarlyAndTakesItBack() throws {
        var flux = FluxDialect(terms: [])
        #expect(try feed(&flux, #"{"type":"Connected","request_id":"r","sequence_id":0}"#) == [])
        #expect(try feed(&flux, Self.turn("StartOfTurn", "Book", 0.1)) == [.partial("Book")])
        #expect(try feed(&flux, Self.turn("Update", "Book", 0.1)) == [])
        #expect(
            try feed(&flux, Self.turn("EagerEndOfTurn", "Book it", 0.5)) == [
                .partial("Book it"), .endOfTurn(0.5),
            ])
        #expect(
            try feed(&flux, Self.turn("TurnResumed", "Book it for", 0.2))
                == [.partial("Book it for"), .endOfTurn(0)])
        #expect(
            try feed(&flux, Self.turn("EndOfTurn", "Book it for Tuesday.", 0.86)) == [
                .final("Book it for Tuesday.", [Word(text: "Book", startMs: 11_300, endMs: 11_500)]),
                .endOfTurn(0.86),
            ])
        #expect(try feed(&flux, Self.turn("SomethingNew", "x", 0.5)) == [])
    }

    @Test func aTurnThatTheAgentHasAnsweredIsEnded() throws {
        var flux = FluxDialect(terms: [])
        _ = try feed(&flux, Self.turn("Update", "Book it", 0.1))
        #expect(flux.expect([]) == [.send(#"{"type":"ForceEndTurn"}"#)])
        #expect(flux.expect([]) == [])
    }

    @Test(arguments: ["", "[]", "{}", "{\"type\":7}", "null", "{\"type\":\"Results\"", "\u{FEFF}{}"])
    func whatIsNoMessageIsNoMessage(text: String) {
        #expect(DeepgramMessage(text) == nil)
    }

    @Test(arguments: 0..<UInt64(200))
    func noMessageBreaksTheReader(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var bytes = Array(Self.results("Book it", final: true, speechFinal: true).utf8)
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                in: .min ... .max, using: &random)
        }
        guard let text = String(validating: bytes, as: UTF8.self), let message = DeepgramMessage(text) else {
            return
        }
        var nova = NovaDialect(model: "nova-3", terms: [])
        _ = nova.received(message)
    }

    @Test func timesOutOfRangeAreLeftOut() throws {
        let text = Self.results("Book", final: true).replacing("4.18,\"end\":4.40", with: "-1,\"end\":1e300")
        guard case .results(let results)? = DeepgramMessage(text) else { return #expect(Bool(false)) }
        #expect(results.text == "Book" && results.words.isEmpty)
    }

    @Test func keytermsAreBounded() {
        #expect(DeepgramKeyterms.kept(["a", "b", "a", ""]) == ["a", "b"])
        #expect(DeepgramKeyterms.kept((0..<500).map { "word\($0)" }).count == DeepgramKeyterms.termsMax)
    }
}

/// What is asked of Deepgram, seen from its side.
extension RecognitionFaultTests {
    @Test func theQuerySaysWhatTheAgentWants() async throws {
        let vendor = try await Self.start(try await .spoken("monday", voice: "rms"))
        var options = DeepgramOptions(
            model: nil, ["endpointing_ms": 250, "smart_format": true, "mip_opt_out": false])
        let nova = try await Caller(
            Self.recognizer(vendor, options), RecognitionSettings(language: "de", phrases: ["Zürich Süd"]))
        try await nova.send([UInt8](repeating: 0xFF, count: 160))
        options = DeepgramOptions(
            model: "flux-general-multi", ["eot_threshold": .double(0.8), "eager_eot_threshold": .double(0.9)])
        let flux = try await Caller(
            Self.recognizer(vendor, options), RecognitionSettings(language: "es-ES", phrases: ["Parley"]))
        try await until { vendor.asked.count == 2 }
        let asked = vendor.asked.sorted { $0.path < $1.path }
        #expect(asked.map(\.path) == ["/v1/listen", "/v2/listen"])
        let first = asked[0].query
        #expect(first[name: "language"] == "de" && first[name: "endpointing"] == "250")
        #expect(first[name: "smart_format"] == "true" && first[name: "mip_opt_out"] == nil)
        #expect(first.all("keyterm") == ["Zürich Süd"])
        let second = asked[1].query
        #expect(second[name: "language"] == nil && second[name: "language_hint"] == "es")
        #expect(second[name: "eot_threshold"] == "0.8" && second[name: "eager_eot_threshold"] == "0.8")
        #expect(second[name: "mip_opt_out"] == "true" && second.all("keyterm") == ["Parley"])
        try await nova.close()
        try await flux.close()
        await vendor.stop()
    }
}
