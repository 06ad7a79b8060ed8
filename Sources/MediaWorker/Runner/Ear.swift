import Audio
import Base
import Conversation
import Logging
import NIOCore
import Speech

/// Hears the caller: speech edges from energy, words from the recogniser. On the call's loop only.
final class Ear: @unchecked Sendable {
    /// A recogniser that breaks is opened again so many times in one call.
    static let reopensMax = 3

    private let recogniser: any SpeechToText
    private let settings: RecognitionSettings
    private let loop: any EventLoop
    private let logger: Logger
    private let tell: (Dialogue.Input) -> Void
    private let meter: (Usage) -> Void
    private var detector = EnergyVAD()
    private var stream: (any RecognitionStream)?
    private var expected: (Expectation, [String]) = (.open, [])
    private var isSpeaking = false
    private var reopens = 0
    private var generation = 0

    init(
        _ recogniser: any SpeechToText, settings: RecognitionSettings, on loop: any EventLoop, logger: Logger,
        tell: @escaping (Dialogue.Input) -> Void, meter: @escaping (Usage) -> Void
    ) {
        self.recogniser = recogniser
        self.settings = settings
        self.loop = loop
        self.logger = logger
        self.tell = tell
        self.meter = meter
        open()
    }

    /// µ-law, 8 kHz.
    func hear(_ audio: ByteBuffer) {
        stream?.send(audio)
        audio.withUnsafeReadableBytes { raw in
            let bytes = raw.bindMemory(to: UInt8.self)
            var at = 0
            while at < bytes.count {
                let end = min(at + EnergyVAD.frameSamples, bytes.count)
                switch detector.process(mulaw: UnsafeBufferPointer(rebasing: bytes[at..<end])) {
                case .speechStarted: started()
                case .speechEnded: ended()
                case nil: break
                }
                at = end
            }
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

    private func started() {
        isSpeaking = true
        stream?.utteranceStarted()
        tell(.speechStarted(agoMs: detector.policy.onsetFrames * EnergyVAD.frameMs))
    }

    private func ended() {
        isSpeaking = false
        tell(.speechEnded(agoMs: detector.policy.hangoverMs))
        stream?.utteranceEnded()
    }

    private func open() {
        generation += 1
        let generation = generation
        stream = recogniser.open(settings, on: loop) { [weak self] event in
            guard let self, self.generation == generation else { return }
            self.received(event)
        }
        stream?.expect(expected.0, phrases: expected.1)
        if isSpeaking { stream?.utteranceStarted() }
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
