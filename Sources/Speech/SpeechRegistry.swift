package import Base
package import HTTPClient
import Logging
package import NIOCore
import OfflineVoices

/// The vendors a worker can use, by the names agents give them.
package struct SpeechRegistry: Sendable {
    private let recognizers: [String: any SpeechToText]
    private let synthesizers: [String: SpeechCache]
    private let http: HTTPClient

    /// Each synthesiser gets a cache for fixed lines.
    package init(
        recognizers: [String: any SpeechToText], synthesizers: [String: any TextToSpeech], http: HTTPClient
    ) {
        self.recognizers = recognizers
        self.synthesizers = synthesizers.mapValues { SpeechCache($0) }
        self.http = http
    }

    /// Only what works without a network under the name `offline`, and any chat endpoint.
    /// `threads`: of the recogniser.
    package static func offline(threads: Int, http: HTTPClient) -> SpeechRegistry {
        SpeechRegistry(
            recognizers: ["offline": OfflineSpeechToText(recognizer: OfflineRecognizer(threads: threads))],
            synthesizers: ["offline": OfflineTextToSpeech()], http: http)
    }

    package func speechToText(_ name: String) -> (any SpeechToText)? { recognizers[name] }
    package func textToSpeech(_ name: String) -> (any TextToSpeech)? { synthesizers[name] }

    /// Makes fixed lines ahead, so that `textToSpeech(name)` speaks them at once. Repeating it costs nothing.
    package func prepare(_ lines: [String], voice: String, of name: String, on loop: any EventLoop) {
        synthesizers[name]?.prepare(lines, voice: voice, on: loop)
    }

    /// Any OpenAI-compatible endpoint; `vendor` names it in usage, `baseURL` ends before `/chat/completions`.
    package func languageModel(vendor: String, key: Redacted<String>, baseURL: String) -> any LanguageModel {
        OpenAIChatModel(vendor: vendor, key: key, baseURL: baseURL, http: http)
    }
}
