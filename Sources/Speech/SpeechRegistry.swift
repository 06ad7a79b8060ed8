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
    private let health = ModelHealth()

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

    /// Where a tenant asks a model.
    package struct ModelAccount: Sendable {
        package var choice: ModelChoice
        package var key: Redacted<String>
        /// Ends before `/chat/completions` or `/v1/messages`.
        package var baseURL: String
        package init(choice: ModelChoice, key: Redacted<String>, baseURL: String) {
            self.choice = choice
            self.key = key
            self.baseURL = baseURL
        }
    }

    /// The models of one call, first choice first; nil for none. `cacheKey`: see `ChatRequest`.
    package func languageModel(
        _ accounts: [ModelAccount], tenant: ID<Tenant>, cacheKey: String
    ) -> (any LanguageModel)? {
        let members = accounts.map { account in
            ModelChain.Member(
                choice: account.choice, model: adapter(account), host: account.baseURL)
        }
        guard !members.isEmpty else { return nil }
        return ModelChain(members, tenant: tenant, cacheKey: cacheKey, health: health)
    }

    /// Whoever is not known by another wire format speaks OpenAI's.
    private func adapter(_ account: ModelAccount) -> any LanguageModel {
        let endpoint = ModelEndpoint(
            vendor: account.choice.vendor, key: account.key, baseURL: account.baseURL, http: http)
        return account.choice.vendor == "anthropic" ? AnthropicModel(endpoint) : OpenAIChatModel(endpoint)
    }
}
