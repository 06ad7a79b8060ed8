import Base
import Postgres

/// Forgets rows that have served their purpose; called by the dialer's housekeeping.
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
}
