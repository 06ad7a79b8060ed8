package import Base
package import Billing
import CallDispatch
package import Postgres
import Store

/// Adds money to a tenant's wallet, in the caller's SQL transaction, whose idempotency record makes it
/// happen once.
package enum TopUp {
    package static let amountMax = Money.dollars(1_000_000)

    package struct Receipt: Sendable {
        package var entry: ID<Entry>
        package var balances: Ledger.Balances
    }

    /// - Throws: `Refusal` bad_amount.
    package static func make(
        _ tenant: ID<Tenant>, amount: Money, in sql: PostgresTransaction
    ) async throws -> Receipt {
        guard amount > .zero, amount <= amountMax else {
            throw Refusal(code: "bad_amount", message: "the amount must be above 0 and at most \(amountMax)")
        }
        var balances = try await LedgerStore.lock(tenant, in: sql)
        let entry = ID<Entry>.new()
        let postings = Ledger.topUp(amount, balances: balances)
        guard try await LedgerStore.record(tenant, .topUp, entry, number: 0, postings, in: sql) else {
            throw Fault(code: "ledger.entry_exists", retry: .never, cause: "\(entry)")
        }
        balances.apply(postings)
        return Receipt(entry: entry, balances: balances)
    }
}
