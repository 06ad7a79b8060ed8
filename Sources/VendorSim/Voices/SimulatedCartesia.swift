import Base
import NIOCore

/// A synthesiser that speaks Cartesia's `/tts/websocket`: contexts, chunks, word times, cancelling.
/// Source: reference/providers/cartesia.md.
package enum SimulatedCartesia {
    package struct Configuration: Sendable {
        package var vendor = VendorSettings()
        package var delivery = SimulatedDelivery()
        /// Contexts at once on one socket; more are answered with an error 429.
        package var contextsMax = 10_000
        package init() {}
    }

    /// - Throws: what binding the port or the certificate gave.
    package static func start(_ configuration: Configuration = Configuration()) async throws
        -> SimulatedVendor
    {
        let spoken = SpokenTexts(configuration.delivery.voice)
        return try await SimulatedVendor.start(
            configuration.vendor, header: "authorization", credential: { "Bearer \($0)" },
            refusal: { _ in #"{"error":"refused"}"# }
        ) { asked, visit in
            guard asked.path.hasSuffix("/tts/websocket") else { return .refuse(404) }
            guard asked.query[name: "cartesia_version"] != nil else { return .refuse(400) }
            return .guest(CartesiaGuest(configuration, visit, spoken: spoken))
        }
    }
}

/// One client's socket. On its loop only.
private final class CartesiaGuest: SocketGuest {
    private static let formats = ["pcm_mulaw", "pcm_alaw", "pcm_s16le", "pcm_f32le"]

    private let configuration: SimulatedCartesia.Configuration
    private let script: VendorScript
    private let spoken: SpokenTexts
    private var random: SeededGenerator
    private var mischief: VendorMischief
    private var line: SocketLine?
    /// Text so far of contexts that go on, and what is on its way.
    private var texts: [String: String] = [:]
    private var contexts: [String: Delivering?] = [:]

    init(_ configuration: SimulatedCartesia.Configuration, _ visit: VendorVisit, spoken: SpokenTexts) {
        self.configuration = configuration
        self.spoken = spoken
        random = visit.random
        script = visit.script
        mischief = VendorMischief(visit.trouble)
    }

    func opened(_ line: SocketLine) {
        self.line = line
        mischief.prepare(line)
    }

    func ended() {
        for context in contexts.values { context?.cancel() }
        contexts = [:]
        line = nil
    }

    func received(binary: ByteBuffer) { line?.close(code: 1003) }

    func received(text: ByteBuffer) {
        guard let message = JSONText.decode(Array(text.readableBytesView)),
            let context = message["context_id"]?.string
        else { return say(error(400, "invalid_json", "")) }
        script.note(message)
        if message["cancel"]?.bool == true {
            contexts[context]??.cancel()
            contexts[context] = nil
            texts[context] = nil
            return
        }
        guard message["model_id"]?.string != nil, message["voice"]?["id"]?.string?.isEmpty == false,
            let format = message["output_format"]?["encoding"]?.string, Self.formats.contains(format)
        else { return say(error(400, "validation", context)) }
        texts[context, default: ""] += message["transcript"]?.string ?? ""
        guard message["continue"]?.bool != true else { return }
        guard contexts.count < configuration.contextsMax else {
            return say(error(429, "concurrency_limited", context))
        }
        begin(context, texts.removeValue(forKey: context) ?? "", message["add_timestamps"]?.bool == true)
    }

    private func begin(_ context: String, _ text: String, _ withTimes: Bool) {
        guard let line else { return }
        contexts[context] = .some(nil)
        let delay = TimeAmount(configuration.delivery.firstAudio.sample(using: &random))
        spoken.speak(text, after: delay, on: line) { self.deliver(context, $0, withTimes) }
    }

    private func deliver(_ context: String, _ speech: SimulatedSpeech, _ withTimes: Bool) {
        guard let line, contexts[context] != nil else { return }
        if mischief.trouble == .wrongFormat {
            return chunk(Array("RIFF$   WAVEfmt ".utf8)[...], context)
        }
        let delivering = Delivering(
            speech, configuration.delivery, isEndless: mischief.trouble == .endless, on: line,
            tell: { [weak self] bytes, at in
                if withTimes { self?.times(speech, at, bytes.count, context) }
                self?.chunk(bytes, context)
            },
            finish: { [weak self] in
                self?.contexts[context] = nil
                self?.say(
                    #"{"type":"done","context_id":"\#(context)","done":true,"status_code":200}"#)
            })
        contexts[context] = delivering
        delivering.next()
    }

    private func chunk(_ bytes: ArraySlice<UInt8>, _ context: String) {
        let data = String(decoding: Base64.encode(bytes), as: UTF8.self)
        say(
            #"{"type":"chunk","context_id":"\#(context)","data":"\#(data)","step_time":12.1,"done":false,"#
                + #""status_code":206,"flush_id":1}"#)
    }

    /// The words that begin in this piece.
    private func times(_ speech: SimulatedSpeech, _ at: Int, _ count: Int, _ context: String) {
        let words = speech.words.filter { (at / 8..<(at + count) / 8).contains($0.startMs) }
        guard !words.isEmpty else { return }
        func list(_ part: (SimulatedSpeech.Word) -> String) -> String {
            words.map(part).joined(separator: ",")
        }
        say(
            #"{"type":"timestamps","context_id":"\#(context)","word_timestamps":{"words":[\#(list { JSONText.quoted($0.text) })],"#
                + #""start":[\#(list { "\(Double($0.startMs) / 1000)" })],"end":[\#(list { "\(Double($0.endMs) / 1000)" })]},"#
                + #""done":false,"status_code":206}"#)
    }

    private func error(_ status: Int, _ code: String, _ context: String) -> String {
        #"{"type":"error","context_id":"\#(context)","status_code":\#(status),"done":true,"title":"x","message":"x","error_code":"\#(code)"}"#
    }

    private func say(_ text: String) {
        guard let line else { return }
        if mischief.maySend(on: line, error: error(500, "internal", contexts.keys.first ?? "")) {
            line.send(text: text)
        }
    }
}
