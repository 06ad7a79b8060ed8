import Agents
import Base
import CallDispatch
import Conversation

/// Who stands behind the stages of a call's turns.
struct StageVendors: Hashable, Sendable {
    var stt: String
    var tts: String
    /// The model that spoke; nil where none did.
    var model: ModelChoice?

    /// Labels of a metric. The stages that are ours have no vendor.
    func labels(_ stage: TurnLatency.Stage) -> [(String, String)] {
        let (vendor, model) =
            switch stage {
            case .stt: (stt, "")
            case .llm: (self.model?.vendor ?? "", self.model?.model ?? "")
            case .tts: (tts, "")
            case .endpointing, .playout, .total: ("", "")
            }
        return [("stage", stage.rawValue), ("vendor", vendor), ("model", model)]
    }
}

extension CallRunner {
    /// Tells what an answer took: to metrics, to tracing, and as an event where a budget was broken.
    func tellLatency(_ turn: Dialogue.TurnFact) {
        guard turn.speaker == .agent, let stages = turn.stages else { return }
        let voice = plan.definition.voice
        let vendors = StageVendors(stt: voice.stt, tts: voice.tts, model: parts?.mind.speaker)
        let latency = TurnLatency(stages)
        for stage in TurnLatency.Stage.allCases {
            guard let taken = latency.stages[stage] else { continue }
            station.meters.latency(vendors.labels(stage), milliseconds: taken)
        }
        for breach in latency.breaches(of: plan.definition.latency) {
            station.meters.breach(vendors.labels(breach.stage), isCeiling: breach.isCeiling)
            let model = breach.stage == .llm ? vendors.model.map { ", \($0.source)" } ?? "" : ""
            tell(
                .event(
                    code: breach.isCeiling ? "latency_ceiling" : "latency_budget",
                    detail:
                        "turn \(turn.number): \(breach.stage.rawValue) took \(breach.milliseconds) of "
                        + "\(breach.budgetMs) ms\(model)"))
        }
        station.configuration.spans?.add(trace.turn(turn, latency, vendors))
    }
}
