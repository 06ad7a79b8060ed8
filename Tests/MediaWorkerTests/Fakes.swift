import Base
import CallDispatch
import MediaWorker
import TestKit

extension CallKey {
    static func sample(_ number: UInt64, epoch: Int = 1) -> CallKey {
        CallKey(call: ID(high: 1, low: number), tenant: ID(high: 2, low: 1), epoch: epoch)
    }
}

/// The reason of a last fact.
@Sendable func ended(_ fact: CallFact) -> EndReason? {
    if case .ended(let reason, _, _) = fact { reason } else { nil }
}

extension Report {
    static func sample(_ sequence: Int) -> Report {
        Report(
            call: CallKey.sample(1).call, tenant: CallKey.sample(1).tenant, epoch: 1, sequence: sequence,
            at: Timestamp(milliseconds: 1), fact: .mediaStarted)
    }
}

/// A control plane in memory.
final class FakeLink: ControlLink, Sendable {
    struct State {
        var reports: [Report] = []
        var isAway = false
        var fenced: Set<ID<Call>> = []
        var refused: Set<ID<Call>> = []
        var plans: [ID<Call>: Plan] = [:]
        var attached: Set<String> = []
        var renewals: [WorkerStatus] = []
        var answer = LeaseAnswer(revoked: [], toEnd: [])
        var fundedMs = 600_000
        var holds: [Int] = []
    }

    let state = Watched(State())

    var reports: [Report] { state.value.reports }
    var isAway: Bool {
        get { state.value.isAway }
        set { state.change { $0.isAway = newValue } }
    }
    func fence(_ call: ID<Call>) { state.change { _ = $0.fenced.insert(call) } }
    func refuse(_ call: ID<Call>) { state.change { _ = $0.refused.insert(call) } }
    func facts(_ call: ID<Call>) -> [CallFact] { reports.filter { $0.call == call }.map(\.fact) }

    private func checkHere(_ state: inout State) throws {
        if state.isAway {
            throw Fault(code: "control.unreachable", retry: .after(.milliseconds(1)), cause: "away")
        }
    }

    func renew(_ status: WorkerStatus) async throws -> LeaseAnswer {
        try state.change { state in
            try checkHere(&state)
            state.renewals.append(status)
            return state.answer
        }
    }

    func claim(_ call: ID<Call>, tenant: ID<Tenant>, worker: ID<Worker>) async throws -> Plan? {
        try state.change { state in
            try checkHere(&state)
            return state.plans.removeValue(forKey: call)
        }
    }

    func attach(_ token: MediaToken, worker: ID<Worker>, carrierCallID: String) async throws -> Plan {
        try state.change { state in
            try checkHere(&state)
            guard let plan = state.plans[token.call] else {
                throw Refusal(code: "call_unknown", message: "no such call")
            }
            guard state.attached.insert("\(token.call) \(token.epoch)").inserted else {
                throw Refusal(code: "token_used", message: "a stream of this epoch exists")
            }
            return plan
        }
    }

    func extendHold(_ call: ID<Call>, tenant: ID<Tenant>, epoch: Int, number: Int) async throws -> HoldAnswer
    {
        try state.change { state in
            try checkHere(&state)
            state.holds.append(number)
            return .funded(untilMs: state.fundedMs)
        }
    }

    func report(_ reports: [Report]) async throws -> ReportReceipt {
        try state.change { state in
            try checkHere(&state)
            if reports.contains(where: { state.refused.contains($0.call) }) {
                throw Refusal(code: "report_refused", message: "no")
            }
            state.reports += reports
            return ReportReceipt(fenced: reports.map(\.call).filter { state.fenced.contains($0) })
        }
    }
}
