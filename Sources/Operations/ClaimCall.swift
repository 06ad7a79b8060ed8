package import Base
package import CallDispatch
import Store

/// Gives a waiting call to the worker that asks first: one statement, one winner, a higher epoch.
package struct ClaimCall: Sendable {
    private let parts: CallParts
    package init(_ parts: CallParts) { self.parts = parts }

    /// nil when the call is not waiting any more, or cannot be carried (then it has ended).
    package func callAsFunction(
        _ tenant: ID<Tenant>, _ call: ID<Call>, worker: ID<Worker>
    ) async throws -> Plan? {
        let makePlan = try await MakePlan(parts, tenant: tenant)
        return try await parts.database.tenantTransaction(tenant) { sql in
            guard let row = try await CallStore.claim(tenant, call, worker: worker, in: sql) else {
                return nil
            }
            guard let plan = try await makePlan(row, in: sql) else {
                try await FactStore.note(row, "no_credential", in: sql)
                try await SettleCall.end(row, .carrierFailed, in: sql)
                return nil
            }
            try await FactStore.note(row, "claimed", ["worker": .string(worker.description)], in: sql)
            return plan
        }
    }
}
