import Base
import NIOCore
import TestKit
import Testing
import VendorSim
import WebSockets

@testable import Speech

/// Vendors that fail in the middle of a call, and what the caller notices.
@Suite(.timeLimit(.minutes(2))) struct SynthesisChainTests {
    static let line = "Your table is booked for Tuesday at seven."

    /// Cartesia, then ElevenLabs in another voice.
    struct Bench {
        var first: SimulatedVendor
        var second: SimulatedVendor
        var chain: SynthesisChain
        var breakers: CircuitBreakers

        static func start(
            speed: Double = 4, tenant: ID<Tenant> = ID(high: 1, low: 1),
            breakers: CircuitBreakers = CircuitBreakers(),
            accounts: AccountLimits = AccountLimits(), limits: SynthesisChain.Limits = .init()
        ) async throws -> Bench {
            var delivery = SimulatedDelivery()
            delivery.speed = speed
            delivery.firstAudio = .fixed(.milliseconds(50))
            var one = SimulatedCartesia.Configuration()
            one.delivery = delivery
            var two = SimulatedElevenLabs.Configuration()
            two.delivery = delivery
            let first = try await SimulatedCartesia.start(one)
            let second = try await SimulatedElevenLabs.start(two)
            let links = [
                SynthesisChain.Link(
                    key: .init(stage: "tts", vendor: "cartesia", product: "sonic"), voice: "v1",
                    synthesiser: SocketTextToSpeech.cartesia(
                        access: VendorAccess(key: Redacted("k"), baseURL: first.url),
                        options: CartesiaOptions(),
                        reach: .anywhere)),
                SynthesisChain.Link(
                    key: .init(stage: "tts", vendor: "elevenlabs", product: "flash"), voice: "v2",
                    synthesiser: SocketTextToSpeech.elevenLabs(
                        access: VendorAccess(key: Redacted("k"), baseURL: second.url),
                        options: ElevenLabsOptions(), reach: .anywhere)),
            ]
            return Bench(
                first: first, second: second,
                chain: SynthesisChain(
                    links, tenant: tenant, breakers: breakers, accounts: accounts, limits: limits),
                breakers: breakers)
        }

        func stop() async {
            await first.stop()
            await second.stop()
        }

        func speak(_ text: String) async throws -> Listener {
            try await Listener(AnySynthesizer.Bench(synthesizer: chain, voice: "v1", source: ""), text)
        }

        /// Texts the second vendor was given, in its voice.
        var taken: [String] {
            second.messages.compactMap { $0["text"]?.string }.filter { !$0.allSatisfy { $0 == " " } }
        }
    }

    @Test func aVoiceThatBreaksOffIsFollowedByTheNextFromTheFirstWordNotHeard() async throws {
        let bench = try await Bench.start()
        bench.first.trouble([.cut(afterMessages: 8)])
        let listener = try await bench.speak(Self.line)
        let end = await listener.end()
        #expect(end.usage?.source == "elevenlabs/eleven_flash_v2_5", "\(String(describing: end.fault))")
        let rest = try #require(bench.taken.first)
        #expect(Self.line.hasSuffix(rest.dropLast()) && rest.count < Self.line.count, "\(rest)")
        // About as long as the line of one voice: nothing is missing, nothing comes twice but a word's beginning.
        let whole = try await bench.speak(Self.line)
        _ = await whole.end()
        #expect(abs(listener.bytes - whole.bytes) < 8 * 700, "\(listener.bytes) \(whole.bytes)")
        #expect(listener.fellBack == ["elevenlabs tts.cut"])
        // What the first voice had been given is paid for too.
        #expect(listener.spent.map(\.quantity) == [Int64(Self.line.count)])
        await bench.stop()
    }

    @Test func theVoiceThatTookOverStaysForTheCall() async throws {
        let bench = try await Bench.start()
        bench.first.trouble([.refuse(status: 503, retryAfterSeconds: nil)])
        _ = await (try await bench.speak("One.")).end()
        let second = try await bench.speak("Two.")
        #expect(await second.end().usage?.source == "elevenlabs/eleven_flash_v2_5")
        #expect(bench.taken == ["One. ", "Two. "] && second.fellBack == [])
        #expect(try await second.speaker() == ModelChoice(vendor: "elevenlabs", model: "flash"))
        await bench.stop()
    }

    @Test(arguments: [VendorTrouble.silence, .stall(afterMessages: 6)])
    func aVoiceThatFallsSilentIsNotWaitedFor(trouble: VendorTrouble) async throws {
        var limits = SynthesisChain.Limits()
        limits.firstAudioMax = .milliseconds(300)
        let bench = try await Bench.start(limits: limits)
        bench.first.trouble([trouble])
        let listener = try await bench.speak(Self.line)
        #expect(await listener.end().usage?.source == "elevenlabs/eleven_flash_v2_5")
        #expect(listener.fellBack == ["elevenlabs tts.silent"])
        await bench.stop()
    }

    @Test func theNextVendorIsAskedAtOnceAndTheCallerWaitsLittle() async throws {
        let bench = try await Bench.start(speed: 1.2)
        bench.first.trouble([.cut(afterMessages: 8)])
        try await on(Listener.loop) {
            bench.chain.links[1].synthesiser.warm(voice: "v2", on: Listener.loop)
        }
        try await until { bench.second.openSockets == 1 }
        let listener = try await bench.speak(Self.line)
        _ = await listener.end()
        // Until the first audio of the next vendor, 50 ms after it was asked.
        let gap = try #require(listener.longestGap)
        #expect(gap < .milliseconds(300), "\(gap)")
        await bench.stop()
    }

    @Test func anOpenBreakerSpendsNoTimeOnItsVendor() async throws {
        var policy = CircuitBreaker.Policy()
        policy.failuresMin = 1
        let breakers = CircuitBreakers(policy: policy)
        let one = try await Bench.start(breakers: breakers)
        one.first.trouble([.refuse(status: 503, retryAfterSeconds: nil)])
        _ = await (try await one.speak("One.")).end()
        await one.stop()
        // Another call of the same worker.
        let two = try await Bench.start(breakers: breakers)
        #expect(await (try await two.speak("Two.")).end().usage?.source == "elevenlabs/eleven_flash_v2_5")
        #expect(two.first.socketsAsked == 0)
        await two.stop()
    }

    @Test func aTenantsLimitIsItsOwn() async throws {
        var policy = CircuitBreaker.Policy()
        policy.failuresMin = 1
        let (breakers, accounts) = (CircuitBreakers(policy: policy), AccountLimits())
        let one = try await Bench.start(breakers: breakers, accounts: accounts)
        one.first.trouble([.refuse(status: 429, retryAfterSeconds: 30)])
        let first = try await one.speak("One.")
        #expect(await first.end().usage?.source == "elevenlabs/eleven_flash_v2_5")
        #expect(first.fellBack == ["elevenlabs tts.rate_limited"])
        await one.stop()
        // The tenant's other calls do not ask again before the time is over...
        let two = try await Bench.start(breakers: breakers, accounts: accounts)
        let second = try await two.speak("Two.")
        #expect(await second.end().usage?.source == "elevenlabs/eleven_flash_v2_5")
        #expect(two.first.socketsAsked == 0)
        #expect(second.fellBack == ["elevenlabs tts.rate_limited"], "passed over, and told once")
        let later = try await two.speak("Three.")
        #expect(await later.end().usage != nil && later.fellBack == [])
        await two.stop()
        // ...and other tenants' calls do.
        let other = try await Bench.start(tenant: ID(high: 1, low: 2), breakers: breakers, accounts: accounts)
        let third = await (try await other.speak("Three.")).end()
        #expect(third.usage?.source.hasPrefix("cartesia/") == true)
        await other.stop()
    }

    private func lone(_ vendor: SimulatedVendor) -> SynthesisChain {
        let link = SynthesisChain.Link(
            key: .init(stage: "tts", vendor: "cartesia", product: "sonic"), voice: "v1",
            synthesiser: SocketTextToSpeech.cartesia(
                access: VendorAccess(key: Redacted("k"), baseURL: vendor.url), options: CartesiaOptions(),
                reach: .anywhere))
        return SynthesisChain(
            [link], tenant: ID(high: 1, low: 1), breakers: CircuitBreakers(), accounts: AccountLimits())
    }

    @Test func aLoneVendorAtItsLimitIsAskedWhenItMayBe() async throws {
        let vendor = try await SimulatedCartesia.start()
        vendor.trouble([.refuse(status: 429, retryAfterSeconds: 1)])
        let chain = lone(vendor)
        let asked = ContinuousClock.now
        let listener = try await Listener(
            AnySynthesizer.Bench(synthesizer: chain, voice: "v1", source: ""), Self.line)
        #expect(await listener.end().usage != nil)
        #expect(ContinuousClock.now - asked >= .seconds(1))
        #expect(vendor.socketsAsked == 2)
        await vendor.stop()
    }

    @Test func aLoneVendorIsAskedOnceMore() async throws {
        let vendor = try await SimulatedCartesia.start()
        vendor.trouble([.cut(afterMessages: 6)])
        let chain = lone(vendor)
        let listener = try await Listener(
            AnySynthesizer.Bench(synthesizer: chain, voice: "v1", source: ""), Self.line)
        #expect(await listener.end().usage != nil)
        let texts = vendor.messages.compactMap { $0["transcript"]?.string }
        #expect(texts.count == 2 && Self.line.hasSuffix(texts[1]) && texts[1].count < Self.line.count)
        await vendor.stop()
    }

    @Test func whenAllFailTheTextFails() async throws {
        let bench = try await Bench.start()
        bench.first.trouble([.refuse(status: 401, retryAfterSeconds: nil)])
        bench.second.trouble([.refuse(status: 402, retryAfterSeconds: nil)])
        let end = await (try await bench.speak(Self.line)).end()
        #expect(end.fault?.code == "tts.quota")
        await bench.stop()
    }
}

