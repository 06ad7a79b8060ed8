import Agents
package import Base
import NIOCore
package import WebSockets

/// How Cartesia speaks for one agent.
package struct CartesiaOptions: Hashable, Sendable {
    package var model = VoiceVendors.usualModel("cartesia")
    /// Two letters, `en`.
    package var language = "en"
    /// 0.6...1.5; nil leaves the voice's own.
    package var speed: Double?
    /// 0.5...2.0; nil leaves the voice's own.
    package var volume: Double?
    /// One of the vendor's names; nil leaves the voice's own.
    package var emotion: String?
    /// Contexts at once on one socket. The plan of the account limits all of them together.
    package var contextsMax = 100

    package init() {}

    /// Members of an agent's `tts_options`; wrong types are passed over, as publishing refuses them.
    package init(model: String?, language: String, _ options: [String: JSON]) {
        if let model { self.model = model }
        self.language = String(language.prefix { $0 != "-" })
        speed = options["speed"]?.number
        volume = options["volume"]?.number
        emotion = options["emotion"]?.string
    }
}

extension SocketTextToSpeech {
    /// Cartesia: contexts over one WebSocket, µ-law as the line carries it, word times.
    package static func cartesia(
        access: VendorAccess, options: CartesiaOptions, reach: WebSocketReach
    ) -> SocketTextToSpeech {
        SocketTextToSpeech(CartesiaDialect(access: access, options: options), reach: reach)
    }
}

/// Cartesia's `/tts/websocket`. Source: Cartesia's API reference, "Text to speech (WebSocket)".
struct CartesiaDialect: SpeakingDialect {
    /// The wire format's date; another one writes voices otherwise.
    static let version = "2026-08-14"

    let access: VendorAccess
    let options: CartesiaOptions

    func url(voice: String) -> String {
        access.socketURL("/tts/websocket", query: [("cartesia_version", Self.version)])
    }
    var headers: [(String, String)] { [("Authorization", "Bearer \(access.key.reveal)")] }
    var isVoiceInURL: Bool { false }
    var contextsMax: Int { options.contextsMax }
    var source: String { "cartesia/\(options.model)" }
    var holdsCancelled: Bool { false }
    /// Five minutes.
    var idleMax: Duration { .seconds(300) }
    var closesAtLimit: Bool { false }

    func speak(_ text: String, voice: String, context: String) -> [String] {
        var generation: [String: JSON] = [:]
        generation["speed"] = options.speed.map { .double($0) }
        generation["volume"] = options.volume.map { .double($0) }
        generation["emotion"] = options.emotion.map { .string($0) }
        var message: [String: JSON] = [
            "context_id": .string(context), "model_id": .string(options.model), "transcript": .string(text),
            "voice": ["id": .string(voice)], "language": .string(options.language),
            "output_format": ["container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000],
            // The clause is whole: nothing is gained by waiting for more.
            "continue": false, "max_buffer_delay_ms": 0, "add_timestamps": true,
        ]
        if !generation.isEmpty { message["generation_config"] = .object(generation) }
        return [JSON.object(message).text]
    }

    func cancel(context: String) -> [String] {
        [JSON.object(["context_id": .string(context), "cancel": true]).text]
    }

    func read(_ message: ByteBuffer) -> SpeakingMessage? {
        guard let parts = AudioMessage(message, audioIn: "data") else { return nil }
        let json = parts.json
        var read = SpeakingMessage(context: json["context_id"]?.string)
        switch json["type"]?.string {
        case "chunk": read.audio = parts.audio
        case "timestamps": read.words = Self.words(json["word_timestamps"])
        case "done": read.isDone = true
        case "error": read.fault = Self.fault(json)
        default: break
        }
        return read
    }

    private static func fault(_ json: JSON) -> Fault {
        let status = json["status_code"]?.int.map { Int(clamping: $0) } ?? 500
        return VendorFaults(stage: "tts").status(status, name: json["error_code"]?.string ?? "error")
    }

    /// Seconds from the start of the context. Lists of unequal length are cut to the shortest.
    private static func words(_ json: JSON?) -> [Word] {
        let starts = json?["start"]?.array ?? []
        let ends = json?["end"]?.array ?? []
        return zip(json?["words"]?.array ?? [], zip(starts, ends)).compactMap { word, times in
            guard let text = word.string, let start = times.0.number, let end = times.1.number,
                (0...3_600).contains(start), (0...3_600).contains(end)
            else { return nil }
            return Word(
                text: text, startMs: Int((start * 1000).rounded()), endMs: Int((end * 1000).rounded()))
        }
    }
}
