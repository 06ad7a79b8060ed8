import Base
import HTTPTypes
import Postgres
import Store
import TestKit
import Testing

@Suite struct AuthTests {
    @Test func everyBadKeyGetsTheSameAnswer() async throws {
        try await TestPlatform.with { platform in
            var random = SeededGenerator(seed: 1)
            let unknown = APIKeyToken.make(using: &random).reveal
            let bad: [String?] = [
                nil, "x", unknown, String(unknown.dropLast()) + "!", "parley_test_" + unknown.dropFirst(12),
                String(repeating: "a", count: 5000),
            ]
            for key in bad {
                let answer = try await platform.get("/v1/agents", key: key)
                #expect(answer.status == 401)
                #expect(answer.code == "unauthorized")
                #expect(answer.header("WWW-Authenticate") == "Bearer")
            }
            for header in ["Basic abc", "Bearer", "Bearer a b"] {
                let answer = try await platform.send(
                    .get, "/v1/agents", key: nil, headers: ["Authorization": header], text: nil)
                #expect(answer.status == 401)
            }
        }
    }

    @Test func aKeysFormTellsATypingError() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<100 {
            let token = APIKeyToken.make(using: &random).reveal
            #expect(APIKeyToken.isWellFormed(token))
            #expect(token.utf8.count == 50)
            var letters = Array(token)
            let place = 12 + Int(random.next() % 32)
            letters[place] = letters[place] == "x" ? "y" : "x"
            #expect(!APIKeyToken.isWellFormed(String(letters)))
        }
    }

    @Test func aKeyDoesOnlyWhatItsScopesSay() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant(
                "Acme", scopes: ["agents:read", "numbers:*", "keys:write"])
            #expect(try await platform.get("/v1/agents", key: acme.key).status == 200)
            #expect(try await platform.get("/v1/phone-numbers", key: acme.key).status == 200)
            let write = try await platform.post("/v1/agents", ["name": "x"], key: acme.key)
            #expect(write.status == 403)
            #expect(write.code == "missing_scope")
            let more = try await platform.post("/v1/api-keys", ["name": "x", "scopes": ["*"]], key: acme.key)
            #expect(more.code == "missing_scope")
            let same = try await platform.post(
                "/v1/api-keys", ["name": "x", "scopes": ["numbers:read"]], key: acme.key)
            #expect(same.status == 201)
            let none = try await platform.post(
                "/v1/api-keys", ["name": "x", "scopes": ["fly"]], key: acme.key)
            #expect(none.paths == ["scopes"])
        }
    }

    @Test func anotherTenantsThingsAreNotThere() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            let rival = try await platform.makeTenant("Rival")
            let agent = try await platform.makeAgent(key: acme.key)
            let credential = try await platform.makeCredential(key: acme.key)
            for path in ["/v1/agents/\(agent)", "/v1/credentials/\(credential)", "/v1/tenants/\(acme.id)"] {
                #expect(try await platform.get(path, key: rival.key).status == 404, "\(path)")
            }
            #expect(
                try await platform.patch("/v1/agents/\(agent)", ["name": "mine"], key: rival.key).status
                    == 404)
            #expect(try await platform.delete("/v1/agents/\(agent)", key: rival.key).status == 404)
            let version = try await platform.post(
                "/v1/agents/\(agent)/versions", ["definition": TestPlatform.definition], key: rival.key)
            #expect(version.status == 404)
            // A cursor of one tenant is nothing to another.
            _ = try await platform.makeAgent(key: acme.key)
            let page = try await platform.get("/v1/agents?limit=1", key: acme.key)
            let cursor = page.json["next_cursor"]?.string ?? ""
            #expect(!cursor.isEmpty)
            #expect(
                try await platform.get("/v1/agents?cursor=\(cursor)", key: rival.key).code == "bad_cursor")
            #expect(
                try await platform.get("/v1/credentials?cursor=\(cursor)", key: acme.key).code == "bad_cursor"
            )
            let bent = String(cursor.dropLast()) + (cursor.hasSuffix("A") ? "Q" : "A")
            #expect(try await platform.get("/v1/agents?cursor=\(bent)", key: acme.key).code == "bad_cursor")
        }
    }

    @Test func aResellerActsForItsClientsAndForNobodyElse() async throws {
        try await TestPlatform.with { platform in
            let reseller = try await platform.makeTenant("Reseller", kind: "reseller")
            let other = try await platform.makeTenant("Other")
            let client = try await platform.post("/v1/tenants", ["name": "Client"], key: reseller.key)
            #expect(client.status == 201)
            #expect(client.json["parent_id"]?.string == reseller.id)
            let made = try await platform.post(
                "/v1/agents", ["name": "Desk", "definition": TestPlatform.definition], key: reseller.key,
                tenant: client.id)
            #expect(made.status == 201)
            #expect(try await platform.get("/v1/agents/\(made.id)", key: reseller.key).status == 404)
            #expect(
                try await platform.get("/v1/agents/\(made.id)", key: reseller.key, tenant: client.id).status
                    == 200)
            for foreign in [other.id, "tenant_" + String(repeating: "0", count: 32)] {
                let answer = try await platform.get("/v1/agents", key: reseller.key, tenant: foreign)
                #expect(answer.status == 403)
                #expect(answer.code == "tenant_forbidden")
            }
            #expect(try await platform.get("/v1/agents", key: reseller.key, tenant: "acme").status == 400)
            let below = try await platform.post("/v1/tenants", ["name": "x"], key: other.key)
            #expect(below.code == "forbidden")
        }
    }

    @Test func limitsAreSetFromAboveAndNeverAboveOnesOwn() async throws {
        try await TestPlatform.with { platform in
            let reseller = try await platform.makeTenant("Reseller", kind: "reseller")
            let own = try await platform.patch(
                "/v1/tenants/\(reseller.id)", ["concurrency_limit": 9999], key: reseller.key)
            #expect(own.status == 403)
            let child = try await platform.post(
                "/v1/tenants", ["name": "c", "concurrency_limit": 11], key: reseller.key)
            #expect(child.code == "limit_exceeded")
            let raised = try await platform.patch("/v1/tenants/\(reseller.id)", ["concurrency_limit": 50])
            #expect(raised.json["concurrency_limit"]?.int == 50)
            // What is kept of calls is for the tenant above to say too, and goes for those below it unless they say otherwise.
            #expect(raised.json["retention_days"] == 0)
            let kept = try await platform.patch("/v1/tenants/\(reseller.id)", ["retention_days": 30])
            #expect(kept.json["retention_days"] == 30)
            let below = try await platform.post("/v1/tenants", ["name": "kept"], key: reseller.key)
            #expect(below.json["retention_days"] == 30)
            for field in ["balance", "parent_id", "id", "kind"] {
                let answer = try await platform.patch("/v1/tenants/\(reseller.id)", .object([field: "x"]))
                #expect(answer.paths == [field])
            }
        }
    }

    @Test func aSuspendedResellerShutsOutAllBelowIt() async throws {
        try await TestPlatform.with { platform in
            let reseller = try await platform.makeTenant("Reseller", kind: "reseller")
            let client = try await platform.post("/v1/tenants", ["name": "Client"], key: reseller.key)
            let made = try await platform.post(
                "/v1/api-keys", ["name": "x", "scopes": ["*"]], key: reseller.key, tenant: client.id)
            let key = made.json["key"]?.string ?? ""
            #expect(try await platform.get("/v1/agents", key: key).status == 200)
            _ = try await platform.patch("/v1/tenants/\(reseller.id)", ["status": "suspended"])
            #expect(try await platform.get("/v1/agents", key: key).status == 401)
            #expect(try await platform.get("/v1/agents", key: reseller.key).status == 401)
            _ = try await platform.patch("/v1/tenants/\(reseller.id)", ["status": "active"])
            #expect(try await platform.get("/v1/agents", key: key).status == 200)
        }
    }

    @Test func anExpiredKeyOpensNothing() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            let past = try await platform.post(
                "/v1/api-keys", ["name": "x", "scopes": ["*"], "expires_at": "2020-01-01T00:00:00Z"],
                key: acme.key)
            #expect(past.paths == ["expires_at"])
            let made = try await platform.post(
                "/v1/api-keys", ["name": "x", "scopes": ["*"], "expires_at": "2099-01-01T00:00:00Z"],
                key: acme.key)
            let key = made.json["key"]?.string ?? ""
            #expect(try await platform.get("/v1/agents", key: key).status == 200)
            _ = try await platform.raw.query(
                "UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE name = 'x'")
            #expect(try await platform.get("/v1/agents", key: key).status == 401)
        }
    }
}