extension Listener {
    var fellBack: [String] {
        events.all.compactMap { event -> String? in
            if case .fellBack(let vendor, let fault) = event { "\(vendor) \(fault.code)" } else { nil }
        }
    }
    var spent: [Usage] {
        events.all.compactMap { event -> Usage? in if case .spent(let usage) = event { usage } else { nil } }
    }

    /// How long the caller heard nothing once the text had begun to sound.
    var longestGap: Duration? {
        var heardUntil: ContinuousClock.Instant?
        var longest: Duration?
        for (event, at) in events.timed {
            guard case .audio(let audio) = event else { continue }
            if let until = heardUntil { longest = max(longest ?? .zero, at - until) }
            heardUntil = max(heardUntil ?? at, at) + .milliseconds(audio.readableBytes / 8)
        }
        return longest
    }
}

@Suite(.timeLimit(.minutes(2))) struct RecognitionChainTests {
    static let lines = ["monday", "tuesday please"]

    private func known() async throws -> [KnownSpeech] {
        var known: [KnownSpeech] = []
        for line in Self.lines { known.append(try await .spoken(line, voice: "rms")) }
        return known
    }

    private func vendor(_ known: [KnownSpeech], script: [String] = []) async throws -> SimulatedVendor {
        var configuration = SimulatedDeepgram.Configuration()
        configuration.known = known
        configuration.script = script
        configuration.finalDelay = .fixed(.milliseconds(100))
        return try await SimulatedDeepgram.start(configuration)
    }

    private func chain(_ vendors: SimulatedVendor...) -> RecognitionChain {
        RecognitionChain(
            vendors.enumerated().map { number, vendor in
                RecognitionChain.Link(
                    key: .init(stage: "stt", vendor: "deepgram", product: "\(number)"),
                    recogniser: DeepgramSpeechToText(
                        access: VendorAccess(key: Redacted("k"), baseURL: vendor.url),
                        options: DeepgramOptions(), reach: .anywhere, silentMax: .seconds(2)))
            }, tenant: ID(high: 1, low: 1), breakers: CircuitBreakers(), accounts: AccountLimits())
    }

    @Test func anAccountAtItsLimitIsPassedOverAndThatIsTold() async throws {
        let known = try await known()
        let (one, two) = try await (vendor(known), vendor(known))
        let accounts = AccountLimits()
        let limited = VendorFaults(stage: "stt").status(429, asked: .seconds(30))
        let now = Duration.nanoseconds(Int64(clamping: Caller.loop.now.uptimeNanoseconds))
        accounts.note(
            limited,
            of: .init(
                tenant: ID(high: 1, low: 1),
                asked: .init(stage: "stt", vendor: "deepgram", product: "nova-3"), credential: Redacted("")),
            at: now)
        let links = [("deepgram", one), ("deepgram-eu", two)].map { name, vendor in
            RecognitionChain.Link(
                key: .init(stage: "stt", vendor: name, product: "nova-3"),
                recogniser: DeepgramSpeechToText(
                    access: VendorAccess(key: Redacted("k"), baseURL: vendor.url),
                    options: DeepgramOptions(), reach: .anywhere))
        }
        let chain = RecognitionChain(
            links, tenant: ID(high: 1, low: 1), breakers: CircuitBreakers(), accounts: accounts)
        let caller = try await Caller(chain)
        try await caller.say(known[0].audio)
        #expect(await caller.final().text == "monday")
        #expect(caller.fellBack == ["stt.rate_limited"] && one.asked.isEmpty)
        try await caller.close()
        await one.stop()
        await two.stop()
    }

    @Test func aSocketCutInMidWordLosesNone() async throws {
        let known = try await known()
        let vendor = try await vendor(known)
        let caller = try await Caller(chain(vendor))
        try await caller.say(known[0].audio)
        #expect(await caller.final().text == "monday")
        // In the middle of the second utterance.
        let half = known[1].audio.count * 2 / 3 / 160 * 160
        try await caller.start(Array(known[1].audio[..<half]))
        _ = await caller.events.first { event -> Bool? in if case .partial = event { true } else { nil } }
        let cut = ContinuousClock.now
        vendor.breakAll()
        _ = await caller.events.first { event -> Bool? in if case .fellBack = event { true } else { nil } }
        #expect(ContinuousClock.now - cut < .milliseconds(800))
        try await caller.finish(Array(known[1].audio[half...]))
        let final = await caller.final()
        #expect(final.text == "tuesday please", "\(String(describing: final.fault))")
        // Its words stand where the caller said them, though another socket heard them.
        let start = known[0].audio.count / 8 + 300
        #expect(abs((final.words.first?.startMs ?? 0) - start) < 100, "\(final.words) \(start)")
        try await caller.close()
        let sentMs = known.reduce(0) { $0 + ($1.audio.count + 159) / 160 * 20 + 300 }
        // The beginning of the utterance was heard, and is paid for, twice.
        #expect((caller.usage?.quantity ?? 0) > Int64(sentMs))
        await vendor.stop()
    }

    @Test func theNextVendorHearsWhatTheFirstDidNot() async throws {
        let known = try await known()
        let (one, two) = try await (vendor(known), vendor(known))
        one.trouble([.cut(afterMessages: 2)])
        let caller = try await Caller(chain(one, two))
        try await caller.say(known[1].audio)
        #expect(await caller.final().text == "tuesday please")
        #expect(caller.fellBack == ["stt.cut"] && two.asked.count == 1)
        #expect(try await caller.hearer() == ModelChoice(vendor: "deepgram", model: "1"))
        try await caller.say(known[0].audio)
        #expect(await caller.final().text == "monday")
        #expect(one.asked.count == 1)
        try await caller.close()
        await one.stop()
        await two.stop()
    }

    @Test func aRefusedAccountIsNotAskedAgain() async throws {
        let known = try await known()
        let vendor = try await vendor(known)
        vendor.trouble(Array(repeating: .refuse(status: 401, retryAfterSeconds: nil), count: 3))
        let caller = try await Caller(chain(vendor))
        #expect(await caller.final().fault?.code == "stt.unauthorized")
        #expect(vendor.asked.count == 1)
        await vendor.stop()
    }

    @Test func aLoneVendorThatFailsIsAskedAgainAndAgainWithPauses() async throws {
        let vendor = try await vendor([], script: ["hello there"])
        vendor.trouble(Array(repeating: .cut(afterMessages: 0), count: 3))
        let caller = try await Caller(chain(vendor))
        // Half a second of something loud.
        try await caller.say([UInt8](repeating: 0x10, count: 4_000))
        #expect(await caller.final().text == "hello there")
        #expect(caller.fellBack == ["stt.cut", "stt.cut", "stt.cut"])
        try await caller.close()
        await vendor.stop()
    }
}

extension Caller {
    var fellBack: [String] {
        events.all.compactMap { event -> String? in
            if case .fellBack(_, let fault) = event { fault.code } else { nil }
        }
    }
}
