import Base
import Billing
import CallDispatch
import Routing

/// Brings a report's numbers and texts into the ranges that storage and money are made for. A worker of
/// ours never leaves them; one that does must not stop the settlement of its call.
enum Bounded {
    static let connectedMsMax = 6 * 3600 * 1000
    static let quantityMax: Int64 = 1_000_000_000_000
    static let usageMax = 100
    static let wordsBytesMax = 20_000
    static let stagesMax = 20
    /// The year 2100.
    static let timeMax: Int64 = 4_102_444_800_000

    static func report(_ report: Report) -> Report {
        var report = report
        report.at.milliseconds = min(max(0, report.at.milliseconds), timeMax)
        switch report.fact {
        case .usage(let usage, let connectedMs):
            report.fact = .usage(self.usage(usage), connectedMs: clamp(connectedMs, connectedMsMax))
        case .ended(let reason, let connectedMs, let usage):
            report.fact = .ended(
                reason, connectedMs: clamp(connectedMs, connectedMsMax), usage: self.usage(usage))
        case .turn(let turn): report.fact = .turn(self.turn(turn))
        case .tool(let key, let name, let succeeded, let milliseconds):
            report.fact = .tool(
                key: cut(key, 200), name: cut(name, 100), succeeded: succeeded,
                milliseconds: clamp(milliseconds, connectedMsMax))
        case .route(let route): report.fact = .route(self.route(route))
        case .artifact(let kind, let path, let bytes, let milliseconds):
            report.fact = .artifact(
                kind: kind, path: path, bytes: max(0, bytes),
                milliseconds: clamp(milliseconds, connectedMsMax))
        case .carrierAccepted(let id): report.fact = .carrierAccepted(carrierCallID: cut(id, 100))
        case .event(let code, let detail): report.fact = .event(code: cut(code, 64), detail: cut(detail, 500))
        case .dialing, .mediaStarted, .artifactStarted: break
        }
        return report
    }

    /// Relative, without a step upwards: what a worker may name under the recordings root.
    static func isArtifactPath(_ path: String) -> Bool {
        !path.isEmpty && path.utf8.count <= 500 && !path.hasPrefix("/") && !path.contains("..")
            && !path.contains("\0")
    }

    private static func usage(_ usage: [Usage]) -> [Usage] {
        usage.prefix(usageMax).map { one in
            var one = one
            one.quantity = min(max(0, one.quantity), quantityMax)
            one.source = one.source.isEmpty ? "*" : cut(one.source, 100)
            return one
        }
    }

    private static func turn(_ turn: CallFact.Turn) -> CallFact.Turn {
        CallFact.Turn(
            number: max(1, clamp(turn.number, 1_000_000)),
            speaker: turn.speaker == "agent" ? "agent" : "caller",
            text: cut(turn.text, wordsBytesMax), startMs: clamp(turn.startMs, connectedMsMax),
            endMs: clamp(turn.endMs, connectedMsMax), wasInterrupted: turn.wasInterrupted,
            stages: Dictionary(
                uniqueKeysWithValues: turn.stages.sorted { $0.key < $1.key }.prefix(stagesMax).map {
                    (cut($0.key, 40), clamp($0.value, connectedMsMax))
                }))
    }

    private static func route(_ route: RouteFact) -> RouteFact {
        var route = route
        route.number = max(1, clamp(route.number, 1_000_000))
        route.turn = clamp(route.turn, 1_000_000)
        route.mode = cut(route.mode, 20)
        route.shadowed = route.shadowed.map { cut($0, 20) }
        route.model = cut(route.model, 100)
        route.reason = cut(route.reason, 500)
        let probability = route.toolProbability
        route.toolProbability = probability.isFinite ? min(max(0, probability), 1) : 0
        for amount in [
            \RouteFact.expectedCost, \RouteFact.spent, \RouteFact.alwaysStrong, \RouteFact.alwaysCheap,
        ] {
            route[keyPath: amount].nanos = min(max(0, route[keyPath: amount].nanos), Rate.chargeMax.nanos)
        }
        return route
    }

    private static func clamp(_ value: Int, _ most: Int) -> Int { min(max(0, value), most) }
    private static func cut(_ text: String, _ bytes: Int) -> String {
        let clean = text.replacing("\0", with: "")
        return clean.utf8.count <= bytes ? clean : String(decoding: clean.utf8.prefix(bytes), as: UTF8.self)
    }
}
