import Audio
import Base
import Conversation
import Logging
import NIOCore
import Speech

/// Hears the caller: speech from the detector, words from the recogniser. On the call's loop only.
final class Ear: @unchecked Sendable {
    /// A recogniser that breaks is opened again so many times in one call.
    static let reopensMax = 3
    static let bytesPerMillisecond = 8

    private let recogniser: any SpeechToText
    private let settings: RecognitionSettings
    private let loop: any EventLoop
    private let logger: Logger
    private let tell: (Dialogue.Input) -> Void
    private let meter: (Usage) -> Void
    private var detector: SpeechDetector
    private var fall = VoiceFall()
    /// How loud the agent was since the caller was last heard; nil: silent.
    private var agentDecibels: Double?
    private var utterances = UtteranceEdges()
    private var stream: (any RecognitionStream)?
    private var expected: (Expectation, [String]) = (.open, [])
    private var reopens = 0
    private var generation = 0

    init(
        _ recogniser: any SpeechToText, settings: RecognitionSettings, weights: SileroVAD.Weights?,
        on loop: any EventLoop, logger: Logger, tell: @escaping (Dialogue.Input) -> Void,
        meter: @escaping (Usage) -> Void
    ) {
        self.recogniser = recogniser
        self.settings = settings
        detector = SpeechDetector(weights)
        self.loop = loop
        self.logger = logger
        self.tell = tell
        self.meter = meter
        open()
    }

    /// µ-law, 8 kHz.
    func hear(_ audio: ByteBuffer) {
        stream?.send(audio)
        var events: [SpeechDetector.Event] = []
        audio.withUnsafeReadableBytes { raw in
            let bytes = raw.bindMemory(to: UInt8.self)
            fall.hear(mulaw: bytes, floorDecibels: detector.floorDecibels)
            detector.hear(mulaw: bytes, agentDecibels: agentDecibels) { events.append($0) }
        }
        agentDecibels = nil
        edge(utterances.advance(milliseconds: audio.readableBytes / Self.bytesPerMillisecond))
        for event in events { heard(event) }
    }

    /// What the caller hears of the agent now: it may come back as an echo. µ-law, 8 kHz.
    func agentSounds(_ audio: ByteBuffer) {
        audio.withUnsafeReadableBytes { raw in
            let level = Level(mulaw: raw.bindMemory(to: UInt8.self)).decibels
            agentDecibels = max(agentDecibels ?? 0, level)
        }
    }

    func expect(_ expectation: Expectation, phrases: [String]) {
        expected = (expectation, phrases)
        stream?.expect(expectation, phrases: phrases)
    }

    func close() {
        generation += 1
        stream?.close()
        stream = nil
    }

    private func heard(_ event: SpeechDetector.Event) {
        edge(utterances.take(event))
        switch event {
        case .stirred: tell(.stirred)
        case .settled: tell(.settled)
        case .speechStarted(let agoMs):
            fall.speechStarted(agoMs: agoMs)
            tell(.speechStarted(agoMs: agoMs))
        case .speechEnded(let agoMs):
            tell(.speechEnded(agoMs: agoMs, finality: fall.speechEnded(agoMs: agoMs)?.finality))
        }
    }

    /// The recogniser is given utterances whole.
    private func edge(_ edge: UtteranceEdges.Edge?) {
        switch edge {
        case .started: stream?.utteranceStarted()
        case .ended: stream?.utteranceEnded()
        case nil: break
        }
    }

    private func open() {
        generation += 1
        let generation = generation
        stream = recogniser.open(settings, on: loop) { [weak self] event in
            guard let self, self.generation == generation else { return }
            self.received(event)
        }
        stream?.expect(expected.0, phrases: expected.1)
        if utterances.isOpen { stream?.utteranceStarted() }
    }

    private func received(_ event: RecognitionEvent) {
        switch event {
        case .partial(let text): tell(.transcript(.init(text: text, isFinal: false)))
        case .final(let text, let words): tell(.transcript(.init(text: text, isFinal: true, words: words)))
        case .endOfTurn(let probability): tell(.endOfTurn(probability: probability))
        case .usage(let usage): meter(usage)
        case .failed(let fault):
            logger.warning("recogniser failed", metadata: ["reason": .string(fault.code)])
            close()
            reopens += 1
            if reopens <= Self.reopensMax { open() }
        }
    }
}
