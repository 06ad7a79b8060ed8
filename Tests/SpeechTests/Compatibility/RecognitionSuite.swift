import Audio
import Base
import NIOCore
import NIOPosix
import NIOSSL
import OfflineVoices
import TestKit
import Testing
import VendorSim
import WebSockets

@testable import Speech

/// What every recogniser does, whoever makes it: one table, one set of tests.
enum AnyRecognizer: String, CaseIterable, CustomTestStringConvertible {
    case offline, nova, flux, novaOverTLS
    var testDescription: String { rawValue }

    static let lines = ["monday", "tuesday please"]

    /// The recogniser, and how it is put away.
    struct Bench: Sendable {
        var recognizer: any SpeechToText
        var source: String
        var stop: @Sendable () async -> Void = {}
    }

    func bench(_ known: [KnownSpeech]) async throws -> Bench {
        if self == .offline { return Bench(recognizer: Phone.recognizer, source: "offline") }
        var configuration = SimulatedDeepgram.Configuration()
        configuration.known = known
        configuration.vendor.key = "dg-test"
        configuration.finalDelay = .fixed(.milliseconds(40))
        if self == .novaOverTLS { configuration.vendor.tls = try OwnCertificate.serving() }
        let vendor = try await SimulatedDeepgram.start(configuration)
        var options = DeepgramOptions()
        if self == .flux { options.model = "flux-general-en" }
        let recognizer = DeepgramSpeechToText(
            access: VendorAccess(key: Redacted("dg-test"), baseURL: vendor.url), options: options,
            reach: try .trustingOwnCertificate())
        return Bench(
            recognizer: recognizer, source: "deepgram/\(options.model)", stop: { await vendor.stop() })
    }
}

extension WebSocketReach {
    /// Any address, and `OwnCertificate`.
    static func trustingOwnCertificate() throws -> WebSocketReach {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates([try OwnCertificate.make()])
        return WebSocketReach(configuration) { _ in true }
    }
}

/// One caller of a recogniser: says things and keeps what is told.
final class Caller: Sendable {
    static let loop = MultiThreadedEventLoopGroup.singleton.next()
    let events = Recorder<RecognitionEvent>()
    private let stream: NIOLoopBound<any RecognitionStream>

    init(_ recognizer: any SpeechToText, _ settings: RecognitionSettings = .init(language: "en-US"))
        async throws
    {
        let events = events
        stream = try await on(Self.loop) {
            NIOLoopBound(
                recognizer.open(settings, on: Self.loop) { events.record($0) }, eventLoop: Self.loop)
        }
    }

    /// Speech with the ear's edges round it and 300 ms of silence behind, as fast as it goes.
    func say(_ audio: [UInt8], as expectation: Base.Expectation = .date) async throws {
        try await start(audio, as: expectation)
        try await finish([])
    }

    /// The beginning of an utterance, and its end.
    func start(_ audio: [UInt8], as expectation: Base.Expectation = .date) async throws {
        let stream = stream
        try await on(Self.loop) {
            stream.value.expect(expectation, phrases: [])
            stream.value.utteranceStarted()
            Self.send(audio, to: stream.value)
        }
    }

    func finish(_ audio: [UInt8]) async throws {
        let stream = stream
        try await on(Self.loop) {
            Self.send(audio, to: stream.value)
            Self.send([UInt8](repeating: Audio.MuLaw.silence, count: 2_400), to: stream.value)
            stream.value.utteranceEnded()
        }
    }

    func send(_ audio: [UInt8]) async throws {
        let stream = stream
        try await on(Self.loop) { Self.send(audio, to: stream.value) }
    }

    private static func send(_ audio: [UInt8], to stream: any RecognitionStream) {
        for start in stride(from: 0, to: audio.count, by: 160) {
            var frame = Array(audio[start..<min(start + 160, audio.count)])
            frame += [UInt8](repeating: Audio.MuLaw.silence, count: 160 - frame.count)
            stream.send(ByteBuffer(bytes: frame))
        }
    }

    func hearer() async throws -> ModelChoice? {
        let stream = stream
        return try await on(Self.loop) { stream.value.hearer }
    }

    func close() async throws {
        let stream = stream
        try await on(Self.loop) { stream.value.close() }
    }

