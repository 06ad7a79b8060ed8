import Base
import NIOCore
import OfflineVoices

/// A caller with ears and a voice: hears lines, understands them, answers as its script says.
///
/// Lives on the call's event loop; recognition happens on the recogniser's threads and comes back as events.
final class TalkingCaller: Caller, @unchecked Sendable {
    private(set) var lines = CallerLines()
    private var mind: PersonaMind
    private var mouth: Mouth
    private var ear: CallerEar?
    private weak var line: (any CallerLine)?
    private var nowMs = 0

    init(
        _ conversation: Persona.Conversation, spoken: [String: [UInt8]], ears: OfflineRecognizer,
        loop: any EventLoop
    ) {
        mind = PersonaMind(conversation)
        mouth = Mouth(spoken: spoken)
        ear = CallerEar(
            ears.open { [weak self] event in
                loop.execute { [weak self] in self?.recognition(event) }
            }, grammar: conversation.grammar)
    }

    func tick(heard: [UInt8]?, at ms: Int, line: any CallerLine) -> [UInt8]? {
        self.line = line
        nowMs = ms
        let (edge, understood) = ear?.tick(heard) ?? (nil, nil)
        lines.note(edge, at: ms)
        switch edge {
        case .started:
            line.note(mouth.isBusy ? .agentCutOff : .agentSpeaks)
            carryOut(mind.handle(.agentStarted, at: ms))
        case .stopped: carryOut(mind.handle(.agentStopped, at: ms))
        case nil: break
        }
        take(understood)
        carryOut(mind.handle(.tick, at: ms))
        return speak()
    }

    func over(at ms: Int) {
        lines.close(at: ms)
        ear?.close()
        ear = nil
    }

    private func recognition(_ event: OfflineRecognition) { take(ear?.take(event)) }

    private func take(_ heard: CallerEar.Heard?) {
        switch heard {
        case .partial(let text): carryOut(mind.handle(.partial(text), at: nowMs))
        case .line(let number, let text):
            if lines.heard.indices.contains(number) { lines.heard[number].text = text }
            if !text.isEmpty { line?.note(.agentHeard(text)) }
            carryOut(mind.handle(.recognized(text), at: nowMs))
        case nil: break
        }
    }

    private func carryOut(_ effects: [PersonaMind.Effect]) {
        for effect in effects {
            switch effect {
            case .say(let parts, let isBargeIn):
                if isBargeIn { line?.note(.bargeIn) }
                let text = mouth.say(parts)
                if !text.isEmpty { line?.note(.callerSays(text)) }
            case .hangUp: line?.hangUpByCaller()
            }
        }
    }

    private func speak() -> [UInt8]? {
        guard let spoken = mouth.tick() else { return nil }
        switch spoken {
        case .sound(let frame): return frame
        case .key(let digit):
            line?.press(digit)
            return nil
        case .quiet: return nil
        case .finished(let lengthMs, let text):
            lines.said.append(.init(startMs: nowMs - lengthMs, endMs: nowMs, text: text))
            carryOut(mind.handle(.spoken, at: nowMs))
            return nil
        }
    }
}
