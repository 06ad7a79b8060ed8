import Agents
import Base
import Foundation
import Testing

@Suite struct VoiceTests {
    private func definition(_ voice: String, language: String = "en-US") throws -> AgentDefinition {
        let text = """
            {"language": "\(language)", "voice": \(voice),
             "flow": {"start": "a", "nodes": [{"id": "a", "say": "Hello.", "end": true}]}}
            """
        return try JSONDecoder().decode(AgentDefinition.self, from: Data(text.utf8))
    }

    private func problems(_ voice: String, language: String = "en-US") throws -> [String] {
        try definition(voice, language: language).problems().map { "\($0.path): \($0.message)" }
    }

    @Test func vendorsModelsOptionsAndFallbacksAreTakenInTheirOrder() throws {
        let definition = try definition(
            """
            {"stt": "deepgram", "stt_model": "flux-general-en", "stt_options": {"eot_threshold": 0.8},
             "stt_fallbacks": [{"vendor": "deepgram", "model": "nova-3"}, {"vendor": "offline"}],
             "keyterms": ["Parley"], "tts": "cartesia", "voice": "694f9389-aac1-45b6-b726-9d9369183238",
             "tts_options": {"speed": 1.1},
             "tts_fallbacks": [{"vendor": "elevenlabs", "model": "eleven_v4_turbo", "voice": "Xb7hH8MSUJpSbSDYk0k2"}]}
            """)
        #expect(definition.problems() == [])
        #expect(
            definition.voice.recognisers == [
                RecogniserChoice(
                    vendor: "deepgram", model: "flux-general-en", options: ["eot_threshold": .double(0.8)]),
                RecogniserChoice(vendor: "deepgram", model: "nova-3"), RecogniserChoice(vendor: "offline"),
            ])
        #expect(definition.voice.speakers.map(\.vendor) == ["cartesia", "elevenlabs"])
        #expect(definition.voice.speakers[1].voice == "Xb7hH8MSUJpSbSDYk0k2")
        let again = try JSONDecoder().decode(AgentDefinition.self, from: JSONEncoder().encode(definition))
        #expect(again == definition)
    }

    @Test func whatStoodInOlderDefinitionsStillStands() throws {
        let definition = try definition(#"{"stt": "offline", "tts": "offline", "voice": "rms"}"#)
        #expect(definition.problems() == [])
        #expect(definition.voice.recognisers == [RecogniserChoice(vendor: "offline")])
        #expect(definition.voice.speakers == [SpeakerChoice(vendor: "offline", voice: "rms")])
    }

    @Test(arguments: [
        (#"{"stt": "whisper"}"#, "voice.stt: unknown recogniser; known: deepgram, offline"),
        (#"{"tts": "deepgram"}"#, "voice.tts: unknown synthesiser; known: cartesia, elevenlabs, offline"),
        (
            #"{"stt_options": {"smart_format": true}}"#,
            "voice.stt_options.smart_format: this vendor has no options"
        ),
        (
            #"{"stt": "deepgram", "stt_options": {"eot_threshold": 0.2}}"#,
            "voice.stt_options.eot_threshold: must be 0.5 to 1"
        ),
        (
            #"{"stt": "deepgram", "stt_options": {"endpointing_ms": 20.5}}"#,
            "voice.stt_options.endpointing_ms: must be a whole number from 10 to 5000"
        ),
        (
            #"{"stt": "deepgram", "stt_options": {"smart_format": "yes"}}"#,
            "voice.stt_options.smart_format: must be true or false"
        ),
        (
            #"{"tts": "cartesia", "voice": "v", "tts_options": {"stability": 1}}"#,
            "voice.tts_options.stability: unknown; known: emotion, speed, volume"
        ),
        (
            #"{"tts_fallbacks": [{"vendor": "offline", "voice": "marvin"}]}"#,
            "voice.tts_fallbacks[0].voice: unknown voice; known: slt, rms, awb, kal"
        ),
        (
            #"{"tts": "cartesia", "voice": "with space"}"#,
            "voice.voice: must be 1 to 64 printable ASCII characters without spaces"
        ),
        (
            #"{"stt_fallbacks": [{"vendor": "nobody"}]}"#,
            "voice.stt_fallbacks[0].vendor: unknown recogniser; known: deepgram, offline"
        ),
        (#"{"keyterms": [""]}"#, "voice.keyterms[0]: must not be empty"),
    ])
    func whatIsWrongIsNamed(voice: String, problem: String) throws {
        #expect(try problems(voice) == [problem])
    }

    @Test func chainsAreBounded() throws {
        let five = Array(repeating: #"{"vendor": "offline"}"#, count: 5).joined(separator: ",")
        #expect(try problems(#"{"stt_fallbacks": [\#(five)]}"#) == ["voice.stt_fallbacks: more than 4"])
    }

    @Test func otherLanguagesNeedOtherVoicesThanTheOfflineOnes() throws {
        let real = #"{"stt": "deepgram", "tts": "cartesia", "voice": "v"}"#
        #expect(try problems(real, language: "de-DE") == [])
        #expect(try problems("{}", language: "de-DE") == ["language: the offline voices speak en-US only"])
        let mixed =
            #"{"stt": "deepgram", "tts": "cartesia", "voice": "v", "stt_fallbacks": [{"vendor": "offline"}]}"#
        #expect(try problems(mixed, language: "de-DE") == ["language: the offline voices speak en-US only"])
        #expect(
            try problems(real, language: "multi") == [
                "language: cartesia/sonic-3.5 must be told one language; multi names none"
            ])
        let told = #"{"stt": "deepgram", "tts": "elevenlabs", "voice": "v"}"#
        #expect(try problems(told, language: "multi").count == 1)
        let free =
            #"{"stt": "deepgram", "tts": "elevenlabs", "tts_model": "eleven_multilingual_v2", "voice": "v"}"#
        #expect(try problems(free, language: "multi") == [])
        #expect(try problems(real, language: "x") == ["language: must be a BCP 47 tag, like en-US"])
    }

    @Test func unknownMembersAreNamed() {
        #expect(throws: (any Error).self) {
            try definition(#"{"stt_fallbacks": [{"vendor": "offline", "voice": "x"}]}"#)
        }
    }
}
