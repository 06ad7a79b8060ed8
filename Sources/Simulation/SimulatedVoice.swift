import Base
import Conversation

/// Plays what the agent says and tells how much of it was heard.
struct SimulatedVoice {
    /// Between two marks that the carrier echoes.
    static let markMs = 200
    /// Unhurried English.
    static let msPerCharacter = 62

    struct Utterance {
        var id: Dialogue.UtteranceID
        var lengthMs: Int
        var heardMs = 0
        /// When its first audio is there; nil: it never comes.
        var readyAt: CallTime?
    }

    private var queue: [Utterance] = []
    private(set) var isPaused = false
    /// Changes whenever playing starts or stops: ticks of an earlier playing are void.
    private(set) var playing = 0

    var isEmpty: Bool { queue.isEmpty }
    var isSpeaking: Bool { !queue.isEmpty && !isPaused }

    mutating func enqueue(_ utterance: Utterance) -> Bool {
        queue.append(utterance)
        guard queue.count == 1, !isPaused else { return false }
        playing += 1
        return true
    }

    mutating func pause() {
        isPaused = true
        playing += 1
    }

    mutating func resume(fromStart: Bool) {
        isPaused = false
        playing += 1
        if fromStart, !queue.isEmpty { queue[0].heardMs = 0 }
    }

    mutating func clear() {
        queue.removeAll()
        isPaused = false
        playing += 1
    }

    mutating func drop(_ id: Dialogue.UtteranceID) { queue.removeAll { $0.id == id } }

    /// What the carrier tells after `markMs` more; nil when nothing was played.
    mutating func playOn(at now: CallTime) -> Dialogue.Input? {
        guard let head = queue.first, let readyAt = head.readyAt, readyAt <= now else { return nil }
        let heardMs = min(head.lengthMs, head.heardMs + Self.markMs)
        let isFinished = heardMs == head.lengthMs
        if isFinished { queue.removeFirst() } else { queue[0].heardMs = heardMs }
        return .heard(head.id, milliseconds: heardMs, isFinished: isFinished)
    }
}
