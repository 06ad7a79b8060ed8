package import Base
import Billing
import CallDispatch
import Foundation
package import Postgres

/// The calls themselves: written once, moved forward under a lock on their row.
///
/// Functions with `in sql` take part in the caller's SQL transaction. Locks are taken in one order
/// everywhere: the call's row, then the wallet's.
package struct CallStore: Sendable {
    let database: Database
    package init(_ database: Database) { self.database = database }

    package func find(_ tenant: ID<Tenant>, _ call: ID<Call>) async throws -> CallRow? {
        try await database.tenant(
            tenant, "SELECT \(CallRow.columns) FROM calls WHERE id = $1", [.id(call)]
        ).rows.first.map(CallRow.init)
    }

    /// The call and a lock on it until the transaction ends.
    package static func lock(
        _ tenant: ID<Tenant>, _ call: ID<Call>, in sql: PostgresTransaction
    ) async throws -> CallRow? {
        try await sql.query(
            "SELECT \(CallRow.columns) FROM calls WHERE id = $1 AND tenant_id = $2 FOR UPDATE",
            [.id(call), .id(tenant)]
        ).rows.first.map(CallRow.init)
    }

    /// Which tenant a call belongs to, for carriers that know only its id.
    package func tenant(of call: ID<Call>) async throws -> ID<Tenant>? {
        try await database.platform("SELECT tenant_id FROM calls WHERE id = $1", [.id(call)])
            .rows.first?.id("tenant_id")
    }

    /// Slots in use: rung or live calls.
    package static func slots(_ tenant: ID<Tenant>, in sql: PostgresTransaction) async throws -> Int {
        let found = try await sql.query(
            """
            SELECT count(*) AS n FROM calls WHERE tenant_id = $1 AND state <>
                'ended' AND released_at IS NOT NULL
            """,
            [.id(tenant)])
        return Int(try found.rows[0].int("n"))
    }

    /// Writes a waiting outbound call and its outbox row.
    package static func insertQueued(
        _ tenant: ID<Tenant>, _ call: NewCall, in sql: PostgresTransaction
    ) async throws -> CallRow {
        let row = try await insert(tenant, call, in: sql, more: "state", values: "'queued'", [])
        _ = try await sql.query(
            "INSERT INTO outbox (tenant_id, call_id, region) VALUES ($1, $2, $3)",
            [.id(tenant), .id(call.id), .text(call.region)])
        _ = try await sql.query("SELECT pg_notify('\(OutboxStore.channel)', '')")
        return row
    }

    /// Writes an inbound call that `worker` will carry: its stream must come within `within`.
    package static func insertClaimed(
        _ tenant: ID<Tenant>, _ call: NewCall, worker: ID<Worker>, carrierCallID: String, within: Duration,
        in sql: PostgresTransaction
    ) async throws -> CallRow {
        let row = try await insert(
            tenant, call, in: sql,
            more:
                """
                state, epoch, worker_id, carrier_call_id, claimed_at,
                    released_at, last_seen_at, media_due_at
                """,
            values:
                """
                'claimed', 1, $\(next), $\(next + 1), now(), now(), now(), now() +
                    make_interval(secs => $\(next + 2))
                """,
            [.id(worker), .text(carrierCallID), .double(seconds(within))])
        try await insertEpoch(row, in: sql)
        return row
    }

    /// Writes an inbound call that was refused before it began: over, and free.
    package static func insertRefused(
        _ tenant: ID<Tenant>, _ call: NewCall, reason: EndReason, carrierCallID: String,
        in sql: PostgresTransaction
    ) async throws -> CallRow {
        try await insert(
            tenant, call, in: sql, more: "state, carrier_call_id, end_reason, ended_at, cost_nanos",
            values: "'ended', $\(next), $\(next + 1), now(), 0",
            [.text(carrierCallID), .text(reason.rawValue)])
    }

    /// Number of the first parameter after those of `insert`.
    private static let next = 17

    private static func insert(
        _ tenant: ID<Tenant>, _ call: NewCall, in sql: PostgresTransaction, more: String, values: String,
        _ parameters: [PostgresValue]
    ) async throws -> CallRow {
        let rates = String(decoding: try JSONEncoder().encode(call.prices.rates), as: UTF8.self)
        let found = try await sql.query(
            """
            INSERT INTO calls (id, tenant_id, agent_id, agent_version, direction, from_number, to_number,
                region,
                credential_id, variables, metadata, price_book_id, rates, components, max_seconds,
                    ring_seconds, \(more))
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11::jsonb, $12, $13::jsonb,
                $14::text[], $15, $16,
                \(values))
            RETURNING \(CallRow.columns)
            """,
            [
                .id(call.id), .id(tenant), .id(call.agent), .maybe(call.agentVersion),
                .text(call.direction.rawValue),
                .text(call.from.reveal), .text(call.to.reveal), .text(call.region), .maybe(call.credential),
                .json(.object(call.variables.mapValues(JSON.string))), .json(call.metadata),
                .id(call.prices.id),
                .text(rates), .texts(call.components.map(\.rawValue).sorted()), .maybe(call.maxSeconds),
                .maybe(call.ringSeconds),
            ] + parameters)
        return try CallRow(found.rows[0])
    }

    static func seconds(_ duration: Duration) -> Double { Double(duration.milliseconds) / 1000 }
}

// Carrier's calls.
extension CallStore {
    /// The call that a carrier's call became.
    package func find(_ tenant: ID<Tenant>, carrierCallID: String) async throws -> CallRow? {
        try await database.tenant(
            tenant,
            """
            SELECT \(CallRow.columns) FROM calls WHERE id = (
                SELECT call_id FROM carrier_calls WHERE tenant_id = $1 AND carrier_call_id = $2)
            """, [.id(tenant), .text(carrierCallID)]
        ).rows.first.map(CallRow.init)
    }

    /// False when the carrier's call is a call of ours already.
    package static func adopt(
        _ tenant: ID<Tenant>, carrierCallID: String, as call: ID<Call>, in sql: PostgresTransaction
    ) async throws -> Bool {
        try await sql.query(
            """
            INSERT INTO carrier_calls (tenant_id, carrier_call_id, call_id) VALUES
                ($1, $2, $3) ON CONFLICT DO NOTHING
            """,
            [.id(tenant), .text(carrierCallID), .id(call)]
        ).affected == 1
    }
}
