import Base

/// Says the next thing each time the agent falls silent, or into its line; understands nothing, so it costs next to nothing.
final class RecitingCaller: Caller {
    private(set) var lines = CallerLines()
    private var edges = SoundEdges()
    private var mouth: Mouth
    private var entries: ArraySlice<Persona.Recital.Entry>
    private let pauseMs: Int
    private let patienceMs: Int
    private var dueMs: Int?
    private var quietSinceMs = 0

    init(_ recital: Persona.Recital, spoken: [String: [UInt8]]) {
        mouth = Mouth(spoken: spoken)
        entries = recital.entries[...]
        // The edge itself comes after its own stretch of quiet.
        pauseMs = max(0, Int(recital.pause.milliseconds) - SoundEdges.quietTicks * 20)
        patienceMs = Int(recital.patience.milliseconds)
    }

    func tick(heard: [UInt8]?, at ms: Int, line: any CallerLine) -> [UInt8]? {
        let edge = edges.tick(heard)
        lines.note(edge, at: ms)
        switch edge {
        case .started: dueMs = interruptionMs(at: ms)
        case .stopped: dueMs = mouth.isBusy ? nil : ms + pauseMs
        case nil: break
        }
        if edges.isSounding || mouth.isBusy { quietSinceMs = ms }
        if !mouth.isBusy, ms >= dueMs ?? (quietSinceMs + patienceMs) { goOn(line) }
        return speak(at: ms)
    }

    private func interruptionMs(at ms: Int) -> Int? {
        guard !mouth.isBusy, let after = entries.first?.interruptsAfter else { return nil }
        return ms + Int(after.milliseconds)
    }

    private func goOn(_ line: any CallerLine) {
        dueMs = nil
        guard let entry = entries.popFirst() else { return line.hangUpByCaller() }
        let text = mouth.say(entry.parts)
        if !text.isEmpty { line.note(.callerSays(text)) }
    }

    private func speak(at ms: Int) -> [UInt8]? {
        switch mouth.tick() {
        case .sound(let frame): return frame
        case .finished(let lengthMs, let text):
            lines.said.append(.init(startMs: ms - lengthMs, endMs: ms, text: text))
            quietSinceMs = ms
            return nil
        case .key, .quiet, nil: return nil
        }
    }

    func over(at ms: Int) { lines.close(at: ms) }
}
