import Base
import CallDispatch
import Foundation
import HTTPTypes
import Operations
import Store
import TestKit
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

/// A call of which everything was kept, ended so many days ago.
private func remembered(_ site: CallSite, daysAgo: Int) async throws -> ID<Call> {
    let bench = site.bench
    let call = try await bench.connected().id
    try await bench.tell(call, 3, turn(1))
    let directory = site.recordings.path + "/\(call)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for (place, kind) in [ArtifactKind.recording, .journal].enumerated() {
        try await bench.tell(
            call, 4 + place, .artifactStarted(kind: kind, path: "\(call)/1.\(kind.rawValue)"))
        try Data("words".utf8).write(to: URL(filePath: directory + "/1.\(kind.rawValue)"))
    }
    try await bench.tell(call, 6, .ended(.agentEnded, connectedMs: 60_000, usage: []))
    _ = try await bench.superuser(
        """
        UPDATE calls SET ended_at = now() - interval '\(daysAgo) days', variables = '{"name": "Ann"}'
        WHERE id = '\(call.uuidString)'
        """)
    return call
}

private func turn(_ number: Int) -> CallFact {
    .turn(
        .init(
            number: number, speaker: "caller", text: "My name is Ann", startMs: 100, endMs: 900,
            wasInterrupted: false, stages: [:]))
}

@Test func callsAreForgottenWhenTheirTenantKeepsThemNoLonger() async throws {
    try await CallSite.with { site in
        let bench = site.bench
        let (old, young) = (try await remembered(site, daysAgo: 31), try await remembered(site, daysAgo: 29))
        let forget = ForgetCall(bench.database, recordings: site.recordings.path)
        var troubles: [String] = []
        // Kept for good unless the tenant says otherwise.
        #expect(try await forget.sweep { _, error in troubles.append("\(error)") } == 0)
        _ = try await bench.superuser("UPDATE tenants SET retention_days = 30")
        #expect(try await forget.sweep { _, error in troubles.append("\(error)") } == 1)
        #expect(try await forget.sweep { _, error in troubles.append("\(error)") } == 0)
        #expect(troubles == [])
        func files(_ call: ID<Call>) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: site.recordings.path + "/\(call)").sorted()
        }
        #expect(try files(old) == [])
        #expect(try files(young) == ["1.journal", "1.recording"])
        let read = try await site.send(.get, "/v1/calls/\(old)").json
        #expect(read["variables"] == [:] && read["forgotten_at"]?.string != nil && read["cost"] == "0.034")
        #expect(try await site.send(.get, "/v1/calls/\(old)/transcript").json["turns"] == [])
        #expect(try await site.send(.get, "/v1/calls/\(old)/journal").status == 404)
        #expect(try await site.send(.get, "/v1/calls/\(young)/transcript").text.contains("Ann"))
        // What a worker tells late of a forgotten call is not kept, and is not told again for ever.
        #expect(try await bench.tell(old, 7, turn(2)).fenced.isEmpty)
        #expect(try await site.send(.get, "/v1/calls/\(old)/transcript").json["turns"] == [])
        #expect(try await bench.moneyProblems() == [])
    }
}

@Test func aCallIsForgottenOnRequestOnceItIsOver() async throws {
    try await CallSite.with { site in
        let running = try await site.bench.connected().id
        let refused = try await site.send(.delete, "/v1/calls/\(running)/content")
        #expect(refused.status == 409 && refused.json["code"] == "call_not_over")
        let call = try await remembered(site, daysAgo: 0)
        for _ in 0..<2 {
            #expect(try await site.send(.delete, "/v1/calls/\(call)/content").status == 204)
            #expect(try await site.send(.get, "/v1/calls/\(call)/transcript").json["turns"] == [])
            #expect(try await site.send(.get, "/v1/calls/\(call)/recording").status == 404)
        }
        #expect(try await site.send(.delete, "/v1/calls/\(ID<Call>.new())/content").status == 404)
    }
}
