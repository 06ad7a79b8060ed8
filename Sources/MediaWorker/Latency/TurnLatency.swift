import Agents
import Base
import Conversation

/// What each stage of one answer took, and where that was too long. Pure.
///
/// From mouth to ear: the caller's last sound, the words, the decision that the turn is over, the model's first token,
/// the voice's first audio, the first sound that is played to the caller.
struct TurnLatency: Hashable, Sendable {
    enum Stage: String, CaseIterable, Hashable, Sendable {
        /// From the end of speech to the final words; nothing where the turn was over before.
        case stt
        /// From the end of speech to the decision that the turn is over.
        case endpointing
        /// From the request to the model's first token.
        case llm
        /// From the first token to the first audio of the voice.
        case tts
        /// From the first audio, or the decision if that came later, to its being played.
        case playout
        /// From the end of speech to the first sound of the answer.
        case total
    }

    /// One stage that took longer than it may.
    struct Breach: Hashable, Sendable {
        var stage: Stage
        var milliseconds: Int
        var budgetMs: Int
        /// Beyond the ceiling that no turn should reach.
        var isCeiling = false
    }

    /// Milliseconds; a stage that did not happen has none.
    private(set) var stages: [Stage: Int] = [:]

    init(_ measured: Dialogue.Stages) {
        stages[.stt] = measured.finalTextMs
        stages[.endpointing] = measured.endOfTurnMs
        stages[.total] = measured.heardMs
        if let token = measured.firstTokenMs {
            stages[.llm] = (measured.requestedMs ?? measured.endOfTurnMs).map { max(0, token - $0) }
            stages[.tts] = measured.firstAudioMs.map { max(0, $0 - token) }
        } else if let audio = measured.firstAudioMs, let decided = measured.endOfTurnMs {
            stages[.tts] = max(0, audio - decided)
        }
        if let heard = measured.heardMs, let audio = measured.firstAudioMs {
            stages[.playout] = max(0, heard - max(audio, measured.endOfTurnMs ?? 0))
        }
    }

    /// In the order of the stages.
    func breaches(of budgets: LatencyBudgets) -> [Breach] {
        let limits: [(Stage, Int)] = [
            (.stt, budgets.sttMs), (.llm, budgets.llmMs), (.tts, budgets.ttsMs), (.total, budgets.totalMs),
        ]
        var breaches = limits.compactMap { stage, limit in
            stages[stage].flatMap { taken in
                taken > limit ? Breach(stage: stage, milliseconds: taken, budgetMs: limit) : nil
            }
        }
        if let total = stages[.total], total > budgets.ceilingMs {
            breaches.append(
                Breach(
                    stage: .total, milliseconds: total, budgetMs: budgets.ceilingMs, isCeiling: true))
        }
        return breaches
    }
}
