import Agents
import Base
package import Turns

/// What is worth telling of a call.
extension Conversation {
    func note(_ code: String, detail: String = "", _ step: inout Step) {
        step.effects.append(.record(.note(code: code, detail: detail)))
    }

    mutating func record(_ turn: Turns.CallerTurn, _ step: inout Step) {
        turnNumber += 1
        let keys = turn.keys.isEmpty ? "" : "(keys \(turn.keys))"
        let words = turn.text.isEmpty || keys.isEmpty ? turn.text + keys : turn.text + " " + keys
        var fact = Dialogue.TurnFact(
            // A recording paused for card numbers keeps them out of the transcript, too.
            number: turnNumber, speaker: .caller, text: isPrivateNow ? "(not recorded)" : words,
            startedAt: turn.startedAt, endedAt: turn.endedAt)
        fact.evidence = turn.evidence.map { Dialogue.Evidence($0) }
        tell(.turn(fact), &step)
    }

    mutating func record(_ turn: Turns.AgentTurn, _ step: inout Step) {
        turnNumber += 1
        var fact = Dialogue.TurnFact(
            number: turnNumber, speaker: .agent, text: isPrivateNow ? Masked.digits(turn.text) : turn.text,
            startedAt: turn.startedAt, endedAt: turn.endedAt)
        fact.wasInterrupted = turn.wasInterrupted
        fact.stages = turn.stages.map { Dialogue.Stages($0) }
        tell(.turn(fact), &step)
    }
}

extension Dialogue.Effect {
    var isHangUp: Bool { if case .hangUp = self { true } else { false } }
}

extension Dialogue.Evidence {
    package init(_ evidence: TurnEvidence) {
        self.init(term: evidence.term.rawValue, waitMs: evidence.waitMs)
        finishedPercent = Self.percent(evidence.finished)
        finalityPercent = evidence.finality.map(Self.percent)
        recogniserPercent = evidence.recogniser.map(Self.percent)
        pausesMs = evidence.pausesMs
    }

    private static func percent(_ probability: Double) -> Int {
        probability.isFinite ? Int((min(max(0, probability), 1) * 100).rounded()) : 0
    }
}

extension Dialogue.Stages {
    init(_ stages: TurnStages) {
        self.init()
        finalTextMs = stages.finalTextMs
        endOfTurnMs = stages.endOfTurnMs
        requestedMs = stages.requestedMs
        firstTokenMs = stages.firstTokenMs
        firstAudioMs = stages.firstAudioMs
        heardMs = stages.heardMs
    }
}
