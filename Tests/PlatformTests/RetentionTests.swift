import Base
import Store
import Testing

@Test func whatHasServedItsPurposeIsForgottenInTime() async throws {
    try await CallBench.with { bench in
        let tenant = bench.tenant.uuidString
        func message(_ days: Int, _ state: String) async throws {
            let (id, endpoint) = (ID<WebhookMessage>.new().uuidString, ID<WebhookEndpoint>.new().uuidString)
            let statements = [
                """
                INSERT INTO webhook_endpoints (tenant_id, id, url, events, sealed_secret)
                    VALUES ('\(tenant)', '\(endpoint)', 'https://x.test', '{*}', '')
                """,
                """
                INSERT INTO webhook_messages (tenant_id, id, subject_id, type, body, created_at)
                    VALUES ('\(tenant)', '\(id)', '\(id)', 'call.ended', '{}', now() - interval '\(days) days')
                """,
                """
                INSERT INTO webhook_deliveries (tenant_id, message_id, endpoint_id, state)
                    VALUES ('\(tenant)', '\(id)', '\(endpoint)', '\(state)')
                """,
                """
                INSERT INTO carrier_calls (tenant_id, carrier_call_id, call_id, created_at)
                    VALUES ('\(tenant)', 'CA\(days)\(state)', '\(id)', now() - interval '\(days * 3) days')
                """,
            ]
            for statement in statements { try await bench.superuser(statement) }
        }
        try await message(29, "delivered")
        try await message(31, "delivered")
        try await message(31, "failed")
        try await message(400, "pending")
        let store = RetentionStore(bench.database)
        // Two messages that are done with, and three carrier's calls of 93 days and more.
        #expect(try await store.sweep() == 5)
        #expect(try await bench.number("SELECT count(*) FROM webhook_messages") == 2)
        #expect(try await bench.number("SELECT count(*) FROM webhook_deliveries") == 2)
        #expect(
            try await bench.number("SELECT count(*) FROM webhook_deliveries WHERE state = 'pending'") == 1)
        #expect(try await bench.number("SELECT count(*) FROM carrier_calls") == 1)
        #expect(try await store.sweep() == 0)
    }
}
