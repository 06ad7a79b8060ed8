package import Agents
package import Base
package import HTTPClient
import Logging
import OfflineVoices
import Synchronization
package import WebSockets

/// The vendors a worker can use, by the names agents give them.
package struct SpeechRegistry: Sendable {
    /// Audio of fixed lines kept for one account and settings at a vendor: some nine minutes.
    private static let vendorCacheBytesMax = 4 << 20
    /// Accounts and settings at vendors whose sockets and lines are kept; the least recently used go first.
    private static let keptMax = 1_000

    private let recognizers: [String: any SpeechToText]
    private let synthesizers: [String: SpeechCache]
    private let http: HTTPClient
    private let health = ModelHealth()
    private let lessons: RoutingLessons
    private let refused = RefusedMembers()
    private let reach: WebSocketReach
    private let lines: (any LineStore)?
    private let vendors = VendorVoices(keptMax: keptMax)
    /// What this worker's calls know of vendors that fail, and of tenants' accounts that are at their limit.
    package var breakers: CircuitBreakers { health.breakers }
    package var accounts: AccountLimits { health.accounts }

    /// What needs no account. Each synthesiser gets a cache for fixed lines.
    /// - Parameters:
    ///   - reach: for the sockets of vendors, wherever a credential's `base_url` points.
    ///   - shared: where vendors' fixed lines are shared with other workers, and what routers learn is kept.
    package init(
        recognizers: [String: any SpeechToText], synthesizers: [String: any TextToSpeech], http: HTTPClient,
        reach: WebSocketReach, shared: (any LineStore & LessonStore)? = nil
    ) {
        self.recognizers = recognizers
        self.synthesizers = synthesizers.mapValues { SpeechCache($0) }
        self.http = http
        self.reach = reach
        lines = shared
        lessons = RoutingLessons(store: shared)
    }

    /// What works without a network, under the name `offline`, and every vendor there is an account for.
    /// `threads`: of the offline recogniser.
    package static func standard(
        threads: Int, http: HTTPClient, reach: WebSocketReach, shared: (any LineStore & LessonStore)?
    ) -> SpeechRegistry {
        SpeechRegistry(
            recognizers: ["offline": OfflineSpeechToText(recognizer: OfflineRecognizer(threads: threads))],
            synthesizers: ["offline": OfflineTextToSpeech()], http: http, reach: reach,
            shared: shared)
    }

    /// nil: unknown, or a vendor without `access`.
    package func recogniser(_ choice: RecogniserChoice, access: VendorAccess?) -> (any SpeechToText)? {
        if let known = recognizers[choice.vendor] { return known }
        guard let access else { return nil }
        switch choice.vendor {
        case "deepgram":
            return DeepgramSpeechToText(
                access: access, options: DeepgramOptions(model: choice.model, choice.options), reach: reach)
        default: return nil
        }
    }

    /// nil: unknown, or a vendor without `access`. The same account and settings give the same warm sockets and lines.
    package func synthesiser(_ choice: SpeakerChoice, language: String, access: VendorAccess?) -> SpeechCache?
    {
        if let known = synthesizers[choice.vendor] { return known }
        guard let access else { return nil }
        let key = VendorVoices.Key(
            vendor: choice.vendor, access: access, model: choice.model, language: language,
            options: choice.options)
        return vendors.voice(key) {
            make(choice, language, access).map { synthesiser in
                // Not the key: what an account may ask for sounds alike for all that may.
                let id = [
                    choice.vendor, access.baseURL, choice.model ?? "", language,
                    JSON.object(choice.options).text,
                ]
                return SpeechCache(
                    synthesiser, bytesMax: Self.vendorCacheBytesMax,
                    shared: lines.map { SpeechCache.Shared(store: $0, id: id) })
            }
        }
    }

    private func make(_ choice: SpeakerChoice, _ language: String, _ access: VendorAccess) -> (
        any TextToSpeech
    )? {
        switch choice.vendor {
        case "cartesia":
            SocketTextToSpeech.cartesia(
                access: access,
                options: CartesiaOptions(model: choice.model, language: language, choice.options),
                reach: reach)
        case "elevenlabs":
            SocketTextToSpeech.elevenLabs(
                access: access,
                options: ElevenLabsOptions(model: choice.model, language: language, choice.options),
                reach: reach)
        default: nil
        }
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
        guard !accounts.isEmpty else { return nil }
        return ModelChain(accounts.map(member), tenant: tenant, cacheKey: cacheKey, health: health)
    }

    /// The models of a call whose router says for each request which of them answers. `strong`: at least one.
    package func routedModel(
        cheap: ModelAccount, strong: [ModelAccount], _ settings: RoutedModel.Settings, tenant: ID<Tenant>,
        cacheKey: String
    ) -> any LanguageModel {
        RoutedModel(
            cheap: member(cheap), strong: strong.map(member), settings: settings, tenant: tenant,
            cacheKey: cacheKey, health: health, lessons: lessons)
    }

    private func member(_ account: ModelAccount) -> ModelChain.Member {
        ModelChain.Member(
            choice: account.choice, model: adapter(account), host: account.baseURL, credential: account.key)
    }

    /// Whoever is not known by another wire format speaks OpenAI's.
    private func adapter(_ account: ModelAccount) -> any LanguageModel {
        let endpoint = ModelEndpoint(
            vendor: account.choice.vendor, key: account.key, baseURL: account.baseURL, http: http,
            refused: refused)
        return account.choice.account.vendor == "anthropic"
            ? AnthropicModel(endpoint) : OpenAIChatModel(endpoint)
    }
}

/// Synthesisers of accounts at vendors, made once and shared by the calls of a worker.
private final class VendorVoices: Sendable {
    struct Key: Hashable {
        var vendor: String
        var access: VendorAccess
        var model: String?
        var language: String
        var options: [String: JSON]
    }

    private struct Kept {
        var voice: SpeechCache
        var usedAt: UInt64
    }
    private let keptMax: Int
    private let kept = Mutex<(voices: [Key: Kept], uses: UInt64)>(([:], 0))

    init(keptMax: Int) { self.keptMax = keptMax }

    func voice(_ key: Key, make: () -> SpeechCache?) -> SpeechCache? {
        kept.withLock { kept in
            kept.uses += 1
            if let known = kept.voices[key] {
                kept.voices[key]?.usedAt = kept.uses
                return known.voice
            }
            guard let voice = make() else { return nil }
            if kept.voices.count >= keptMax,
                let oldest = kept.voices.min(by: { $0.value.usedAt < $1.value.usedAt })?.key
            {
                kept.voices[oldest] = nil
            }
            kept.voices[key] = Kept(voice: voice, usedAt: kept.uses)
            return voice
        }
    }
}
