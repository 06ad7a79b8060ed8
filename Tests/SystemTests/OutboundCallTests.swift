import Base
import Testing
import VendorSim

extension SystemTests {
    /// From `POST /v1/calls` to the bill: outbox, stream, claim, the carrier's REST, media, settlement.
    struct OutboundCallTests {
        /// Says a line, waits for a key, says goodbye.
        static let agent: JSON = [
            "name": "Keypad",
            "definition": [
                "limits": ["ring_seconds": 5],
                "flow": [
                    "start": "ask",
                    "nodes": [
                        [
                            "id": "ask", "say": "Press one.",
                            "expect": ["kind": "digits", "min": 1, "max": 1],
                            "edges": [["when": ["digits": "1"], "to": "bye"]],
                        ],
                        ["id": "bye", "say": "Goodbye.", "end": true],
                    ],
                ],
            ],
        ]

        private func dial(_ to: String, _ agent: String, _ platform: LivePlatform) async throws -> String {
            try await platform.api.create(
                "/v1/calls",
                [
                    "agent_id": .string(agent), "from": .string(LivePlatform.number), "to": .string(to),
                ])
        }

        @Test func aCallIsDialledSpokenAndSettledOnce() async throws {
            try await LivePlatform.with { platform in
                let carrier = platform.outside.carrier
                carrier.subscribe("+12125550143", .keypad(["1"]))
                let agent = try await platform.publish(Self.agent)
                try await platform.working {
                    let id = try await dial("+12125550143", agent, platform)
                    let call = try await platform.ended(id)
                    #expect(call["end_reason"] == "agent_ended" && call["direction"] == "outbound")
                    // Looked at by the carrier: dialled once, and hung up by the worker after two lines.
                    let placed = carrier.calls
                    #expect(placed.count == 1)
                    let seen = try #require(await placed.first?.ended())
                    #expect(!seen.isInbound && seen.to == "+12125550143" && seen.from == LivePlatform.number)
                    #expect(seen.pressed == "1" && seen.heard.count == 2 && seen.endedBy == "rest")
                    #expect(seen.webhooks.allSatisfy { ($0.status ?? 0) / 100 == 2 })
                    // Looked at over REST: each step once and in its order.
                    let steps = [
                        "queued", "claimed", "dialing", "carrier_accepted", "media_started", "ended",
                    ]
                    #expect(try await platform.events(id).filter(steps.contains) == steps)
                    // Lines made ahead cost no synthesis.
                    let components = (call["cost_lines"]?.array ?? []).compactMap { $0["component"]?.string }
                    #expect(components == ["platform", "stt", "telephony"])
                    #expect(try await platform.moneyProblems([call]) == [])
                }
            }
        }

        @Test func whoCannotBeReachedCostsNothing() async throws {
            try await LivePlatform.with { platform in
                let carrier = platform.outside.carrier
                var busy = Persona.silent
                busy.pickup = .busy
                carrier.subscribe("+12125550144", busy)
                var away = Persona.silent
                away.pickup = .noAnswer
                carrier.subscribe("+12125550145", away)
                let agent = try await platform.publish(Self.agent)
                try await platform.working {
                    // Alone first: the refusal is for the next call the carrier is asked for.
                    carrier.refuseNextCreates([.init(status: 400, code: 21216, message: "not allowed")])
                    let refused = try await platform.ended(try await dial("+12125550146", agent, platform))
                    async let engaged = platform.ended(try await dial("+12125550144", agent, platform))
                    async let absent = platform.ended(try await dial("+12125550145", agent, platform))
                    let ended = [refused, try await engaged, try await absent]
                    #expect(ended.map { $0["end_reason"] } == ["rejected", "busy", "no_answer"])
                    #expect(ended.allSatisfy { $0["cost"] == "0.00" && $0["answered_at"] ?? .null == .null })
                    #expect(carrier.calls.count == 2)
                    #expect(try await platform.moneyProblems(ended) == [])
                }
            }
        }

        @Test(arguments: [
            ("+19005550100", "destination_refused"), ("911", "validation_failed"),
        ])
        func forbiddenDestinationsAreRefusedAtTheDoor(to: String, code: String) async throws {
            try await LivePlatform.with { platform in
                let agent = try await platform.publish(Self.agent)
                let answer = try await platform.api.send(
                    "POST", "/v1/calls",
                    [
                        "agent_id": .string(agent), "from": .string(LivePlatform.number), "to": .string(to),
                    ])
                #expect(answer.status == 422 && answer.type.hasPrefix("application/problem+json"))
                #expect(answer.json["code"] == .string(code) && answer.json["detail"]?.string != nil)
                #expect(try await platform.api.get("/v1/calls")["data"] == [])
                #expect(try await platform.moneyProblems([]) == [])
            }
        }
    }
}
