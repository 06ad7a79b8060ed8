package import Base
package import Billing
package import Postgres

/// Wallets, holds and the ledger. `Ledger` decides which money moves; here it is written, once.
///
/// Invariant: postings of a tenant are written only while its wallet's row is locked by the same SQL
/// transaction, so the sums kept there are those of its postings up to `position`.
package struct LedgerStore: Sendable {
    /// What an entry is about; with the causing thing's id and a number it is the entry's key.
    package enum Kind: String, Sendable { case hold, settlement, topUp = "top_up" }

    let database: Database
    package init(_ database: Database) { self.database = database }

    /// Zero for a tenant that never had money.
    package func balances(_ tenant: ID<Tenant>) async throws -> Ledger.Balances {
        let found = try await database.tenant(
            tenant, "SELECT available_nanos, held_nanos, debt_nanos FROM wallets WHERE tenant_id = $1",
            [.id(tenant)])
        return try found.rows.first.map(Self.balances) ?? Ledger.Balances()
    }

    /// The wallet, made if there is none, locked until the transaction ends. All of a tenant's money waits
    /// in line here.
    package static func lock(_ tenant: ID<Tenant>, in sql: PostgresTransaction) async throws
        -> Ledger.Balances
    {
        let statement = """
            SELECT available_nanos, held_nanos, debt_nanos FROM wallets WHERE tenant_id = $1 FOR UPDATE
            """
        if let row = try await sql.query(statement, [.id(tenant)]).rows.first { return try balances(row) }
        _ = try await sql.query(
            "INSERT INTO wallets (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING", [.id(tenant)])
        _ = try await sql.query(
            """
            INSERT INTO ledger_accounts (tenant_id, account) SELECT $1, unnest($2::text[]) ON CONFLICT DO
                NOTHING
            """, [.id(tenant), .texts(Ledger.Account.allCases.map(\.rawValue))])
        guard let row = try await sql.query(statement, [.id(tenant)]).rows.first else {
            throw Fault(
                code: "store.no_wallet", retry: .after(.milliseconds(50)), cause: "wallet not visible")
        }
        return try balances(row)
    }

    /// Writes an entry once and moves the wallet with it. Needs the wallet's lock.
    /// - Returns: false when the entry is there already; then nothing is written.
    package static func record<Of: Entity>(
        _ tenant: ID<Tenant>, _ kind: Kind, _ cause: ID<Of>, number: Int, _ postings: [Ledger.Posting],
        in sql: PostgresTransaction
    ) async throws -> Bool {
        let key: [PostgresValue] = [.id(tenant), .id(cause), .text(kind.rawValue), .maybe(number)]
        let written = try await sql.query(
            """
            INSERT INTO ledger_entries (tenant_id, id, kind, number) VALUES ($1, $2, $3, $4) ON
                CONFLICT DO NOTHING
            """,
            key)
        guard written.affected == 1 else { return false }
        guard !postings.isEmpty else { return true }
        _ = try await sql.query(
            """
            WITH added AS (
                INSERT INTO ledger_postings (tenant_id, entry_id, kind, number, account, amount_nanos)
                SELECT $1, $2, $3, $4, account, amount FROM unnest($5::text[], $6::bigint[]) AS p (account,
                    amount)
                RETURNING account, amount_nanos, position)
            UPDATE wallets SET
                available_nanos = available_nanos
                    + coalesce((SELECT sum(amount_nanos) FROM added WHERE account = 'available'), 0)::bigint,
                held_nanos = held_nanos
                    + coalesce((SELECT sum(amount_nanos) FROM added WHERE account = 'held'), 0)::bigint,
                debt_nanos = debt_nanos
                    + coalesce((SELECT sum(amount_nanos) FROM added WHERE account = 'debt'), 0)::bigint,
                position = (SELECT max(position) FROM added)
            WHERE tenant_id = $1
            """,
            key + [
                .texts(postings.map(\.account.rawValue)),
                .text("{" + postings.map { String($0.amount.nanos) }.joined(separator: ",") + "}"),
            ])
        return true
    }

    private static func balances(_ row: PostgresRow) throws -> Ledger.Balances {
        Ledger.Balances(
            available: Money(nanos: try row.int("available_nanos")),
            held: Money(nanos: try row.int("held_nanos")),
            debt: Money(nanos: try row.int("debt_nanos")))
    }
}

// Holds: one a call.
extension LedgerStore {
    package static func open(
        _ tenant: ID<Tenant>, _ call: ID<Call>, _ hold: Billing.Hold, in sql: PostgresTransaction
    ) async throws {
        _ = try await sql.query(
            "INSERT INTO holds (tenant_id, call_id, amount_nanos, number) VALUES ($1, $2, $3, $4)",
            [.id(tenant), .id(call), .int(hold.amount.nanos), .maybe(hold.number)])
    }

    /// nil for a call that never had one. Lock the call or the wallet first.
    package static func hold(of call: ID<Call>, in sql: PostgresTransaction) async throws -> Billing.Hold? {
        let found = try await sql.query(
            "SELECT amount_nanos, number, state, captured_nanos FROM holds WHERE call_id = $1", [.id(call)])
        guard let row = found.rows.first else { return nil }
        let state: Billing.Hold.State =
            switch try row.text("state") {
            case "open": .open
            case "released": .released
            default: .captured(Money(nanos: try row.int("captured_nanos")))
            }
        return Billing.Hold(
            amount: Money(nanos: try row.int("amount_nanos")), number: Int(try row.int("number")),
            state: state)
    }

    package static func update(
        _ hold: Billing.Hold, of call: ID<Call>, in sql: PostgresTransaction
    ) async throws {
        let (state, captured): (String, Money) =
            switch hold.state {
            case .open: ("open", .zero)
            case .captured(let amount): ("captured", amount)
            case .released: ("released", .zero)
            }
        _ = try await sql.query(
            """
            UPDATE holds SET amount_nanos = $2, number = $3, state = $4, captured_nanos = $5,
                closed_at = CASE WHEN $4 = 'open' THEN NULL ELSE now() END
            WHERE call_id = $1 AND state = 'open'
            """,
            [.id(call), .int(hold.amount.nanos), .maybe(hold.number), .text(state), .int(captured.nanos)])
    }
}
