import Base
import Conversation
import NIOCore
import Speech

/// The utterances being synthesised. On the call's loop only.
final class Mouth: @unchecked Sendable {
    enum Event {
        /// Whose audio follows; once.
        case began(by: ModelChoice)
        case audio(ByteBuffer)
        case finished(Usage)
        case failed(Fault)
        /// What speech that was given up before its end has cost.
        case stopped([Usage])
        case fellBack(to: String, Fault)
    }

    private let synthesiser: any TextToSpeech
    private let voice: String
    private let loop: any EventLoop
    private let tell: (Dialogue.UtteranceID, Event) -> Void
    private var streams: [Dialogue.UtteranceID: any SynthesisStream] = [:]

    init(
        _ synthesiser: any TextToSpeech, voice: String, on loop: any EventLoop,
        tell: @escaping (Dialogue.UtteranceID, Event) -> Void
    ) {
        self.synthesiser = synthesiser
        self.voice = voice
        self.loop = loop
        self.tell = tell
        warm()
    }

    /// Something will be spoken soon: what costs time is done now.
    func warm() { synthesiser.warm(voice: voice, on: loop) }

    func speak(_ id: Dialogue.UtteranceID, _ text: String) {
        let isOver = Flag()
        let hasBegun = Flag()
        let stream = synthesiser.speak(text, voice: voice, on: loop) { [weak self] event in
            guard let self else { return }
            switch event {
            case .audio(let audio):
                if !hasBegun.isSet, let speaker = self.streams[id]?.speaker {
                    self.tell(id, .began(by: speaker))
                }
                hasBegun.isSet = true
                self.tell(id, .audio(audio))
            case .words: break
            case .spent(let usage): self.tell(id, .stopped([usage]))
            case .fellBack(let vendor, let fault): self.tell(id, .fellBack(to: vendor, fault))
            case .finished(let usage):
                isOver.isSet = true
                self.streams[id] = nil
                self.tell(id, .finished(usage))
            case .failed(let fault):
                isOver.isSet = true
                self.streams[id] = nil
                self.tell(id, .failed(fault))
            }
        }
        if !isOver.isSet { streams[id] = stream }
    }

    func cancel(_ ids: [Dialogue.UtteranceID]) {
        for id in ids {
            guard let stream = streams.removeValue(forKey: id) else { continue }
            stream.cancel()
            tell(id, .stopped(stream.usageSoFar))
        }
    }

    func close() { cancel(Array(streams.keys)) }
}

/// Set on one loop, by a callback that may come before the call that asked for it returns.
final class Flag: @unchecked Sendable {
    var isSet = false
}
