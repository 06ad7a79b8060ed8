import Base
import Postgres
import TestKit
import Testing

@Suite struct ResourceTests {
    @Test func anOperatorMakesATenantAndTheTenantsKeyWorks() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            #expect(acme.id.hasPrefix("tenant_"))
            #expect(acme.key.hasPrefix("parley_live_"))
            let own = try await platform.get("/v1/tenants/\(acme.id)", key: acme.key)
            #expect(own.status == 200)
            #expect(own.json["kind"]?.string == "client")
            #expect(own.json["region"]?.string == "eu")
            #expect(own.header("X-Request-Id")?.hasPrefix("req_") == true)
        }
    }

    @Test func aKeyIsShownOnceAndRevokedAtOnce() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            let made = try await platform.post(
                "/v1/api-keys", ["name": "ci", "scopes": ["agents:read"]], key: acme.key)
            #expect(made.status == 201)
            let secret = made.json["key"]?.string ?? ""
            let shown = try await platform.get("/v1/api-keys/\(made.id)", key: acme.key)
            #expect(shown.json["key"] == nil)
            #expect(shown.json["last4"]?.string == String(secret.suffix(4)))
            #expect(try await platform.get("/v1/agents", key: secret).status == 200)
            #expect(try await platform.delete("/v1/api-keys/\(made.id)", key: acme.key).status == 204)
            #expect(try await platform.get("/v1/agents", key: secret).status == 401)
            let stored = try await platform.raw.query(
                "SELECT count(*) AS n FROM api_keys WHERE hash::text LIKE '%' || $1 || '%'", [.text(secret)])
            #expect(try stored.rows[0].int("n") == 0)
        }
    }

    @Test func anAgentGetsNewVersionsAndKeepsTheOldOnes() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            let id = try await platform.makeAgent(key: acme.key)
            var second = TestPlatform.definition.object ?? [:]
            second["speaks_first"] = "caller"
            let published = try await platform.post(
                "/v1/agents/\(id)/versions", ["definition": .object(second)], key: acme.key)
            #expect(published.status == 201)
            #expect(published.json["version"]?.int == 2)
            let first = try await platform.get("/v1/agents/\(id)/versions/1", key: acme.key)
            #expect(first.json["definition"]?["speaks_first"]?.string == "agent")
            let agent = try await platform.get("/v1/agents/\(id)", key: acme.key)
            #expect(agent.json["latest_version"]?.int == 2)
            #expect(agent.json["definition"]?["speaks_first"]?.string == "caller")
            let list = try await platform.get("/v1/agents/\(id)/versions?limit=1", key: acme.key)
            #expect(list.json["data"]?.array?.count == 1)
            #expect(list.json["next_cursor"]?.string == "2")
            let renamed = try await platform.patch("/v1/agents/\(id)", ["name": "Front desk"], key: acme.key)
            #expect(renamed.json["name"]?.string == "Front desk")
            #expect(try await platform.get("/v1/agents/\(id)/versions/3", key: acme.key).status == 404)
        }
    }

    @Test func aDefinitionThatCannotWorkIsRefusedWithItsPaths() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            let unknown = try await platform.post(
                "/v1/agents",
                ["name": "x", "definition": ["flow": ["start": "a", "nodes": [["id": "a", "sya": "x"]]]]],
                key: acme.key)
            #expect(unknown.status == 422)
            #expect(unknown.code == "validation_failed")
            #expect(unknown.paths == ["definition.flow.nodes[0].sya"])
            let fraction = try await platform.post(
                "/v1/agents", ["name": "x", "definition": ["turns": ["silence_ms": .double(1.5)]]],
                key: acme.key)
            #expect(fraction.status == 422 && fraction.code == "validation_failed", "\(fraction.text)")
            #expect(
                fraction.json["errors"] == [
                    ["path": "definition.turns.silence_ms", "message": "expected a whole number"]
                ])
            let nothing = try await platform.post(
                "/v1/agents", ["name": "x", "definition": [:]], key: acme.key)
            #expect(nothing.status == 422)
            let missing = try await platform.post("/v1/agents", ["name": "x"], key: acme.key)
            #expect(missing.paths == ["definition"])
        }
    }

    @Test func aNumberBelongsToOneTenantAndKeepsItsAgentFromBeingArchived() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            let rival = try await platform.makeTenant("Rival")
            let agent = try await platform.makeAgent(key: acme.key)
            let credential = try await platform.makeCredential(key: acme.key)
            let made = try await platform.post(
                "/v1/phone-numbers",
                ["number": "+14155550100", "agent_id": .string(agent), "credential_id": .string(credential)],
                key: acme.key)
            #expect(made.status == 201, "\(made.text)")
            #expect(try await platform.delete("/v1/agents/\(agent)", key: acme.key).status == 409)
            #expect(
                try await platform.delete("/v1/credentials/\(credential)", key: acme.key).code == "in_use")

            let rivals = try await platform.makeCredential(key: rival.key)
            let taken = try await platform.post(
                "/v1/phone-numbers", ["number": "+14155550100", "credential_id": .string(rivals)],
                key: rival.key)
            #expect(taken.status == 409)
            #expect(taken.code == "number_taken")
            let borrowed = try await platform.post(
                "/v1/phone-numbers", ["number": "+14155550101", "credential_id": .string(credential)],
                key: rival.key)
            #expect(borrowed.code == "unknown_credential")

            let pinned = try await platform.patch(
                "/v1/phone-numbers/\(made.id)", ["agent_version": 1], key: acme.key)
            #expect(pinned.json["agent_version"]?.int == 1)
            let wrong = try await platform.patch(
                "/v1/phone-numbers/\(made.id)", ["agent_version": 9], key: acme.key)
            #expect(wrong.code == "unknown_version")
            let freed = try await platform.patch(
                "/v1/phone-numbers/\(made.id)", ["agent_id": .null], key: acme.key)
            #expect(freed.json["agent_id"] == .null)
            #expect(try await platform.delete("/v1/agents/\(agent)", key: acme.key).status == 204)
            #expect(try await platform.get("/v1/agents", key: acme.key).json["data"]?.array?.isEmpty == true)
            #expect(
                try await platform.get("/v1/agents?archived=true", key: acme.key).json["data"]?.array?.count
                    == 1)
            #expect(try await platform.delete("/v1/phone-numbers/\(made.id)", key: acme.key).status == 204)
        }
    }

    @Test func aCredentialNeverShowsItsSecretAndOpensForItsRowOnly() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            let made = try await platform.post(
                "/v1/credentials",
                ["vendor": "openai", "api_key": "sk-very-secret-9876", "base_url": "http://127.0.0.1:9/v1/"],
                key: acme.key)
            #expect(made.status == 201, "\(made.text)")
            #expect(!made.text.contains("very-secret"))
            #expect(made.json["last4"]?.string == "9876")
            #expect(made.json["base_url"]?.string == "http://127.0.0.1:9/v1")
            let rows = try await platform.raw.query("SELECT * FROM credentials")
            #expect(try !rows.rows[0].bytes("sealed_secret").contains(subsequence: Array("very-secret".utf8)))
            let bad = try await platform.post(
                "/v1/credentials",
                ["vendor": "openai", "api_key": "sk-123456789", "base_url": "file:///etc/passwd"],
                key: acme.key)
            #expect(bad.paths == ["base_url"])
        }
    }

    @Test func aPriceBookIsWrittenByTheOperatorAndCheckedForNonsense() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            let rate: JSON = [
                "component": "platform", "unit": "milliseconds", "price": "0.05", "per": 60_000,
            ]
            let body: JSON = ["name": "2027", "effective_from": "2099-01-01T00:00:00Z", "rates": [rate]]
            #expect(try await platform.post("/v1/price-books", body, key: acme.key).code == "operator_only")
            let made = try await platform.post("/v1/price-books", body)
            #expect(made.status == 201, "\(made.text)")
            #expect(made.json["rates"]?.array?.first?["price"]?.string == "0.05")
            #expect(try await platform.post("/v1/price-books", body).code == "already_exists")
            let nonsense = try await platform.post(
                "/v1/price-books",
                [
                    "name": "x",
                    "rates": [
                        ["component": "platform", "unit": "milliseconds", "price": "-1", "per": 1],
                        ["component": "stt", "unit": "milliseconds", "price": "1", "per": 1, "increment": 0],
                        ["component": "tts", "unit": "characters", "price": "1000000000000000000", "per": 1],
                        ["component": "fax", "unit": "pages", "price": 1, "per": 1],
                    ],
                ])
            #expect(nonsense.status == 422)
            #expect(
                nonsense.paths == [
                    "rates[0].price", "rates[1].increment", "rates[2].price", "rates[3].price",
                    "rates[3].component",
                    "rates[3].unit",
                ], "\(nonsense.text)")
        }
    }

    @Test func anAgentWhoseModelHasNoPriceIsNotPublished() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            func agent(_ fallbacks: [JSON]) -> JSON {
                [
                    "name": "desk",
                    "definition": [
                        "prompt": [
                            "system": "Be brief.", "model": "luna", "fallbacks": .array(fallbacks),
                        ]
                    ],
                ]
            }
            let unpriced = try await platform.post("/v1/agents", agent([]), key: acme.key)
            #expect(unpriced.status == 422 && unpriced.code == "unpriced_model", "\(unpriced.text)")
            #expect(
                unpriced.json["errors"] == [
                    ["path": "definition.prompt.model", "message": "no price for openai/luna"]
                ])
            #expect(
                unpriced.json["detail"]?.string?.hasPrefix("prompt.model: no price for openai/luna: ") == true
            )
            let rates = ["input_tokens", "output_tokens"].map { unit -> JSON in
                [
                    "component": "llm", "source": "openai/luna", "unit": .string(unit), "price": "0.1",
                    "per": 1_000_000,
                ]
            }
            let book = try await platform.post(
                "/v1/price-books", ["name": "models", "rates": .array(rates)])
            #expect(book.status == 201, "\(book.text)")
            let made = try await platform.post("/v1/agents", agent([]), key: acme.key)
            #expect(made.status == 201, "\(made.text)")
            let fallback: JSON = ["vendor": "anthropic", "model": "haiku"]
            let next = try await platform.post(
                "/v1/agents/\(made.id)/versions", ["definition": agent([fallback])["definition"] ?? nil],
                key: acme.key)
            #expect(next.code == "unpriced_model" && next.paths == ["definition.prompt.fallbacks[0]"])
            #expect(next.json["detail"]?.string?.contains("anthropic/haiku") == true, "\(next.text)")
        }
    }

    @Test func aCredentialThatAModelNamesMustBeThere() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            let rates = ["input_tokens", "output_tokens"].map { unit -> JSON in
                ["component": "llm", "source": "*", "unit": .string(unit), "price": "0.1", "per": 1_000_000]
            }
            _ = try await platform.post("/v1/price-books", ["name": "models", "rates": .array(rates)])
            func publish(_ vendor: String, fallback: String) async throws -> Reply {
                let prompt: JSON = [
                    "system": "Be brief.", "model": "m", "vendor": .string(vendor),
                    "fallbacks": [["vendor": .string(fallback), "model": "m"]],
                ]
                return try await platform.post(
                    "/v1/agents", ["name": "desk", "definition": ["prompt": prompt]], key: acme.key)
            }
            for name in ["groq", "together"] {
                let made = try await platform.post(
                    "/v1/credentials",
                    [
                        "vendor": "compatible", "name": .string(name), "api_key": .string("key-of-\(name)"),
                        "base_url": .string("https://\(name).example/v1"),
                    ], key: acme.key)
                #expect(made.status == 201, "\(made.text)")
            }
            let made = try await publish("compatible:groq", fallback: "compatible:together")
            #expect(made.status == 201, "\(made.text)")
            let refused = try await publish("compatible:groq", fallback: "compatible:gorq")
            #expect(refused.status == 422 && refused.code == "unknown_credential", "\(refused.text)")
            #expect(refused.json["detail"]?.string?.hasPrefix("prompt.fallbacks[0].vendor: ") == true)
            #expect(refused.paths == ["definition.prompt.fallbacks[0].vendor"], "\(refused.text)")
            #expect(try await publish("openai:groq", fallback: "anthropic").code == "unknown_credential")
        }
    }

    @Test func anAgentWhoseVoiceHasNoPriceIsNotPublished() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            func publish(_ voice: JSON) async throws -> Reply {
                var definition = TestPlatform.definition.object ?? [:]
                definition["voice"] = voice
                return try await platform.post(
                    "/v1/agents", ["name": "desk", "definition": .object(definition)], key: acme.key)
            }
            func rate(_ component: String, _ source: String, _ unit: String) -> JSON {
                [
                    "component": .string(component), "source": .string(source), "unit": .string(unit),
                    "price": "0.1", "per": 1_000,
                ]
            }
            let rates = [
                rate("llm", "*", "input_tokens"), rate("llm", "*", "output_tokens"),
                rate("stt", "deepgram/nova-3", "milliseconds"),
                rate("tts", "cartesia/sonic-3.5", "characters"),
            ]
            let book = try await platform.post(
                "/v1/price-books", ["name": "models", "rates": .array(rates)])
            #expect(book.status == 201, "\(book.text)")
            let cases: [(JSON, String)] = [
                (["stt": "deepgram", "stt_model": "nova-99"], "voice.stt: no price for deepgram/nova-99"),
                (
                    ["stt_fallbacks": [["vendor": "deepgram", "model": "flux-general-en"]]],
                    "voice.stt_fallbacks[0]: no price for deepgram/flux-general-en"
                ),
                (
                    ["tts": "elevenlabs", "voice": "v"],
                    "voice.tts: no price for elevenlabs/eleven_flash_v2_5"
                ),
                (
                    ["tts_fallbacks": [["vendor": "cartesia", "model": "sonic-9", "voice": "v"]]],
                    "voice.tts_fallbacks[0]: no price for cartesia/sonic-9"
                ),
            ]
            for (voice, said) in cases {
                let refused = try await publish(voice)
                #expect(refused.status == 422 && refused.code == "unpriced_model", "\(refused.text)")
                #expect(refused.json["detail"]?.string?.hasPrefix(said) == true, "\(refused.text)")
                let path = said.prefix { $0 != ":" }
                #expect(refused.paths == ["definition.\(path)"], "\(refused.text)")
            }
            // The vendor's usual model is meant where none is named; what is offline needs no price.
            #expect(try await publish(["stt": "deepgram", "tts": "cartesia", "voice": "v"]).status == 201)
            #expect(try await publish(["stt": "offline"]).status == 201)
        }
    }

    @Test func anAgentThatWouldBeRoutedOnAGuessIsNotPublished() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            func publish(
                _ model: String, cheap: String, mode: String = "on", allow: [JSON] = ["cheap", "probe"]
            ) async throws -> Reply {
                let routing: JSON = [
                    "cheap": ["vendor": "openai", "model": .string(cheap)], "mode": .string(mode),
                    "allow": .array(allow),
                ]
                return try await platform.post(
                    "/v1/agents",
                    [
                        "name": "desk",
                        "definition": [
                            "prompt": [
                                "system": "Be brief.", "model": .string(model), "routing": routing,
                            ]
                        ],
                    ], key: acme.key)
            }
            func rates(_ model: String, _ price: String) -> [JSON] {
                ["input_tokens", "output_tokens"].map { unit in
                    [
                        "component": "llm", "source": .string("openai/\(model)"), "unit": .string(unit),
                        "price": .string(price), "per": 1_000_000,
                    ]
                }
            }
            let timed: JSON = [
                "component": "llm", "source": "openai/timed", "unit": "milliseconds", "price": "0.01",
                "per": 60_000,
            ]
            let book = try await platform.post(
                "/v1/price-books",
                ["name": "models", "rates": .array(rates("large", "2") + rates("small", "0.4") + [timed])])
            #expect(book.status == 201, "\(book.text)")
            for (cheap, code, said) in [
                ("nobody", "unpriced_model", "openai/nobody"), ("timed", "unpriced_model", "openai/timed"),
            ] {
                let refused = try await publish("large", cheap: cheap)
                #expect(refused.status == 422 && refused.code == code, "\(refused.text)")
                #expect(refused.json["detail"]?.string?.contains(said) == true, "\(refused.text)")
                #expect(refused.paths == ["definition.prompt.routing.cheap"], "\(refused.text)")
            }
            let timedStrong = try await publish("timed", cheap: "small")
            #expect(timedStrong.paths == ["definition.prompt.model"], "\(timedStrong.text)")
            let dear = try await publish("small", cheap: "large")
            #expect(dear.status == 422 && dear.code == "unroutable_model", "\(dear.text)")
            #expect(dear.json["detail"]?.string?.hasPrefix("prompt.routing.cheap: ") == true)
            #expect(dear.paths == ["definition.prompt.routing.cheap"], "\(dear.text)")
            #expect(try await publish("small", cheap: "large", mode: "off").status == 201)
            let made = try await publish("large", cheap: "small")
            #expect(made.status == 201, "\(made.text)")
            let same = try await publish("large", cheap: "large")
            #expect(same.code == "validation_failed" && same.paths == ["definition.prompt.routing.cheap"])
            let floor = try await platform.patch("/v1/tenants/\(acme.id)", ["routing": ["floor": "probe"]])
            #expect(floor.json["routing"] == ["floor": "probe", "day_budget": nil], "\(floor.text)")
            let below = try await publish("large", cheap: "small", allow: ["cheap"])
            #expect(below.status == 422 && below.code == "unroutable_model", "\(below.text)")
            #expect(below.json["detail"]?.string?.contains("the tenant's floor is probe") == true)
            #expect(try await publish("large", cheap: "small").status == 201)
            let rules: JSON = ["floor": "strong", "day_budget": "2.00"]
            let contradiction = try await platform.patch("/v1/tenants/\(acme.id)", ["routing": rules])
            #expect(contradiction.status == 422 && contradiction.paths == ["routing.day_budget"])
        }
    }

    @Test func aListGoesOnWhereItsCursorSays() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            var made: [String] = []
            for _ in 0..<5 { made.append(try await platform.makeAgent(key: acme.key)) }
            var seen: [String] = []
            var path = "/v1/agents?limit=2"
            for _ in 0..<3 {
                let page = try await platform.get(path, key: acme.key)
                seen += page.json["data"]?.array?.compactMap { $0["id"]?.string } ?? []
                path = "/v1/agents?limit=2&cursor=" + (page.json["next_cursor"]?.string ?? "")
                if seen.count == 5 { #expect(page.json["next_cursor"] == .null) }
            }
            #expect(seen == made.sorted(by: >))
        }
    }
}

extension [UInt8] {
    func contains(subsequence: [UInt8]) -> Bool {
        guard count >= subsequence.count else { return false }
        return (0...(count - subsequence.count)).contains {
            self[$0..<($0 + subsequence.count)].elementsEqual(subsequence)
        }
    }
}
