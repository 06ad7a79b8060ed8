import Base
import NIOCore
import NIOPosix
import TestKit
import Testing
import VendorSim
import WebSockets

@testable import Speech

/// What every synthesiser does, whoever makes it.
enum AnySynthesizer: String, CaseIterable, CustomTestStringConvertible {
    case offline, cartesia, cartesiaOverTLS, elevenLabs, elevenLabsDialogue
    var testDescription: String { rawValue }

    struct Bench: Sendable {
        var synthesizer: any TextToSpeech
        var voice: String
        var source: String
        var trouble: @Sendable ([VendorTrouble]) -> Void = { _ in }
        var stop: @Sendable () async -> Void = {}
    }

    func bench(
        reach: WebSocketReach? = nil, limits: SpeakingSockets.Limits = .init(),
        delivery: SimulatedDelivery = .quick
    ) async throws -> Bench {
        let reach = try reach ?? .trustingOwnCertificate()
        switch self {
        case .offline: return Bench(synthesizer: OfflineTextToSpeech(), voice: "rms", source: "offline")
        case .elevenLabs, .elevenLabsDialogue:
            var configuration = SimulatedElevenLabs.Configuration()
            configuration.vendor.key = "key-1"
            configuration.delivery = delivery
            let vendor = try await SimulatedElevenLabs.start(configuration)
            var options = ElevenLabsOptions()
            if self == .elevenLabsDialogue { options.model = "eleven_v4_turbo" }
            let dialect = ElevenLabsDialect(
                access: VendorAccess(key: Redacted("key-1"), baseURL: vendor.url), options: options)
            return Bench(
                synthesizer: SocketTextToSpeech(dialect, reach: reach, limits: limits), voice: "voice-1",
                source: "elevenlabs/\(options.model)", trouble: { vendor.trouble($0) },
                stop: { await vendor.stop() })
        case .cartesia, .cartesiaOverTLS:
            var configuration = SimulatedCartesia.Configuration()
            configuration.vendor.key = "key-1"
            configuration.delivery = delivery
            if self == .cartesiaOverTLS { configuration.vendor.tls = try OwnCertificate.serving() }
            let vendor = try await SimulatedCartesia.start(configuration)
            let dialect = CartesiaDialect(
                access: VendorAccess(key: Redacted("key-1"), baseURL: vendor.url), options: CartesiaOptions())
            return Bench(
                synthesizer: SocketTextToSpeech(dialect, reach: reach, limits: limits), voice: "voice-1",
                source: "cartesia/sonic-3.5", trouble: { vendor.trouble($0) }, stop: { await vendor.stop() })
        }
    }

    static let overNetwork = allCases.filter { $0 != .offline }
}

extension SimulatedDelivery {
    static var quick: SimulatedDelivery {
        var delivery = SimulatedDelivery()
        delivery.firstAudio = .fixed(.milliseconds(5))
        delivery.speed = 100
        return delivery
    }
}

/// One text being spoken, and what is told of it.
final class Listener: Sendable {
    static let loop = MultiThreadedEventLoopGroup.singleton.next()
    let events = Recorder<SynthesisEvent>()
    private let stream: NIOLoopBound<any SynthesisStream>

    init(_ bench: AnySynthesizer.Bench, _ text: String) async throws {
        let events = events
        stream = try await on(Self.loop) {
            NIOLoopBound(
                bench.synthesizer.speak(text, voice: bench.voice, on: Self.loop) { events.record($0) },
                eventLoop: Self.loop)
        }
    }

    /// How it ended: `finished` with its usage, or the fault.
    func end() async -> (usage: Usage?, fault: Fault?) {
        let end = await events.first { event -> (Usage?, Fault?)? in
            switch event {
            case .finished(let usage): (usage, nil)
            case .failed(let fault): (nil, fault)
            case .audio, .words, .spent, .fellBack: nil
            }
        }
        return end ?? (nil, nil)
    }

