import Agents
import Base
import CallDispatch
import Conversation

extension CallRunner {
    /// Tells what an answer took: to metrics, to tracing, and as an event where a budget was broken.
    func tellLatency(_ turn: Dialogue.TurnFact) {
        guard turn.speaker == .agent else { return }
        let vendors = voices.take(model: parts?.mind.speaker)
        guard let stages = turn.stages else { return }
        let latency = TurnLatency(stages)
        for stage in TurnLatency.Stage.allCases {
            guard let taken = latency.stages[stage] else { continue }
            station.meters.latency(vendors.labels(stage), milliseconds: taken)
        }
        for breach in latency.breaches(of: plan.definition.latency) {
            station.meters.breach(vendors.labels(breach.stage), isCeiling: breach.isCeiling)
            let by = vendors[breach.stage].map { ", \($0.model.isEmpty ? $0.vendor : $0.source)" } ?? ""
            tell(
                .event(
                    code: breach.isCeiling ? "latency_ceiling" : "latency_budget",
                    detail:
                        "turn \(turn.number): \(breach.stage.rawValue) took \(breach.milliseconds) of "
                        + "\(breach.budgetMs) ms\(by)"))
        }
        station.configuration.spans?.add(trace.turn(turn, latency, vendors))
    }
}
