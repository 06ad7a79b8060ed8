import Audio
import Base
import Conversation
import NIOCore
import Speech

/// Hears the line: voice, keys and tones by itself, words from the recogniser. On the call's loop only.
final class Ear: @unchecked Sendable {
    static let bytesPerMillisecond = 8

    /// What is not for the conversation.
    enum Report {
        case usage(Usage)
        /// The caller begins or ends an utterance: the agent will answer.
        case utteranceEdge
        /// Who gave the final words that follow.
        case understood(by: ModelChoice)
        case fellBack(to: String, Fault)
        /// Nobody hears the caller's words any more.
        case failed(Fault)
    }

    private let tell: (Dialogue.Input) -> Void
    private let report: (Report) -> Void
    private var ear: LineEar
    private var utterances = UtteranceEdges()
    private var stream: (any RecognitionStream)?

    init(
        _ recogniser: any SpeechToText, settings: RecognitionSettings, weights: SileroVAD.Weights?,
        on loop: any EventLoop, tell: @escaping (Dialogue.Input) -> Void,
        report: @escaping (Report) -> Void
    ) {
        ear = LineEar(weights)
        self.tell = tell
        self.report = report
        stream = recogniser.open(settings, on: loop) { [weak self] in self?.received($0) }
    }

    /// µ-law, 8 kHz.
    func hear(_ audio: ByteBuffer) {
        stream?.send(audio)
        var events: [LineEar.Event] = []
        audio.withUnsafeReadableBytes { raw in
            ear.hear(mulaw: raw.bindMemory(to: UInt8.self)) { events.append($0) }
        }
        edge(utterances.advance(milliseconds: audio.readableBytes / Self.bytesPerMillisecond))
        for event in events {
            switch event {
            case .speech(let event, let fall): heard(event, fall)
            case .key(let key): tell(.keyTone(String(key)))
            case .tone(let tone): tell(.lineTone(tone))
            }
        }
    }

    /// What the caller hears of the agent now: it may come back as an echo. µ-law, 8 kHz.
    func agentSounds(_ audio: ByteBuffer) {
        audio.withUnsafeReadableBytes { ear.agentSounds(mulaw: $0.bindMemory(to: UInt8.self)) }
    }

    func expect(_ expectation: Expectation, phrases: [String]) {
        stream?.expect(expectation, phrases: phrases)
    }

    func close() {
        stream?.close()
        stream = nil
    }

    private func heard(_ event: SpeechDetector.Event, _ fall: VoiceFall.Features?) {
        edge(utterances.take(event))
        switch event {
        case .stirred: tell(.stirred)
        case .settled: tell(.settled)
        case .speechStarted(let agoMs): tell(.speechStarted(agoMs: agoMs))
        case .speechFading(let agoMs):
            stream?.voiceFaded()
            tell(.speechFading(agoMs: agoMs))
        case .speechEnded(let agoMs):
            tell(.speechEnded(agoMs: agoMs, finality: fall?.finality))
        }
    }

    /// The recogniser is given utterances whole.
    private func edge(_ edge: UtteranceEdges.Edge?) {
        switch edge {
        case .started: stream?.utteranceStarted()
        case .ended: stream?.utteranceEnded()
        case nil: return
        }
        report(.utteranceEdge)
    }

    private func received(_ event: RecognitionEvent) {
        switch event {
        case .partial(let text): tell(.transcript(.init(text: text, isFinal: false)))
        case .final(let text, let words):
            if let hearer = stream?.hearer { report(.understood(by: hearer)) }
            tell(.transcript(.init(text: text, isFinal: true, words: words)))
        case .endOfTurn(let probability): tell(.endOfTurn(probability: probability))
        case .usage(let usage): report(.usage(usage))
        case .fellBack(let vendor, let fault): report(.fellBack(to: vendor, fault))
        case .failed(let fault):
            stream = nil
            report(.failed(fault))
        }
    }
}
