import Base
import NIOCore
import TestKit
import Testing
import VendorSim
import WebSockets

@testable import Speech

/// Frames as ElevenLabs sends them, and what becomes of them.
@Suite(.timeLimit(.minutes(1))) struct ElevenLabsDialectTests {
    private func dialect(_ change: (inout ElevenLabsOptions) -> Void = { _ in }) -> ElevenLabsDialect {
        var options = ElevenLabsOptions()
        change(&options)
        return ElevenLabsDialect(
            access: VendorAccess(key: Redacted("k"), baseURL: "https://api.elevenlabs.io"), options: options)
    }

    private func read(_ text: String) -> SpeakingMessage? { dialect().read(ByteBuffer(string: text)) }

    @Test func bothSpellingsOfAMessageAreRead() throws {
        let old = try #require(
            read(
                #"{"audio":"f3+A/w==","isFinal":null,"normalizedAlignment":null,"alignment":{"chars":["Y","o"],"charStartTimesMs":[0,40],"charDurationsMs":[40,35]},"contextId":"turn-8"}"#
            ))
        #expect(old.context == "turn-8" && old.audio?.readableBytes == 4 && !old.isDone)
        #expect(
            old.letters == [
                .init(text: "Y", startMs: 0, endMs: 40), .init(text: "o", startMs: 40, endMs: 75),
            ])
        let new = try #require(
            read(
                #"{"audio":"f3+A/w==","alignment":{"chars":["Y"],"charsStartTimesMs":[5],"charsDurationsMs":[10]},"context_id":"turn-8"}"#
            ))
        #expect(new.letters == [.init(text: "Y", startMs: 5, endMs: 15)])
        #expect(try #require(read(#"{"isFinal":true,"contextId":"turn-8"}"#)).isDone)
        #expect(try #require(read(#"{"is_final":true,"context_id":"turn-8"}"#)).isDone)
        #expect(!(try #require(read(#"{"is_final_audio_for_turn":true,"context_id":"turn-8"}"#)).isDone))
    }

    @Test(arguments: [
        ("max_active_conversations", "tts.rate_limited after(1.0 seconds)"),
        ("quota_exceeded", "tts.quota never"),
        ("invalid_api_key", "tts.unauthorized never"), ("surprise", "tts.unavailable after(0.5 seconds)"),
    ])
    func errorsSayIfTryingAgainHelps(name: String, fault: String) throws {
        let message = try #require(
            read(#"{"message":"secret","error":"\#(name)","code":1008,"contextId":"turn-8"}"#))
        #expect(message.fault.map { "\($0.code) \($0.retry)" } == fault)
        #expect(message.fault?.cause.contains("secret") == false)
    }

    @Test func aTextIsSentAsTheVendorWantsIt() {
        let speech = dialect { $0.voiceSettings = ["stability": .double(0.5), "speed": .double(1.1)] }
            .speak("Sure.", voice: "v", context: "c1")
        #expect(
            speech == [
                #"{"context_id":"c1","text":" ","voice_settings":{"speed":1.1,"stability":0.5}}"#,
                #"{"context_id":"c1","text":"Sure. "}"#, #"{"context_id":"c1","flush":true,"text":""}"#,
                #"{"close_context":true,"context_id":"c1"}"#,
            ])
        let dialogue = dialect {
            $0.model = "eleven_v3"
            $0.voiceSettings = ["stability": .double(0.5), "speed": .double(1.1)]
        }.speak("Sure.", voice: "v", context: "c1")
        #expect(
            dialogue == [
                #"{"context_id":"c1","voice_settings":{"stability":0.5},"voices":["v"]}"#,
                #"{"context_id":"c1","inputs":[{"text":"Sure. ","voice_id":"v"}]}"#,
                #"{"context_id":"c1","flush":true,"inputs":[{"text":"","voice_id":"v"}]}"#,
                #"{"close_context":true,"context_id":"c1"}"#,
            ])
    }

    @Test func theSocketGoesWhereTheModelLives() {
        let speech = dialect { $0.isLogged = false }.url(voice: "v/1")
        #expect(speech.hasPrefix("wss://api.elevenlabs.io/v1/text-to-speech/v%2F1/multi-stream-input?"))
        for part in [
            "model_id=eleven_flash_v2_5", "output_format=ulaw_8000", "language_code=en",
            "enable_logging=false",
            "inactivity_timeout=180",
        ] { #expect(speech.contains(part)) }
        let older = dialect { $0.model = "eleven_multilingual_v2" }.url(voice: "v")
        #expect(!older.contains("language_code") && !older.contains("enable_logging"))
        let dialogue = dialect { $0.model = "eleven_v4_turbo" }.url(voice: "v")
        #expect(dialogue.hasPrefix("wss://api.elevenlabs.io/v1/text-to-dialogue/multi-stream-input?"))
    }

    @Test func noSocketEverCarriesMoreContextsThanTheVendorAllows() async throws {
        var configuration = SimulatedElevenLabs.Configuration()
        configuration.delivery = .quick
        configuration.delivery.speed = 10
        let vendor = try await SimulatedElevenLabs.start(configuration)
        let synthesizer = SocketTextToSpeech.elevenLabs(
            access: VendorAccess(key: Redacted("k"), baseURL: vendor.url), options: ElevenLabsOptions(),
            reach: .anywhere)
        let bench = AnySynthesizer.Bench(synthesizer: synthesizer, voice: "v", source: "")
        var listeners: [Listener] = []
        for number in 0..<12 { listeners.append(try await Listener(bench, "This is number \(number).")) }
        // Half of them are interrupted and as many follow: contexts that leave count too.
        for listener in listeners.prefix(6) { _ = try await listener.cancel() }
        for number in 0..<6 { listeners.append(try await Listener(bench, "And this is number \(number).")) }
        for listener in listeners.dropFirst(6) {
            let end = await listener.end()
            #expect(end.usage != nil, "\(String(describing: end.fault))")
        }
        await vendor.stop()
    }

    @Test func anotherVoiceHasASocketOfItsOwnUnlessTheModelTakesItPerText() async throws {
        var configuration = SimulatedElevenLabs.Configuration()
        configuration.delivery = .quick
        for (model, sockets) in [("eleven_flash_v2_5", 2), ("eleven_v4", 1)] {
            let vendor = try await SimulatedElevenLabs.start(configuration)
            let synthesizer = SocketTextToSpeech.elevenLabs(
                access: VendorAccess(key: Redacted("k"), baseURL: vendor.url),
                options: ElevenLabsOptions(model: model, language: "en", [:]), reach: .anywhere)
            for voice in ["v1", "v2", "v1"] {
                let bench = AnySynthesizer.Bench(synthesizer: synthesizer, voice: voice, source: "")
                #expect(await (try await Listener(bench, "Hello.")).end().usage != nil)
            }
            #expect(vendor.socketsAsked == sockets)
            await vendor.stop()
        }
    }
}
