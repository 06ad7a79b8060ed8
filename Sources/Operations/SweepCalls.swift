package import Base
import Postgres
package import Store

/// Moves on what nobody moves: claims that never dialled, calls whose worker is gone, carriers that fell
/// silent.
package struct SweepCalls: Sendable {
    package static let batchMax = 200

    package struct Swept: Hashable, Sendable {
        package var requeued = 0
        package var ended = 0
        package init(requeued: Int = 0, ended: Int = 0) {
            self.requeued = requeued
            self.ended = ended
        }
    }

    private let parts: CallParts
    private let patience: SweepStore.Patience
    private let store: SweepStore

    package init(_ parts: CallParts, patience: SweepStore.Patience = .init()) {
        self.parts = parts
        self.patience = patience
        store = SweepStore(parts.database)
    }

    /// Looks only; also the sweeper's proof that the database answers.
    package func findings() async throws -> [SweepStore.Finding] {
        try await store.stalled(patience, limit: Self.batchMax)
    }

    /// Acts on findings. Each is judged again under its call's lock, so a call that moved meanwhile is left
    /// alone.
    package func callAsFunction(_ findings: [SweepStore.Finding]) async throws -> Swept {
        var swept = Swept()
        var failure: (any Error)?
        for finding in findings {
            do {
                guard let state = try await act(on: finding) else { continue }
                if state == .queued { swept.requeued += 1 } else { swept.ended += 1 }
            } catch {
                failure = failure ?? error  // One call that cannot be moved must not keep the others.
            }
        }
        for (tenant, call) in try await store.unclaimed(patience, limit: Self.batchMax) {
            let ended = try await parts.database.tenantTransaction(tenant) { sql -> Bool in
                guard let row = try await CallStore.lock(tenant, call, in: sql), row.state == .queued else {
                    return false
                }
                try await SettleCall.end(row, row.times.endRequested == nil ? .noWorker : .requested, in: sql)
                return true
            }
            if ended { swept.ended += 1 }
        }
        if let failure { throw failure }
        return swept
    }

    private func act(on finding: SweepStore.Finding) async throws -> CallRow.State? {
        try await parts.database.tenantTransaction(finding.tenant) { sql in
            guard let row = try await CallStore.lock(finding.tenant, finding.call, in: sql),
                row.state == finding.state, row.epoch == finding.epoch, row.mediaEpoch == finding.mediaEpoch
            else { return nil }
            if finding.verdict == .requeue {
                try await FactStore.note(row, "requeued", in: sql)
                try await CallStore.requeue(row, in: sql)
                return .queued
            }
            try await SettleCall.end(row, Self.reason(finding.verdict, row), in: sql)
            return .ended
        }
    }

    private static func reason(_ verdict: SweepStore.Verdict, _ call: CallRow) -> EndReason {
        switch verdict {
        case .requeue, .workerLost: .workerLost
        case .carrierEnded: call.carrierStatus.flatMap(CarrierStatus.reason) ?? .callerHungUp
        case .mediaNeverCame: call.times.answered == nil ? .carrierFailed : .workerLost
        case .ringTimeout: call.carrierCallID == nil ? .carrierFailed : .noAnswer
        case .timeLimit: .timeLimit
        case .requested: .requested
        }
    }
}

/// May leases be judged? Only by one who has seen the database all the time that a lease lasts: after an
/// outage every worker gets one lease to renew. Pure.
package struct LeaseTrust: Sendable {
    private let lease: Duration
    private var lastContact: CallTime?
    private var trustedFrom = CallTime.zero

    package init(lease: Duration = LeaseStore.lease) { self.lease = lease }

    /// The database answered at `now`. True when leases that ran out have really run out.
    package mutating func contact(at now: CallTime) -> Bool {
        if lastContact.map({ now - $0 >= lease }) ?? true { trustedFrom = now + lease }
        lastContact = now
        return now >= trustedFrom
    }

    /// The database did not answer.
    package mutating func lost() { lastContact = nil }
}
