import Base
import ControlPlane
import HTTPTypes
import HummingbirdTesting
import Metrics
import Postgres
import Store
import TestKit
import Testing

@Suite struct HealthTests {
    @Test func aFreshPlatformIsAliveAndReady() async throws {
        try await TestPlatform.with { platform in
            #expect(try await platform.get("/healthz", key: nil).json["status"]?.string == "ok")
            let ready = try await platform.get("/readyz", key: nil)
            #expect(ready.status == 200)
            #expect(ready.json["checks"]?["database"]?.string == "ok")
            #expect(try await platform.get("/openapi.yaml", key: nil).text.hasPrefix("openapi: 3.1"))
        }
    }

    @Test func aMissingPartitionOfNextMonthFailsReadiness() async throws {
        try await TestPlatform.with { platform in
            _ = try await platform.raw.query(
                "CREATE TABLE slices (id uuid NOT NULL, tenant_id uuid NOT NULL) PARTITION BY RANGE (id)")
            let ready = try await platform.get("/readyz", key: nil)
            #expect(ready.status == 503)
            #expect(ready.json["checks"]?["database"]?.string?.contains("slices_") == true)
            let keeper = PartitionKeeper(platform.database)
            #expect(try await keeper.keep() == Migrator.partitionsAheadMonths + 2)
            #expect(try await keeper.keep() == 0)
            #expect(try await platform.get("/readyz", key: nil).status == 200)
            // An id of any moment up to the last partition finds its place.
            var random = SeededGenerator(seed: 3)
            for days in [0, 20, 45, 75] {
                let moment = Timestamp.current + .seconds(days * 86_400)
                let id = ID<Call>.make(at: moment, using: &random)
                _ = try await platform.raw.query(
                    "INSERT INTO slices VALUES ($1, $1)", [.text(id.uuidString)])
            }
        }
    }

    @Test func figuresCarryTheRoutesTemplateAndNoIds() async throws {
        try await TestPlatform.with { platform in
            _ = try await platform.get("/v1/tenants/tenant_" + String(repeating: "1", count: 32))
            _ = try await platform.get("/v1/nothing/of-the-kind")
            let text = try await platform.get("/metrics", key: nil).text
            let name = "parley_http_request_duration_seconds_count"
            #expect(
                text.contains("\(name){route=\"/v1/tenants/{id}\",method=\"GET\",status=\"404\"} 1\n"),
                "\(text)")
            #expect(text.contains("\(name){route=\"NotFound\",method=\"GET\",status=\"404\"} 1\n"))
            #expect(!text.contains("1111"))
            #expect(text.contains("parley_postgres_connections_open{pool=\"admission\"}"))
        }
        let prometheus = Prometheus()
        let timer = prometheus.makeTimer(label: "http.seconds", dimensions: [("route", "/v1/a\"b")])
        timer.recordNanoseconds(3_000_000)
        timer.recordNanoseconds(400_000_000_000)
        prometheus.makeCounter(label: "calls", dimensions: []).increment(by: 2)
        prometheus.makeCounter(label: "calls", dimensions: []).increment(by: 1)
        prometheus.makeMeter(label: "live", dimensions: []).set(1.5)
        #expect(prometheus.text.contains("# TYPE http_seconds histogram\n"))
        #expect(prometheus.text.contains("http_seconds_bucket{route=\"/v1/a\\\"b\",le=\"0.005\"} 1\n"))
        #expect(prometheus.text.contains("http_seconds_bucket{route=\"/v1/a\\\"b\",le=\"+Inf\"} 2\n"))
        #expect(prometheus.text.contains("calls 3\n"))
        #expect(prometheus.text.contains("live 1.5\n"))
    }

    @Test func aBodyThatIsTooLargeIsRefusedBeforeItIsRead() async throws {
        try await TestPlatform.with(.live) { platform in
            let large = String(repeating: "x", count: 10 << 20)
            let answer = try await platform.send(.post, "/v1/tenants", text: large)
            #expect(answer.status == 413)
            #expect(answer.code == "body_too_large")
            #expect(answer.header("Connection") == "close")
        }
    }
}
