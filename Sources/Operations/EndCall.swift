package import Base
package import CallDispatch
package import Store

/// Ends a call for the operator or the customer: at once while it waits, politely once a worker has it. One that
/// rings has nobody to be polite to: the caller of this hangs it up at `carrier(of:)`, whoever its worker is.
package struct EndCall: Sendable {
    private let parts: CallParts
    package init(_ parts: CallParts) { self.parts = parts }

    /// Repeating it, or ending what has ended, changes nothing. nil: there is no such call.
    package func callAsFunction(_ tenant: ID<Tenant>, _ call: ID<Call>) async throws -> CallRow? {
        try await parts.database.tenantTransaction(tenant) { sql in
            guard let row = try await CallStore.lock(tenant, call, in: sql) else { return nil }
            switch row.state {
            case .ended: return row
            case .queued: return try await SettleCall.end(row, .requested, in: sql)
            case .claimed, .dialing, .inProgress:
                // The worker hears of it with its next renewal; the sweeper ends what it does not.
                try await CallStore.requestEnd(row, in: sql)
                if row.times.endRequested == nil { try await FactStore.note(row, "end_requested", in: sql) }
                return try await CallStore.lock(tenant, call, in: sql)
            }
        }
    }

    /// Where a call rings; nil when it does not, or the carrier's id of it is not known yet.
    package func carrier(of call: CallRow) async throws -> CarrierAccount? {
        guard call.state == .dialing, call.carrierCallID != nil else { return nil }
        let plan = try await MakePlan(parts, tenant: call.tenant)
        return try await parts.database.tenantTransaction(call.tenant) {
            try await plan.carrier(of: call, in: $0)
        }
    }

    /// The carrier has hung up a call that rang.
    package func hungUp(_ call: CallRow) async throws -> CallRow {
        try await RecordCarrierStatus(parts)(
            call.tenant, call.id, status: "canceled", carrierCallID: call.carrierCallID)
        return try await CallStore(parts.database).find(call.tenant, call.id) ?? call
    }
}
