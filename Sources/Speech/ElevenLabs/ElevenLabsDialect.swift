import Agents
package import Base
import NIOCore
package import WebSockets

/// How ElevenLabs speaks for one agent.
package struct ElevenLabsOptions: Hashable, Sendable {
    package var model = VoiceVendors.usualModel("elevenlabs")
    /// Two letters, `en`.
    package var language = "en"
    /// `stability`, `similarity_boost`, `style`, `use_speaker_boost`, `speed`: what is left out is the voice's own.
    package var voiceSettings: [String: JSON] = [:]
    /// False: the vendor keeps nothing; accounts without zero retention are refused then.
    package var isLogged = true

    package init() {}

    private static let settingNames = [
        "stability", "similarity_boost", "style", "use_speaker_boost", "speed",
    ]

    /// Members of an agent's `tts_options`.
    package init(model: String?, language: String, _ options: [String: JSON]) {
        if let model { self.model = model }
        self.language = String(language.prefix { $0 != "-" })
        voiceSettings = options.filter { Self.settingNames.contains($0.key) }
        isLogged = options["enable_logging"]?.bool ?? true
    }

    var isDialogue: Bool { VoiceVendors.isElevenLabsDialogue(model) }
    var takesLanguage: Bool { VoiceVendors.elevenLabsTakesLanguage(model) }
}

extension SocketTextToSpeech {
    /// ElevenLabs: several contexts over one WebSocket, µ-law as the line carries it, places of the letters.
    package static func elevenLabs(
        access: VendorAccess, options: ElevenLabsOptions, reach: WebSocketReach
    ) -> SocketTextToSpeech {
        SocketTextToSpeech(ElevenLabsDialect(access: access, options: options), reach: reach)
    }
}

/// ElevenLabs' `multi-stream-input`. Source: ElevenLabs' API reference, "Multi-context WebSocket".
struct ElevenLabsDialect: SpeakingDialect {
    /// Five at once close the whole socket, and contexts end a little after we want them to.
    static let contextsPerSocket = 3
    /// The vendor closes a silent socket after this, seconds; its maximum.
    private static let inactivitySeconds = 180
    /// Of dialogues, where it cannot be set.
    private static let dialogueInactivitySeconds = 20

    let access: VendorAccess
    let options: ElevenLabsOptions

    func url(voice: String) -> String {
        var query = [("model_id", options.model), ("output_format", "ulaw_8000"), ("sync_alignment", "true")]
        if options.takesLanguage { query.append(("language_code", options.language)) }
        if !options.isLogged { query.append(("enable_logging", "false")) }
        guard !options.isDialogue else {
            return access.socketURL("/v1/text-to-dialogue/multi-stream-input", query: query)
        }
        query += [("auto_mode", "true"), ("inactivity_timeout", "\(Self.inactivitySeconds)")]
        return access.socketURL(
            "/v1/text-to-speech/\(VendorAccess.escaped(voice))/multi-stream-input", query: query)
    }
    var headers: [(String, String)] { [("xi-api-key", access.key.reveal)] }
    var isVoiceInURL: Bool { !options.isDialogue }
    var contextsMax: Int { Self.contextsPerSocket }
    var source: String { "elevenlabs/\(options.model)" }
    var holdsCancelled: Bool { true }
    /// The vendor's keep-alive is for a context that is open: an idle socket has none.
    var idleMax: Duration {
        .seconds(options.isDialogue ? Self.dialogueInactivitySeconds : Self.inactivitySeconds)
    }
    var closesAtLimit: Bool { true }

    func speak(_ text: String, voice: String, context: String) -> [String] {
        let messages = options.isDialogue ? dialogue(text, voice) : speech(text)
        return messages.map { message in
            var message = message
            message["context_id"] = .string(context)
            return JSON.object(message).text
        } + cancel(context: context)
    }

    /// A context begins with a space; a text ends with one.
    private func speech(_ text: String) -> [[String: JSON]] {
        var first: [String: JSON] = ["text": " "]
        if !options.voiceSettings.isEmpty { first["voice_settings"] = .object(options.voiceSettings) }
        return [first, ["text": .string(text + " ")], ["text": "", "flush": true]]
    }

    private func dialogue(_ text: String, _ voice: String) -> [[String: JSON]] {
        var first: [String: JSON] = ["voices": .array([.string(voice)])]
        if let stability = options.voiceSettings["stability"] {
            first["voice_settings"] = ["stability": stability]
        }
        func input(_ text: String) -> JSON { ["text": .string(text), "voice_id": .string(voice)] }
        return [
            first, ["inputs": .array([input(text + " ")])], ["inputs": .array([input("")]), "flush": true],
        ]
    }

    /// Also the regular end: what was flushed is still spoken, and then the context is over.
    func cancel(context: String) -> [String] {
        [JSON.object(["context_id": .string(context), "close_context": true]).text]
    }

    func read(_ message: ByteBuffer) -> SpeakingMessage? {
        guard let parts = AudioMessage(message, audioIn: "audio") else { return nil }
        let json = parts.json
        var read = SpeakingMessage(context: (json["contextId"] ?? json["context_id"])?.string)
        read.audio = parts.audio
        read.isDone = (json["isFinal"] ?? json["is_final"])?.bool ?? false
        read.letters = Self.letters(json["alignment"])
        if let error = json["error"]?.string { read.fault = Self.fault(error) }
        return read
    }

    private static func fault(_ name: String) -> Fault {
        let faults = VendorFaults(stage: "tts")
        return switch name {
        case "max_active_conversations", "too_many_concurrent_requests", "system_busy":
            faults.status(429, name: name)
        case "quota_exceeded": faults.status(402, name: name)
        case "invalid_api_key", "missing_permissions": faults.status(401, name: name)
        case "voice_not_found", "model_not_found": faults.status(404, name: name)
        case "invalid_input", "validation_error", "unsupported_model": faults.status(400, name: name)
        default: faults.status(500, name: name)
        }
    }

    /// Times from the start of this message's audio. Published examples spell the lengths in two ways.
    private static func letters(_ json: JSON?) -> [SpeakingMessage.Letter] {
        guard let json, json != .null else { return [] }
        let starts = (json["charStartTimesMs"] ?? json["charsStartTimesMs"])?.array ?? []
        let lengths = (json["charDurationsMs"] ?? json["charsDurationsMs"])?.array ?? []
        return zip(json["chars"]?.array ?? [], zip(starts, lengths)).compactMap { letter, times in
            guard let text = letter.string, let start = times.0.number, let length = times.1.number,
                (0...3_600_000).contains(start), (0...3_600_000).contains(length)
            else { return nil }
            return SpeakingMessage.Letter(text: text, startMs: Int(start), endMs: Int(start + length))
        }
    }
}
