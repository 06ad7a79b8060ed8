package import Base
import Postgres

/// Forgets what has served its purpose; called by the dialer's housekeeping. Of calls it knows which are due, and forgets the
/// rows once their files are gone (`ForgetCall`).
package struct RetentionStore: Sendable {
    private static let day: Duration = .seconds(24 * 3600)
    /// Messages to webhooks, with what became of their deliveries. One still being tried is kept.
    package static let webhookMessages: Duration = day * 30
    /// Which of a carrier's calls are known: longer than any carrier repeats a webhook.
    package static let carrierCalls: Duration = day * 90
    /// Rows of each kind deleted in one statement.
    package static let batchMax = 10_000

    private let database: Database
    package init(_ database: Database) { self.database = database }

    /// - Returns: how many rows; a multiple of `batchMax` may mean that there are more.
    package func sweep() async throws -> Int {
        let messages = try await database.platform(
            """
            DELETE FROM webhook_messages WHERE (tenant_id, id) IN (
                SELECT tenant_id, id FROM webhook_messages m WHERE created_at < now() - make_interval(secs => $1)
                    AND NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.tenant_id = m.tenant_id
                        AND d.message_id = m.id AND d.state = 'pending')
                ORDER BY created_at LIMIT $2)
            """, [.double(CallStore.seconds(Self.webhookMessages)), .maybe(Self.batchMax)]
        ).affected
        let calls = try await database.platform(
            """
            DELETE FROM carrier_calls WHERE (tenant_id, carrier_call_id) IN (
                SELECT tenant_id, carrier_call_id FROM carrier_calls
                WHERE created_at < now() - make_interval(secs => $1) ORDER BY created_at LIMIT $2)
            """, [.double(CallStore.seconds(Self.carrierCalls)), .maybe(Self.batchMax)]
        ).affected
        return messages + calls
    }

    package typealias Due = (tenant: ID<Tenant>, call: ID<Call>)

    /// Calls that ended longer ago than their tenant keeps what was said, by id, those after `after`; at most `dueMax`.
    package static let dueMax = 200
    package func due(after: ID<Call>?) async throws -> [Due] {
        try await database.platform(
            """
            SELECT c.tenant_id, c.id FROM tenants t JOIN calls c ON c.tenant_id = t.id
            WHERE t.retention_days > 0 AND c.state = 'ended' AND c.forgotten_at IS NULL
                AND c.ended_at < now() - make_interval(days => t.retention_days)
                AND ($1::uuid IS NULL OR c.id > $1::uuid)
            ORDER BY c.id LIMIT $2
            """, [.maybe(after), .maybe(Self.dueMax)]
        ).rows.map { (try $0.id("tenant_id"), try $0.id("id")) }
    }

    /// The words, variables and file names of a call that is over. Doing it again changes nothing.
    package func forget(_ tenant: ID<Tenant>, _ call: ID<Call>) async throws {
        try await database.tenantTransaction(tenant) { sql in
            // First, so that no report that comes meanwhile adds to it.
            let ended = try await sql.query(
                """
                UPDATE calls SET forgotten_at = coalesce(forgotten_at, now()), variables = '{}'
                WHERE id = $1 AND state = 'ended'
                """, [.id(call)])
            guard ended.affected == 1 else { return }
            _ = try await sql.query("DELETE FROM call_turns WHERE call_id = $1", [.id(call)])
            _ = try await sql.query("DELETE FROM call_artifacts WHERE call_id = $1", [.id(call)])
        }
    }
}