    /// The next final with words, or the failure.
    func final() async -> Final {
        let final = await events.first { event -> Final? in
            switch event {
            case .final(let text, let words) where !text.isEmpty: Final(text: text, words: words)
            case .failed(let fault): Final(text: "", fault: fault)
            default: nil
            }
        }
        return final ?? Final(text: "nothing was told")
    }

    struct Final: Sendable {
        var text: String
        var words: [Word] = []
        var fault: Fault?
    }

    var partials: [String] {
        events.all.compactMap { event -> String? in if case .partial(let text) = event { text } else { nil } }
    }
    var usage: Usage? {
        events.all.compactMap { event -> Usage? in if case .usage(let usage) = event { usage } else { nil } }
            .last
    }
}

@Suite(.timeLimit(.minutes(2))) struct RecognitionSuite {
    private func spoken() async throws -> [KnownSpeech] {
        var spoken: [KnownSpeech] = []
        for line in AnyRecognizer.lines { spoken.append(try await .spoken(line, voice: "rms")) }
        return spoken
    }

    private func with(
        _ kind: AnyRecognizer, _ body: (AnyRecognizer.Bench, [KnownSpeech]) async throws -> Void
    ) async throws {
        let known = try await spoken()
        let bench = try await kind.bench(known)
        let result: Result<Void, any Error>
        do { result = .success(try await body(bench, known)) } catch { result = .failure(error) }
        await bench.stop()
        try result.get()
    }

    @Test(arguments: AnyRecognizer.allCases)
    func anUtteranceGivesOneFinalWithItsWordsInTheirPlaces(kind: AnyRecognizer) async throws {
        try await with(kind) { bench, known in
            let caller = try await Caller(bench.recognizer)
            for (line, speech) in zip(AnyRecognizer.lines, known) {
                try await caller.say(speech.audio)
                let final = await caller.final()
                #expect(final.text == line, "\(String(describing: final.fault))")
                let times = final.words.flatMap { [$0.startMs, $0.endMs] }
                #expect(times == times.sorted() && final.words.map(\.text).joined(separator: " ") == line)
            }
            let sentMs = known.reduce(0) { $0 + ($1.audio.count + 159) / 160 * 20 + 300 }
            let starts = caller.events.all.compactMap { event -> Int? in
                if case .final(_, let words) = event { words.first?.startMs } else { nil }
            }
            #expect(starts.count == 2 && starts[1] >= known[0].audio.count / 8, "\(starts)")
            try await caller.close()
            #expect(caller.usage?.source == bench.source && caller.usage?.unit == .milliseconds)
            #expect(caller.usage?.quantity == Int64(sentMs), "\(String(describing: caller.usage))")
        }
    }

    @Test(arguments: AnyRecognizer.allCases)
    func silenceGivesNoWords(kind: AnyRecognizer) async throws {
        try await with(kind) { bench, known in
            let caller = try await Caller(bench.recognizer)
            try await caller.send([UInt8](repeating: Audio.MuLaw.silence, count: 8_000))
            try await caller.say(known[0].audio)
            #expect(await caller.final().text == AnyRecognizer.lines[0])
            try await caller.close()
        }
    }

    @Test(arguments: AnyRecognizer.allCases)
    func afterCloseNothingIsTold(kind: AnyRecognizer) async throws {
        try await with(kind) { bench, known in
            let caller = try await Caller(bench.recognizer)
            try await caller.say(known[0].audio)
            try await caller.close()
            let count = caller.events.all.count
            // Another caller's words come after whatever would have come for the first.
            let other = try await Caller(bench.recognizer)
            try await other.say(known[1].audio)
            _ = await other.final()
            #expect(caller.events.all.count == count)
            try await other.close()
        }
    }

    @Test(arguments: [AnyRecognizer.nova, .flux, .novaOverTLS])
    func partialsGrowWhileTheCallerSpeaks(kind: AnyRecognizer) async throws {
        try await with(kind) { bench, known in
            let caller = try await Caller(bench.recognizer)
            try await caller.say(known[1].audio)
            let final = await caller.final()
            #expect(caller.partials.contains("tuesday"), "\(caller.partials)")
            #expect(caller.partials.allSatisfy { final.text.hasPrefix($0) })
            try await caller.close()
        }
    }
}
