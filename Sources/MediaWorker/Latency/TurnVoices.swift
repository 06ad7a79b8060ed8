import Base
import Conversation

/// Who stands behind the stages of one answer.
struct StageVendors: Hashable, Sendable {
    /// Who understood what is answered, thought of the answer and spoke it; nil where nobody did. What works without a
    /// vendor has no model.
    var stt: ModelChoice?
    var llm: ModelChoice?
    var tts: ModelChoice?

    subscript(_ stage: TurnLatency.Stage) -> ModelChoice? {
        switch stage {
        case .stt: stt
        case .llm: llm
        case .tts: tts
        case .endpointing, .playout, .total: nil
        }
    }

    /// Labels of a metric. The stages that are ours have no vendor.
    func labels(_ stage: TurnLatency.Stage) -> [(String, String)] {
        let choice = self[stage]
        return [("stage", stage.rawValue), ("vendor", choice?.vendor ?? ""), ("model", choice?.model ?? "")]
    }
}

/// Who heard the caller and spoke for the agent, turn by turn: the vendors of an agent take over from one another. Pure.
struct TurnVoices {
    /// Utterances whose speaker is remembered: made ahead or playing, a few at most.
    static let utterancesMax = 64

    /// Whose voice the first audio of an utterance is.
    private var speakers: [Dialogue.UtteranceID: ModelChoice] = [:]
    private var hearer: ModelChoice?
    /// Of the turn that the caller hears now.
    private var turn: (hearer: ModelChoice?, speaker: ModelChoice?)?
    /// What is heard so far was made before the call: a filler, perhaps, and the answer follows.
    private var isPrepared = false
    /// Lines made ahead name this vendor.
    private let prepared: String

    init(prepared: String) { self.prepared = prepared }

    /// The caller's final words came from there.
    mutating func understood(by vendor: ModelChoice) { hearer = vendor }

    mutating func sounds(_ id: Dialogue.UtteranceID, by vendor: ModelChoice) {
        if speakers.count >= Self.utterancesMax,
            let oldest = speakers.keys.min(by: { $0.number < $1.number })
        {
            speakers[oldest] = nil
        }
        speakers[id] = vendor
    }

    /// The caller hears this utterance. The first of a turn counts, or the first that was made for it.
    mutating func heard(_ id: Dialogue.UtteranceID) {
        guard turn == nil || isPrepared else { return }
        let speaker = speakers[id]
        turn = (turn?.hearer ?? hearer, speaker ?? turn?.speaker)
        isPrepared = speaker?.vendor == prepared
    }

    /// The agent's turn is over. `model`: whose words it were.
    mutating func take(model: ModelChoice?) -> StageVendors {
        defer {
            turn = nil
            isPrepared = false
        }
        return StageVendors(stt: turn?.hearer, llm: model, tts: turn?.speaker)
    }
}
