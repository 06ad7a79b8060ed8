import Base
import NIOCore
import TestKit
import Testing
import VendorSim
import WebSockets

@testable import Speech

/// A synthesiser behind a network, and everything that can be wrong with one.
@Suite(.timeLimit(.minutes(2))) struct SpeakingFaultTests {
    static let line = "Your table is booked for Tuesday."

    struct Case: Sendable, CustomTestStringConvertible {
        var trouble: VendorTrouble
        var fault: String
        var testDescription: String { "\(trouble)" }
    }

    static let cases = [
        Case(trouble: .refuse(status: 400, retryAfterSeconds: nil), fault: "tts.bad_request never"),
        Case(trouble: .refuse(status: 401, retryAfterSeconds: nil), fault: "tts.unauthorized never"),
        Case(trouble: .refuse(status: 402, retryAfterSeconds: nil), fault: "tts.quota never"),
        Case(trouble: .refuse(status: 403, retryAfterSeconds: nil), fault: "tts.forbidden never"),
        Case(
            trouble: .refuse(status: 429, retryAfterSeconds: 7), fault: "tts.rate_limited after(7.0 seconds)"),
        Case(
            trouble: .refuse(status: 500, retryAfterSeconds: nil), fault: "tts.unavailable after(0.5 seconds)"
        ),
        Case(trouble: .silence, fault: "tts.silent after(0.0 seconds)"),
        Case(trouble: .stall(afterMessages: 3), fault: "tts.silent after(0.0 seconds)"),
        Case(trouble: .cut(afterMessages: 3), fault: "tts.cut after(0.0 seconds)"),
        Case(trouble: .close(code: 1011, afterMessages: 2), fault: "tts.cut after(0.0 seconds)"),
        Case(trouble: .malformed(afterMessages: 2), fault: "tts.garbled after(0.5 seconds)"),
        Case(trouble: .endless, fault: "tts.endless after(0.5 seconds)"),
        Case(trouble: .wrongFormat, fault: "tts.wrong_format never"),
    ]

    static var limits: SpeakingSockets.Limits {
        var limits = SpeakingSockets.Limits()
        limits.firstAudioMax = .milliseconds(400)
        limits.stallMax = .milliseconds(400)
        limits.tickEvery = .milliseconds(50)
        return limits
    }

    @Test(arguments: AnySynthesizer.overNetwork, cases)
    func aFaultSaysWhatHappenedAndTheNextTextIsSpoken(kind: AnySynthesizer, sample: Case) async throws {
        let bench = try await kind.bench(limits: Self.limits)
        bench.trouble([sample.trouble])
        let listener = try await Listener(bench, Self.line)
        #expect(await listener.end().fault.map { "\($0.code) \($0.retry)" } == sample.fault)
        let next = try await Listener(bench, "Next.")
        let end = await next.end()
        #expect(end.usage != nil || sample.trouble.staysOnItsSocket, "\(String(describing: end.fault))")
        await bench.stop()
    }

    @Test(arguments: [
        (AnySynthesizer.cartesia, "tts.policy never"),
        (.elevenLabs, "tts.rate_limited after(1.0 seconds)"),
    ])
    func aCloseByPolicyIsALimitWhereTheVendorClosesSo(kind: AnySynthesizer, fault: String) async throws {
        let bench = try await kind.bench(limits: Self.limits)
        bench.trouble([.close(code: 1008, afterMessages: 0)])
        let listener = try await Listener(bench, Self.line)
        #expect(await listener.end().fault.map { "\($0.code) \($0.retry)" } == fault)
        #expect(await (try await Listener(bench, "Next.")).end().usage != nil)
        await bench.stop()
    }

    @Test(
        arguments: AnySynthesizer.overNetwork,
        [VendorTrouble.splitCharacters, .unknownEvents, .trickle(milliseconds: 0)])
    func oddWaysOfSendingChangeNothing(kind: AnySynthesizer, trouble: VendorTrouble) async throws {
        var delivery = SimulatedDelivery.quick
        delivery.chunk = .seconds(5)
        let bench = try await kind.bench(delivery: delivery)
        bench.trouble([trouble])
        let listener = try await Listener(bench, "Ça va.")
        #expect(await listener.end().usage?.quantity == 6)
        #expect(listener.words.map(\.text) == ["Ça", "va."])
        await bench.stop()
    }

    @Test func anErrorMessageFailsOneTextAndNoOther() async throws {
        var delivery = SimulatedDelivery.quick
        delivery.speed = 20
        let bench = try await AnySynthesizer.cartesia.bench(delivery: delivery)
        let good = try await Listener(bench, Self.line)
        #expect(await good.firstAudio())
        let bad = try await on(Listener.loop) { () -> Recorder<SynthesisEvent> in
            let events = Recorder<SynthesisEvent>()
            // Cartesia wants a voice.
            _ = bench.synthesizer.speak("No voice.", voice: "", on: Listener.loop) { events.record($0) }
            return events
        }
        let fault = await bad.first { event -> Fault? in
            if case .failed(let fault) = event { fault } else { nil }
        }
        #expect(fault?.code == "tts.bad_request" && fault?.retry == .never)
        #expect(await good.end().usage != nil)
        await bench.stop()
    }
}

