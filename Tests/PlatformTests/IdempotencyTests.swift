import Base
import ControlPlane
import Postgres
import Store
import TestKit
import Testing

@Suite struct IdempotencyTests {
    @Test func aRepeatedCreateAnswersTheSameAndMakesOne() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            let headers = ["Idempotency-Key": "order-1"]
            let body: JSON = ["name": "ci", "scopes": ["agents:read"]]
            let first = try await platform.post("/v1/api-keys", body, key: acme.key, headers: headers)
            let second = try await platform.post("/v1/api-keys", body, key: acme.key, headers: headers)
            #expect(first.status == 201)
            #expect(first.header("Idempotent-Replayed") == nil)
            #expect(second.status == 201)
            #expect(second.header("Idempotent-Replayed") == "true")
            #expect(second.text == first.text)
            #expect(second.header("Location") == first.header("Location"))
            let other = try await platform.post(
                "/v1/api-keys", ["name": "cd", "scopes": ["agents:read"]], key: acme.key, headers: headers)
            #expect(other.status == 422)
            #expect(other.code == "idempotency_mismatch")
            let rows = try await platform.raw.query(
                "SELECT encode(sealed_answer, 'escape') AS answer FROM idempotency_keys WHERE key = 'order-1'"
            )
            let secret = first.json["key"]?.string ?? "?"
            #expect(
                try !rows.rows[0].text("answer").contains(secret), "an answer with a new key is stored sealed"
            )
        }
    }

    @Test func twoTenantsMayUseTheSameKey() async throws {
        try await TestPlatform.with { platform in
            let (a, b) = (try await platform.makeTenant("A"), try await platform.makeTenant("B"))
            let headers = ["Idempotency-Key": "k"]
            let body: JSON = ["name": "x", "definition": TestPlatform.definition]
            let first = try await platform.post("/v1/agents", body, key: a.key, headers: headers)
            let second = try await platform.post("/v1/agents", body, key: b.key, headers: headers)
            #expect(first.status == 201 && second.status == 201)
            #expect(first.id != second.id)
        }
    }

    @Test func aHundredAtOnceMakeOne() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            let body: JSON = ["name": "x", "definition": TestPlatform.definition]
            let answers = try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        try await platform.post(
                            "/v1/agents", body, key: acme.key, headers: ["Idempotency-Key": "burst"])
                    }
                }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0.status == 201 || $0.status == 409 })
            #expect(answers.filter { $0.status == 409 }.allSatisfy { $0.header("Retry-After") == "1" })
            #expect(answers.filter { $0.status == 201 && $0.header("Idempotent-Replayed") == nil }.count == 1)
            #expect(Set(answers.filter { $0.status == 201 }.map(\.id)).count == 1)
            let list = try await platform.get("/v1/agents", key: acme.key)
            #expect(list.json["data"]?.array?.count == 1)
        }
    }

    @Test func aRefusalLeavesTheKeyFree() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            let credential = try await platform.makeCredential(key: acme.key)
            let headers = ["Idempotency-Key": "n1"]
            let bad = try await platform.post(
                "/v1/phone-numbers", ["number": "0900"], key: acme.key, headers: headers)
            #expect(bad.status == 422)
            let missing = try await platform.post(
                "/v1/phone-numbers",
                [
                    "number": "+14155550100",
                    "credential_id": .string("credential_" + String(repeating: "1", count: 32)),
                ],
                key: acme.key, headers: headers)
            #expect(missing.code == "unknown_credential")
            let good = try await platform.post(
                "/v1/phone-numbers", ["number": "+14155550100", "credential_id": .string(credential)],
                key: acme.key,
                headers: headers)
            #expect(good.status == 201)
        }
    }

    @Test func aKeyThatIsTooLongOrOddIsRefused() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            let body: JSON = ["name": "x", "definition": TestPlatform.definition]
            for key in [String(repeating: "k", count: 256), "", "né"] {
                let answer = try await platform.post(
                    "/v1/agents", body, key: acme.key, headers: ["Idempotency-Key": key])
                #expect(answer.code == "bad_idempotency_key", "\(key.prefix(5)) \(answer.text)")
            }
            let longest = try await platform.post(
                "/v1/agents", body, key: acme.key,
                headers: ["Idempotency-Key": String(repeating: "k", count: IdempotencyKey.lengthMax)])
            #expect(longest.status == 201)
        }
    }

    @Test func aWeekOldKeyIsForgotten() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            let body: JSON = ["name": "x", "definition": TestPlatform.definition]
            let headers = ["Idempotency-Key": "old"]
            let first = try await platform.post("/v1/agents", body, key: acme.key, headers: headers)
            _ = try await platform.raw.query(
                "UPDATE idempotency_keys SET created_at = now() - interval '8 days'")
            let second = try await platform.post("/v1/agents", body, key: acme.key, headers: headers)
            #expect(second.status == 201)
            #expect(second.id != first.id)
            _ = try await platform.raw.query(
                "UPDATE idempotency_keys SET created_at = now() - interval '8 days'")
            #expect(try await IdempotencyStore(platform.database, vault: platform.parts.vault).sweep() == 1)
        }
    }

    @Test func aCreateThatBreaksHalfwayLeavesNeitherEffectNorRecord() async throws {
        struct Broken: Error {}
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            let tenant = try #require(ID<Tenant>(acme.id))
            let store = IdempotencyStore(platform.database, vault: platform.parts.vault)
            let key = IdempotencyKey(key: "half", fingerprint: [1])
            let insert = """
                INSERT INTO agents (tenant_id, id, name, latest_version) VALUES ($1, gen_random_uuid(), 'half', 1)
                """
            await #expect(throws: Broken.self) {
                _ = try await store.once(tenant, key: key) { sql in
                    _ = try await sql.query(insert, [.id(tenant)])
                    throw Broken()
                }
            }
            let left = try await platform.raw.query(
                "SELECT (SELECT count(*) FROM agents) + (SELECT count(*) FROM idempotency_keys) AS n")
            #expect(try left.rows[0].int("n") == 0)
            let again = try await store.once(tenant, key: key) { sql in
                _ = try await sql.query(insert, [.id(tenant)])
                return StoredAnswer(status: 201, body: "{}")
            }
            #expect(!again.isReplayed)
        }
    }
}
