import Agents
package import Base
import Billing
import CallDispatch
import Postgres
package import Store

/// Takes an inbound call in: who is called, may it be, and which worker carries it.
///
/// The carrier may ask again; the same call of the carrier's is the same call of ours and gets the same
/// answer.
package struct AdmitInbound: Sendable {
    package struct Request: Sendable {
        package var carrierCallID: String
        /// As the carrier writes it.
        package var from: Redacted<String>
        package var to: Redacted<String>
        package init(carrierCallID: String, from: Redacted<String>, to: Redacted<String>) {
            self.carrierCallID = carrierCallID
            self.from = from
            self.to = to
        }
    }

    /// Said when there is no agent whose own line could be said.
    package static let unavailable =
        "I am sorry, nobody can take your call right now. Please try again later. Goodbye."

    private let parts: CallParts
    package init(_ parts: CallParts) { self.parts = parts }

    package func callAsFunction(_ number: OwnNumber, _ request: Request) async throws -> CarrierAnswer {
        let tenant = number.tenant
        let calls = CallStore(parts.database)
        if let known = try await calls.find(tenant, carrierCallID: request.carrierCallID) {
            return try await again(known)
        }
        guard number.isInboundEnabled, let agent = number.agent else {
            return .refuse(line: Self.unavailable)
        }
        let prices = try await PlanStore(parts.database).prices(for: tenant)
        let region = try await parts.database.tenantTransaction(tenant) {
            try await PlanStore.limits(tenant, in: $0).region
        }
        let place = try await LeaseStore(parts.database).place(region: region)
        let row = try await parts.database.tenantTransaction(tenant) { sql -> CallRow? in
            guard
                let release = try await PlanStore.release(
                    tenant, agent, version: number.agentVersion, in: sql)
            else { return nil }
            var call = NewCall(
                agent: release, direction: .inbound, from: request.from, to: request.to, region: region,
                prices: prices)
            call.credential = number.credential
            guard
                try await CallStore.adopt(tenant, carrierCallID: request.carrierCallID, as: call.id, in: sql)
            else { return nil }
            return try await admit(tenant, call, request, place, in: sql)
        }
        if let row { return try await again(row, place) }
        // No agent to answer, or a parallel request for the same call was first.
        guard let known = try await calls.find(tenant, carrierCallID: request.carrierCallID) else {
            return .refuse(line: Self.unavailable)
        }
        return try await again(known)
    }

    private func admit(
        _ tenant: ID<Tenant>, _ call: NewCall, _ request: Request, _ place: LeaseStore.Place?,
        in sql: PostgresTransaction
    ) async throws -> CallRow {
        // The wallet's lock also makes admissions of a tenant wait for each other, so that slots are
        // counted right.
        _ = try await LedgerStore.lock(tenant, in: sql)
        let limits = try await PlanStore.limits(tenant, in: sql)
        var reason: EndReason?
        let slots = try await CallStore.slots(tenant, in: sql)
        if !limits.isActive || slots >= limits.concurrency {
            reason = .rejected
        } else if place == nil {
            reason = .noWorker
        } else if try await !PlaceHold.first(tenant, call, in: sql) {
            reason = .noFunds
        }
        if let reason {
            let row = try await CallStore.insertRefused(
                tenant, call, reason: reason, carrierCallID: request.carrierCallID, in: sql)
            try await FactStore.note(row, "refused", ["reason": .string(reason.rawValue)], in: sql)
            try await WebhookStore.queue(
                tenant, "call.ended", about: row.id, CallMessage.ended(row, []), in: sql)
            return row
        }
        guard let place else { throw Fault(code: "calls.no_place", retry: .never, cause: "unreachable") }
        let row = try await CallStore.insertClaimed(
            tenant, call, worker: place.worker, carrierCallID: request.carrierCallID,
            within: MediaToken.lifetime, in: sql)
        try await FactStore.note(row, "admitted", ["worker": .string(place.worker.description)], in: sql)
        return row
    }

    /// What a call's row says the carrier should do.
    private func again(_ call: CallRow, _ place: LeaseStore.Place? = nil) async throws -> CarrierAnswer {
        if call.state == .ended {
            return call.times.answered == nil && call.connectedMs == 0
                ? .refuse(line: try await line(of: call)) : .hangUp
        }
        if let place { return .connect(call, to: place) }
        guard let worker = call.worker, let place = try await LeaseStore(parts.database).place(of: worker)
        else {
            return try await ContinueCall(parts)(call, carrierStatus: nil)
        }
        return .connect(call, to: place)
    }

    private func line(of call: CallRow) async throws -> String {
        guard call.endReason == .noFunds else { return Self.unavailable }
        return try await parts.database.tenantTransaction(call.tenant) { sql in
            try await PlanStore.definition(call.agent, version: call.agentVersion, in: sql).lines.noFunds
        }
    }
}