extension VendorTrouble {
    /// It is the socket's and does not end it.
    fileprivate var staysOnItsSocket: Bool {
        switch self {
        case .endless, .wrongFormat: true
        default: false
        }
    }
}

/// One socket for many texts.
@Suite(.timeLimit(.minutes(2))) struct SpeakingSocketsTests {
    private func start(_ change: (inout SimulatedCartesia.Configuration) -> Void = { _ in }) async throws
        -> SimulatedVendor
    {
        var configuration = SimulatedCartesia.Configuration()
        configuration.delivery = .quick
        change(&configuration)
        return try await SimulatedCartesia.start(configuration)
    }

    private func bench(
        _ vendor: SimulatedVendor, contexts: Int = 100,
        _ change: (inout SpeakingSockets.Limits) -> Void = { _ in }
    ) -> AnySynthesizer.Bench {
        var options = CartesiaOptions()
        options.contextsMax = contexts
        var limits = SpeakingSockets.Limits()
        limits.tickEvery = .milliseconds(20)
        change(&limits)
        let dialect = CartesiaDialect(
            access: VendorAccess(key: Redacted("k"), baseURL: vendor.url), options: options)
        return AnySynthesizer.Bench(
            synthesizer: SocketTextToSpeech(dialect, reach: .anywhere, limits: limits), voice: "v",
            source: "cartesia/sonic-3.5")
    }

    @Test func aWarmSocketIsSharedByAllTexts() async throws {
        let vendor = try await start()
        let bench = bench(vendor)
        try await on(Listener.loop) { bench.synthesizer.warm(voice: "v", on: Listener.loop) }
        try await until { vendor.openSockets == 1 }
        for _ in 0..<3 {
            let texts = try await [
                Listener(bench, "One."), Listener(bench, "Two."), Listener(bench, "Three."),
            ]
            for text in texts { #expect(await text.end().usage != nil) }
        }
        #expect(vendor.socketsAsked == 1)
        await vendor.stop()
    }

    @Test func fullSocketsGetCompanyUpToTheLimitAndThenTextsWait() async throws {
        let vendor = try await start { $0.delivery.speed = 20 }
        let bench = bench(vendor, contexts: 2) { $0.socketsMax = 2 }
        var texts: [Listener] = []
        for number in 0..<8 { texts.append(try await Listener(bench, "Number \(number).")) }
        for text in texts { #expect(await text.end().usage != nil) }
        #expect(vendor.socketsAsked == 2)
        await vendor.stop()
    }

    @Test func whatCannotWaitIsRefused() async throws {
        let vendor = try await start { $0.delivery.firstAudio = .fixed(.seconds(1)) }
        let bench = bench(vendor, contexts: 1) {
            $0.socketsMax = 1
            $0.waitingMax = 1
        }
        let texts = try await [Listener(bench, "One."), Listener(bench, "Two."), Listener(bench, "Three.")]
        #expect(await texts[2].end().fault?.code == "tts.busy")
        _ = try await texts[0].cancel()
        #expect(await texts[1].end().usage != nil)
        await vendor.stop()
    }

    @Test func idleSocketsAreClosedAndTheNextTextOpensAnother() async throws {
        let vendor = try await start()
        let bench = bench(vendor) { $0.idleMax = .milliseconds(60) }
        #expect(await (try await Listener(bench, "One.")).end().usage != nil)
        try await until { vendor.openSockets == 0 }
        #expect(await (try await Listener(bench, "Two.")).end().usage != nil)
        #expect(vendor.socketsAsked == 2)
        await vendor.stop()
    }

    /// ElevenLabs' dialogues, whose sockets the vendor closes after `inactivity`.
    private func dialogue(_ inactivity: Duration) async throws -> (SimulatedVendor, ElevenLabsDialect) {
        var configuration = SimulatedElevenLabs.Configuration()
        configuration.delivery = .quick
        configuration.dialogueInactivityMax = inactivity
        let vendor = try await SimulatedElevenLabs.start(configuration)
        let options = ElevenLabsOptions(model: "eleven_v4_turbo", language: "en", [:])
        return (
            vendor,
            ElevenLabsDialect(access: VendorAccess(key: Redacted("k"), baseURL: vendor.url), options: options)
        )
    }

    @Test func aSocketThatTheVendorClosedIsOpenAgainBeforeTheNextText() async throws {
        let (vendor, dialect) = try await dialogue(.milliseconds(60))
        let synthesizer = SocketTextToSpeech(dialect, reach: .anywhere)
        let bench = AnySynthesizer.Bench(synthesizer: synthesizer, voice: "v", source: "")
        #expect(await (try await Listener(bench, "One.")).end().usage != nil)
        try await until { vendor.openSockets == 0 }
        // The caller begins to speak: the agent will answer. Our end may hear of the close a moment after the vendor's.
        try await until {
            Listener.loop.execute { synthesizer.warm(voice: "v", on: Listener.loop) }
            return vendor.socketsAsked == 2
        }
        #expect(await (try await Listener(bench, "Two.")).end().usage != nil)
        await vendor.stop()
    }

    @Test func aSocketThatWillNotLastIsReplacedAhead() async throws {
        let vendor = try await start()
        let bench = bench(vendor) {
            $0.idleMax = .seconds(60)
            $0.warmAhead = .seconds(60)
        }
        #expect(await (try await Listener(bench, "One.")).end().usage != nil)
        func warm() async throws {
            try await on(Listener.loop) { bench.synthesizer.warm(voice: "v", on: Listener.loop) }
        }
        // Half of its time is always enough: what is warm already stays.
        try await warm()
        #expect(vendor.socketsAsked == 1)
        await vendor.stop()
        let (other, dialect) = try await dialogue(.seconds(20))
        var limits = SpeakingSockets.Limits()
        limits.idleMax = .milliseconds(600)
        limits.tickEvery = .seconds(60)
        let synthesizer = SocketTextToSpeech(dialect, reach: .anywhere, limits: limits)
        let ageing = AnySynthesizer.Bench(synthesizer: synthesizer, voice: "v", source: "")
        #expect(await (try await Listener(ageing, "One.")).end().usage != nil)
        try await until {
            try await on(Listener.loop) { synthesizer.warm(voice: "v", on: Listener.loop) }
            return other.socketsAsked == 2
        }
        try await until { other.openSockets == 1 }
        #expect(await (try await Listener(ageing, "Two.")).end().usage != nil)
        #expect(other.socketsAsked == 2)
        await other.stop()
    }

    @Test func aSocketThatTheVendorClosedWhileIdleCostsTheTextNothing() async throws {
        let vendor = try await start { $0.delivery.firstAudio = .fixed(.milliseconds(100)) }
        let bench = bench(vendor)
        #expect(await (try await Listener(bench, "One.")).end().usage != nil)
        let second = try await Listener(bench, "Two.")
        try await until { vendor.messages.count == 2 }
        vendor.breakAll()
        #expect(await second.end().usage != nil)
        #expect(vendor.socketsAsked == 2)
        await vendor.stop()
    }

    @Test func cancellingTellsTheVendor() async throws {
        let vendor = try await start { $0.delivery.speed = 1 }
        let bench = bench(vendor)
        let text = try await Listener(bench, SpeakingFaultTests.line)
        #expect(await text.firstAudio())
        _ = try await text.cancel()
        try await until { vendor.messages.last?["cancel"] == true }
        #expect(vendor.messages.first?["context_id"] == vendor.messages.last?["context_id"])
        await vendor.stop()
    }

    @Test func theRequestSaysWhatTheAgentWants() async throws {
        let vendor = try await start()
        let options = CartesiaOptions(
            model: "sonic-3", language: "de-DE", ["speed": .double(1.2), "emotion": "calm", "volume": "loud"])
        let synthesizer = SocketTextToSpeech.cartesia(
            access: VendorAccess(key: Redacted("k"), baseURL: vendor.url + "/"), options: options,
            reach: .anywhere)
        let bench = AnySynthesizer.Bench(synthesizer: synthesizer, voice: "v-7", source: "")
        _ = await (try await Listener(bench, "Guten \"Tag\".")).end()
        let asked = try #require(vendor.messages.first)
        #expect(asked["model_id"] == "sonic-3" && asked["language"] == "de" && asked["voice"]?["id"] == "v-7")
        #expect(asked["transcript"] == "Guten \"Tag\"." && asked["continue"] == false)
        #expect(
            asked["output_format"] == ["container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000])
        #expect(asked["generation_config"] == ["speed": .double(1.2), "emotion": "calm"])
        await vendor.stop()
    }
}