    func firstAudio() async -> Bool {
        await events.first { if case .audio = $0 { true } else { nil } } ?? false
    }

    func cancel() async throws -> [Usage] {
        let stream = stream
        return try await on(Self.loop) {
            stream.value.cancel()
            return stream.value.usageSoFar
        }
    }

    func speaker() async throws -> ModelChoice? {
        let stream = stream
        return try await on(Self.loop) { stream.value.speaker }
    }

    var bytes: Int { SynthesisTests.bytes(events.all).reduce(0, +) }
    var words: [Word] {
        events.all.flatMap { event -> [Word] in if case .words(let words) = event { words } else { [] } }
    }
}

@Suite(.timeLimit(.minutes(2))) struct SpeakingSuite {
    static let line = "Your table is booked for Tuesday."

    func with(
        _ kind: AnySynthesizer, limits: SpeakingSockets.Limits = .init(),
        delivery: SimulatedDelivery = .quick,
        _ body: (AnySynthesizer.Bench) async throws -> Void
    ) async throws {
        let bench = try await kind.bench(limits: limits, delivery: delivery)
        let result: Result<Void, any Error>
        do { result = .success(try await body(bench)) } catch { result = .failure(error) }
        await bench.stop()
        try result.get()
    }

    @Test(arguments: AnySynthesizer.allCases)
    func aTextIsSpokenToItsEndAndItsCharactersCounted(kind: AnySynthesizer) async throws {
        try await with(kind) { bench in
            let listener = try await Listener(bench, Self.line)
            let end = await listener.end()
            #expect(
                end.usage
                    == Usage(
                        component: .tts, source: bench.source, unit: .characters,
                        quantity: Int64(Self.line.count)),
                "\(String(describing: end.fault))")
            // One to five seconds of µ-law.
            #expect((8_000...40_000).contains(listener.bytes), "\(listener.bytes)")
            #expect(SynthesisTests.bytes(listener.events.all).count > 5)
        }
    }

    @Test(arguments: AnySynthesizer.overNetwork)
    func wordsHaveTheirPlaces(kind: AnySynthesizer) async throws {
        try await with(kind) { bench in
            let listener = try await Listener(bench, Self.line)
            _ = await listener.end()
            #expect(listener.words.map(\.text).joined(separator: " ") == Self.line)
            let times = listener.words.flatMap { [$0.startMs, $0.endMs] }
            #expect(times == times.sorted() && (times.last ?? 0) <= listener.bytes / 8)
        }
    }

    @Test(arguments: AnySynthesizer.allCases)
    func severalTextsAtOnceDoNotMix(kind: AnySynthesizer) async throws {
        try await with(kind) { bench in
            let texts = ["One.", "Two and three and four.", Self.line]
            var listeners: [Listener] = []
            for text in texts { listeners.append(try await Listener(bench, text)) }
            for (text, listener) in zip(texts, listeners) {
                #expect(await listener.end().usage?.quantity == Int64(text.count))
            }
            let alone = try await Listener(bench, texts[1])
            _ = await alone.end()
            #expect(abs(alone.bytes - listeners[1].bytes) < 800)
        }
    }

    @Test(arguments: AnySynthesizer.allCases)
    func afterCancelNothingIsToldAndTheCostIsKnown(kind: AnySynthesizer) async throws {
        var delivery = SimulatedDelivery.quick
        delivery.speed = 2
        try await with(kind, delivery: delivery) { bench in
            let listener = try await Listener(bench, Self.line)
            if kind != .offline { #expect(await listener.firstAudio()) }
            let usage = try await listener.cancel()
            let count = listener.events.all.count
            if kind != .offline { #expect(usage.map(\.quantity) == [Int64(Self.line.count)]) }
            let next = try await Listener(bench, "Next.")
            #expect(await next.end().usage != nil)
            #expect(listener.events.all.count == count)
        }
    }
}
