import Agents
import Base
import CallDispatch
import Postgres
package import Store

/// Answers a carrier that still holds a caller: where the call goes on, or that it is over.
package struct ContinueCall: Sendable {
    /// Workers one call may be given to. A call that loses more is a call that breaks workers.
    package static let epochsMax = 12
    /// Looks at a row that others move meanwhile.
    private static let triesMax = 3

    private let parts: CallParts
    package init(_ parts: CallParts) { self.parts = parts }

    /// The call's stream has ended. `carrierStatus`: the carrier's own word on the call, when it gave one.
    package func callAsFunction(_ call: CallRow, carrierStatus: String?) async throws -> CarrierAnswer {
        if let carrierStatus, CarrierStatus.isFinal(carrierStatus) {
            try await RecordCarrierStatus(parts)(
                call.tenant, call.id, status: carrierStatus, carrierCallID: call.carrierCallID)
            return .hangUp
        }
        return try await move(call, except: call.worker)
    }

    /// An outbound call was answered. Asked again, the answer is the same.
    package func answered(_ call: CallRow, carrierCallID: String) async throws -> CarrierAnswer {
        guard call.state == .dialing || call.state == .inProgress else { return .hangUp }
        guard let worker = call.worker, let place = try await LeaseStore(parts.database).place(of: worker)
        else {
            return try await move(call, except: call.worker)
        }
        let row = try await parts.database.tenantTransaction(call.tenant) { sql -> CallRow? in
            guard let locked = try await CallStore.lock(call.tenant, call.id, in: sql),
                locked.state != .ended,
                locked.worker == worker, locked.carrierCallID == nil || locked.carrierCallID == carrierCallID
            else { return nil }
            try await CallStore.learn(locked, carrierCallID: carrierCallID, in: sql)
            return try await CallStore.awaitMedia(locked, within: MediaToken.lifetime, in: sql)
        }
        return row.map { .connect($0, to: place) } ?? .hangUp
    }

    private func move(_ first: CallRow, except lost: ID<Worker>?) async throws -> CarrierAnswer {
        var call = first
        for _ in 0..<Self.triesMax {
            guard call.state != .ended else { return .hangUp }
            let place = try await LeaseStore(parts.database).place(region: call.region, except: lost)
            let seen = call
            let answer = try await parts.database.tenantTransaction(call.tenant) { sql -> CarrierAnswer? in
                guard let locked = try await CallStore.lock(seen.tenant, seen.id, in: sql) else {
                    return .hangUp
                }
                guard locked.epoch == seen.epoch, locked.state == seen.state else { return nil }
                return try await Self.decide(locked, place, in: sql)
            }
            if let answer { return answer }
            guard let fresh = try await CallStore(parts.database).find(call.tenant, call.id) else {
                return .hangUp
            }
            call = fresh
        }
        return .hangUp
    }

    private static func decide(
        _ call: CallRow, _ place: LeaseStore.Place?, in sql: PostgresTransaction
    ) async throws -> CarrierAnswer {
        if call.times.endRequested != nil {
            try await SettleCall.end(call, .requested, in: sql)
            return .hangUp
        }
        guard let place, call.epoch < epochsMax else {
            let lines = try await PlanStore.definition(call.agent, version: call.agentVersion, in: sql).lines
            try await SettleCall.end(call, .workerLost, in: sql)
            return .refuse(line: lines.failure)
        }
        let moved = try await CallStore.move(call, to: place.worker, within: MediaToken.lifetime, in: sql)
        try await FactStore.note(moved, "moved", ["worker": .string(place.worker.description)], in: sql)
        return .connect(moved, to: place)
    }
}
