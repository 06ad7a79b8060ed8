import Base
import NIOCore

/// A synthesiser that speaks ElevenLabs' `multi-stream-input`, of speech and of dialogues.
/// Source: reference/providers/elevenlabs.md.
package enum SimulatedElevenLabs {
    package struct Configuration: Sendable {
        package var vendor = VendorSettings()
        package var delivery = SimulatedDelivery()
        /// Contexts at once on one socket; one more closes it with 1008.
        package var contextsMax = 5
        /// A dialogue's socket without traffic is closed after this; one of speech after its `inactivity_timeout`.
        package var dialogueInactivityMax = Duration.seconds(20)
        package init() {}
    }

    /// - Throws: what binding the port or the certificate gave.
    package static func start(_ configuration: Configuration = Configuration()) async throws
        -> SimulatedVendor
    {
        let spoken = SpokenTexts(configuration.delivery.voice)
        return try await SimulatedVendor.start(
            configuration.vendor, header: "xi-api-key",
            refusal: { _ in #"{"detail":{"status":"refused","message":"no"}}"# }
        ) { asked, visit in
            let isDialogue = asked.path.hasSuffix("/v1/text-to-dialogue/multi-stream-input")
            let isSpeech =
                asked.path.contains("/v1/text-to-speech/") && asked.path.hasSuffix("/multi-stream-input")
            guard isDialogue || isSpeech else { return .refuse(404) }
            guard asked.query[name: "model_id"] != nil, asked.query[name: "output_format"] == "ulaw_8000"
            else {
                return .refuse(400)
            }
            let asked = asked.query[name: "inactivity_timeout"].flatMap { Int($0) } ?? 20
            let inactivityMax =
                isDialogue ? configuration.dialogueInactivityMax : .seconds(min(max(asked, 1), 180))
            return .guest(
                ElevenLabsGuest(
                    configuration, visit, isDialogue: isDialogue, inactivityMax: inactivityMax,
                    spoken: spoken))
        }
    }
}

/// One client's socket. On its loop only.
private final class ElevenLabsGuest: SocketGuest {
    private struct Running {
        var text = ""
        var delivering: Delivering?
        /// All of it has been sent.
        var isSpoken = true
        /// The client wants no more of it after what it has flushed.
        var isClosing = false
    }

    private let configuration: SimulatedElevenLabs.Configuration
    private let isDialogue: Bool
    private let script: VendorScript
    private let spoken: SpokenTexts
    private var random: SeededGenerator
    private var mischief: VendorMischief
    private var line: SocketLine?
    private var contexts: [String: Running] = [:]
    private let inactivityMax: Duration
    private var heardAt = NIODeadline.now()

    init(
        _ configuration: SimulatedElevenLabs.Configuration, _ visit: VendorVisit, isDialogue: Bool,
        inactivityMax: Duration, spoken: SpokenTexts
    ) {
        self.inactivityMax = inactivityMax
        self.configuration = configuration
        self.isDialogue = isDialogue
        self.spoken = spoken
        random = visit.random
        script = visit.script
        mischief = VendorMischief(visit.trouble)
    }

    func opened(_ line: SocketLine) {
        self.line = line
        mischief.prepare(line)
        heardAt = line.loop.now
        watch(line, for: TimeAmount(inactivityMax))
    }

    private func watch(_ line: SocketLine, for time: TimeAmount) {
        line.after(time) { [weak self, weak line] in
            guard let self, let line else { return }
            let left = self.heardAt + TimeAmount(self.inactivityMax) - line.loop.now
            guard left <= .zero else { return self.watch(line, for: left) }
            line.close(code: 1008, reason: "input_timeout_exceeded")
        }
    }

    func ended() {
        for context in contexts.values { context.delivering?.cancel() }
        contexts = [:]
        line = nil
    }

    func received(binary: ByteBuffer) { line?.close(code: 1003) }

    func received(text: ByteBuffer) {
        guard let line, let message = JSONText.decode(Array(text.readableBytesView)) else { return }
        heardAt = line.loop.now
        script.note(message)
        if message["close_socket"]?.bool == true { return line.close(code: 1000) }
        guard let id = message["context_id"]?.string else { return }
        if contexts[id] == nil {
            guard message["close_context"]?.bool != true else { return }
            guard contexts.count < configuration.contextsMax else {
                say(error("max_active_conversations", id))
                return line.close(code: 1008, reason: "max_active_conversations")
            }
            contexts[id] = Running()
        }
        contexts[id]?.text += written(message)
        if message["flush"]?.bool == true { speak(id) }
        if message["close_context"]?.bool == true { close(id) }
    }

    private func written(_ message: JSON) -> String {
        guard isDialogue else { return message["text"]?.string ?? "" }
        return (message["inputs"]?.array ?? []).compactMap { $0["text"]?.string }.joined()
    }

    /// Closing lets what was flushed be spoken; closing again ends it.
    private func close(_ id: String) {
        guard let context = contexts[id] else { return }
        if context.isClosing || context.isSpoken {
            context.delivering?.cancel()
            return end(id)
        }
        contexts[id]?.isClosing = true
    }

    private func end(_ id: String) {
        contexts[id] = nil
        say(
            isDialogue
                ? #"{"is_final":true,"context_id":"\#(id)"}"#
                : #"{"audio":null,"isFinal":true,"contextId":"\#(id)"}"#)
    }

    private func speak(_ id: String) {
        guard let line, let text = contexts[id]?.text.trimmed, !text.isEmpty else { return }
        contexts[id]?.text = ""
        contexts[id]?.isSpoken = false
        let delay = TimeAmount(configuration.delivery.firstAudio.sample(using: &random))
        spoken.speak(text, after: delay, on: line) { self.deliver(id, $0) }
    }

    private func deliver(_ id: String, _ speech: SimulatedSpeech) {
        guard let line, contexts[id] != nil else { return }
        if mischief.trouble == .wrongFormat { return chunk(id, speech, Array("ID3\u{4}".utf8)[...], 0) }
        let delivering = Delivering(
            speech, configuration.delivery, isEndless: mischief.trouble == .endless, on: line,
            tell: { [weak self] bytes, at in self?.chunk(id, speech, bytes, at) },
            finish: { [weak self] in
                self?.contexts[id]?.isSpoken = true
                if self?.contexts[id]?.isClosing == true { self?.end(id) }
            })
        contexts[id]?.delivering = delivering
        delivering.next()
    }

    private func chunk(_ id: String, _ speech: SimulatedSpeech, _ bytes: ArraySlice<UInt8>, _ at: Int) {
        let data = String(decoding: Base64.encode(bytes), as: UTF8.self)
        let name = isDialogue ? "context_id" : "contextId"
        say(
            #"{"audio":"\#(data)","isFinal":null,"alignment":\#(alignment(speech, at, bytes.count)),"\#(name)":"\#(id)"}"#
        )
    }

    /// The letters that begin in this piece, from its start; a space behind each word.
    private func alignment(_ speech: SimulatedSpeech, _ at: Int, _ count: Int) -> String {
        let piece = at / 8..<(at + count) / 8
        var letters: [(String, Int, Int)] = []
        for word in speech.words {
            let all = Array(word.text) + [" "]
            let each = max(1, (word.endMs - word.startMs) / all.count)
            for (index, letter) in all.enumerated() where piece.contains(word.startMs + index * each) {
                letters.append((String(letter), word.startMs + index * each - piece.lowerBound, each))
            }
        }
        guard !letters.isEmpty else { return "null" }
        func list(_ part: ((String, Int, Int)) -> String) -> String {
            letters.map(part).joined(separator: ",")
        }
        return #"{"chars":[\#(list { JSONText.quoted($0.0) })],"charStartTimesMs":[\#(list { "\($0.1)" })],"#
            + #""charDurationsMs":[\#(list { "\($0.2)" })]}"#
    }

    private func error(_ name: String, _ id: String) -> String {
        #"{"message":"x","error":"\#(name)","code":1008,"contextId":"\#(id)"}"#
    }

    private func say(_ text: String) {
        guard let line else { return }
        if mischief.maySend(on: line, error: error("internal_error", contexts.keys.first ?? "")) {
            line.send(text: text)
        }
    }
}

extension String {
    /// Without spaces at either end.
    fileprivate var trimmed: String {
        var text = self[...]
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
