import Base
import TestKit
import Testing
import VendorSim

extension SystemTests {
    /// The caller's words and the agent's voice go over vendors' sockets, and these break in the middle of the call.
    struct VoiceCallTests {
        @Test func aCallGoesOnWhenItsVendorsBreakOff() async throws {
            let vendors = try await Vendors.start()
            try await LivePlatform.with { platform in
                let outside = platform.outside
                outside.chat.use(PromptCallTests.model)
                outside.sink.expect(PromptCallTests.booking, from: PromptCallTests.caller)
                let accounts = vendors.accounts + [("openai", outside.chat.url)]
                for (vendor, url) in accounts {
                    let account: JSON = [
                        "vendor": .string(vendor), "api_key": "model-key-for-tests", "base_url": .string(url),
                    ]
                    _ = try await platform.api.create("/v1/credentials", account)
                }
                _ = try await platform.publish(try Self.agent(toolURL: outside.sink.url))
                try await platform.working {
                    let placed = try await outside.carrier.placeInbound(
                        from: PromptCallTests.caller, to: LivePlatform.number,
                        persona: PromptCallTests.persona)
                    // The reply to the name has been asked for and not begun: its socket breaks, and no other opens.
                    try await until {
                        vendors.cartesia.messages.contains {
                            $0["transcript"]?.string?.contains("Peter") == true
                        }
                    }
                    vendors.cartesia.trouble([.refuse(status: 503, retryAfterSeconds: nil)])
                    vendors.cartesia.breakAll()
                    let heard = await placed.ended()
                    let found = try await platform.api.get("/v1/calls?direction=inbound")["data"]?.array ?? []
                    let id = try #require(found.first?["id"]?.string)
                    let call = try await platform.ended(id)
                    #expect(heard.said.map(\.text) == ["peter", "tuesday"])
                    #expect(outside.sink.isAllRight && outside.sink.duplicates == 0)
                    #expect(call["end_reason"] == "agent_ended")
                    let sources = (call["cost_lines"]?.array ?? []).compactMap { $0["source"]?.string }
                    #expect(sources.contains("deepgram/nova-3"), "\(sources)")
                    #expect(try await platform.moneyProblems([call]) == [])
                    let events = try await platform.events(id)
                    #expect(events.contains("stt_fallback") && events.contains("tts_fallback"), "\(events)")
                    // What was slow is laid to whom it was slow with: the voice that took over.
                    let late = try await platform.details(id, of: "latency_budget").filter {
                        $0.contains(": tts took ")
                    }
                    #expect(
                        late.contains { $0.hasSuffix(", elevenlabs/eleven_flash_v2_5") }, "\(late)")
                    #expect(
                        vendors.elevenLabs.messages.contains { $0["text"]?.string?.contains("Peter") == true }
                    )
                }
            }
            await vendors.stop()
        }

        /// A recogniser whose first socket is cut behind the first words, and two synthesisers.
        struct Vendors: Sendable {
            var deepgram: SimulatedVendor
            var cartesia: SimulatedVendor
            var elevenLabs: SimulatedVendor

            static func start() async throws -> Vendors {
                var hearing = SimulatedDeepgram.Configuration()
                hearing.known = try await KnownSpeech.of(PromptCallTests.persona)
                var delivery = SimulatedDelivery()
                delivery.voice = .offline("slt")
                delivery.firstAudio = .fixed(.milliseconds(150))
                var first = SimulatedCartesia.Configuration()
                first.delivery = delivery
                var second = SimulatedElevenLabs.Configuration()
                second.delivery = delivery
                let vendors = Vendors(
                    deepgram: try await SimulatedDeepgram.start(hearing),
                    cartesia: try await SimulatedCartesia.start(first),
                    elevenLabs: try await SimulatedElevenLabs.start(second))
                vendors.deepgram.trouble([.cut(afterMessages: 1)])
                return vendors
            }

            var accounts: [(String, String)] {
                [("deepgram", deepgram.url), ("cartesia", cartesia.url), ("elevenlabs", elevenLabs.url)]
            }

            func stop() async {
                await deepgram.stop()
                await cartesia.stop()
                await elevenLabs.stop()
            }
        }

        /// The prompt agent, heard by Deepgram and spoken by Cartesia, with ElevenLabs behind it.
        private static func agent(toolURL: String) throws -> JSON {
            let agent = try PromptCallTests.agent(toolURL: toolURL)
            guard var whole = agent.object, var definition = whole["definition"]?.object else {
                throw Unexpected("no definition")
            }
            definition["voice"] = [
                "stt": "deepgram", "tts": "cartesia", "voice": "voice-1",
                "tts_fallbacks": [["vendor": "elevenlabs", "voice": "voice-2"]],
            ]
            definition["latency"] = ["tts_ms": 50]
            whole["definition"] = .object(definition)
            return .object(whole)
        }
    }
}
