package import Base
import Billing
package import CallDispatch
import Store

/// Holds the next minute of a live call.
package struct ExtendHold: Sendable {
    private let parts: CallParts
    package init(_ parts: CallParts) { self.parts = parts }

    /// `number` counts a call's extensions from 1: asking again for one that was made changes nothing.
    ///
    /// - Throws: `Refusal`: not_found, stale_epoch.
    package func callAsFunction(
        _ tenant: ID<Tenant>, _ call: ID<Call>, epoch: Int, number: Int
    ) async throws -> HoldAnswer {
        try await parts.database.tenantTransaction(tenant) { sql in
            guard let row = try await CallStore.lock(tenant, call, in: sql) else { throw Refusal.noSuchCall }
            guard row.epoch == epoch, row.state != .ended, row.state != .queued else {
                throw Refusal.staleEpoch
            }
            let balances = try await LedgerStore.lock(tenant, in: sql)
            guard var hold = try await LedgerStore.hold(of: call, in: sql) else { throw Refusal.noSuchCall }
            guard number > hold.number else { return .funded(untilMs: hold.fundedMs) }
            let used = Settlement(slices: try await FactStore.slices(of: call, in: sql), prices: row.prices)
                .total
            let more = max(
                .zero, row.prices.required(for: hold, used: used, components: row.components) - hold.amount)
            guard let postings = Ledger.hold(more, from: balances) else { return .refused }
            do {
                try hold.extend(by: more)
            } catch {
                throw Refusal.staleEpoch
            }
            guard try await LedgerStore.record(tenant, .hold, call, number: hold.number, postings, in: sql)
            else {
                throw Fault(
                    code: "ledger.entry_exists", retry: .never, cause: "hold \(hold.number) of \(call)")
            }
            try await LedgerStore.update(hold, of: call, in: sql)
            return .funded(untilMs: hold.fundedMs)
        }
    }
}
