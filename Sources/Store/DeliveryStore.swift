package import Base
import Postgres

/// Webhook messages on their way, for all tenants.
package struct DeliveryStore: Sendable {
    package struct Due: Sendable {
        package var tenant: ID<Tenant>
        package var message: ID<WebhookMessage>
        package var endpoint: ID<WebhookEndpoint>
        package var url: String
        package var sealedSecret: [UInt8]
        package var body: String
        /// Tries before this one.
        package var attempts: Int
    }

    private let database: Database
    package init(_ database: Database) { self.database = database }

    /// Takes deliveries that are due. They are nobody else's for `lease`: a sender that dies leaves them to
    /// the next. At most `perEndpoint` of one endpoint at once, so that a dead one cannot hold back the
    /// rest.
    package func take(limit: Int, perEndpoint: Int, lease: Duration) async throws -> [Due] {
        let found = try await database.platform(
            """
            WITH due AS (SELECT tenant_id, message_id, endpoint_id FROM (
                    SELECT *, row_number() OVER (PARTITION BY endpoint_id ORDER BY next_at) AS place
                    FROM (SELECT * FROM webhook_deliveries WHERE state = 'pending' AND next_at <= now()
                        ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS locked) AS ranked
                WHERE place <= $3 LIMIT $1),
            taken AS (UPDATE webhook_deliveries d SET attempts = attempts + 1,
                    next_at = now() + make_interval(secs => $4)
                FROM due WHERE (d.tenant_id, d.message_id, d.endpoint_id)
                    = (due.tenant_id, due.message_id, due.endpoint_id)
                RETURNING d.tenant_id, d.message_id, d.endpoint_id, d.attempts)
            SELECT taken.*, e.url, e.sealed_secret, m.body FROM taken
            JOIN webhook_endpoints e ON e.tenant_id = taken.tenant_id AND e.id = taken.endpoint_id
            JOIN webhook_messages m ON m.tenant_id = taken.tenant_id AND m.id = taken.message_id
            """,
            [.maybe(limit), .maybe(limit * 10), .maybe(perEndpoint), .double(CallStore.seconds(lease))])
        return try found.rows.map { row in
            Due(
                tenant: try row.id("tenant_id"), message: try row.id("message_id"),
                endpoint: try row.id("endpoint_id"),
                url: try row.text("url"), sealedSecret: try row.bytes("sealed_secret"),
                body: try row.text("body"),
                attempts: Int(try row.int("attempts")) - 1)
        }
    }

    package func delivered(_ due: Due, status: Int) async throws {
        try await update(
            due, "state = 'delivered', delivered_at = now(), last_status = $4, last_error = $5", status, nil)
    }

    /// `retry` nil: given up.
    package func failed(_ due: Due, status: Int?, error: String, retry: Duration?) async throws {
        let next =
            retry.map { "next_at = now() + make_interval(secs => \(CallStore.seconds($0)))" }
            ?? "state = 'failed'"
        try await update(due, "\(next), last_status = $4, last_error = $5", status, error)
    }

    /// The endpoint said 410: it wants no more.
    package func disable(_ due: Due) async throws {
        _ = try await database.platform(
            "UPDATE webhook_endpoints SET is_enabled = false WHERE tenant_id = $1 AND id = $2",
            [.id(due.tenant), .id(due.endpoint)])
    }

    private func update(_ due: Due, _ changes: String, _ status: Int?, _ error: String?) async throws {
        _ = try await database.platform(
            """
            UPDATE webhook_deliveries SET \(changes)
            WHERE tenant_id = $1 AND message_id = $2 AND endpoint_id = $3
            """, [.id(due.tenant), .id(due.message), .id(due.endpoint), .maybe(status), .maybe(error)])
    }
}
