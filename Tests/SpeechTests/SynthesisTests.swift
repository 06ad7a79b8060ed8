import Audio
import Base
import NIOCore
import NIOPosix
import OfflineVoices
import Synchronization
import Testing

@testable import Speech

struct SynthesisTests {
    static let loop = MultiThreadedEventLoopGroup.singleton.next()
    static let line = "Thank you for calling, how can I help you today please?"

    static func bytes(_ events: [SynthesisEvent]) -> [Int] {
        events.compactMap { if case .audio(let buffer) = $0 { buffer.readableBytes } else { nil } }
    }
    static func ended(_ event: SynthesisEvent) -> Bool? {
        switch event {
        case .finished, .failed: true
        case .audio, .words, .spent, .fellBack: nil
        }
    }

    @Test func audioComesInPiecesBeforeTheEndAndUsageWithIt() async throws {
        let recorder = Recorder<SynthesisEvent>()
        _ = try await on(Self.loop) {
            _ = OfflineTextToSpeech().speak(Self.line, voice: "rms", on: Self.loop) { recorder.record($0) }
        }
        _ = await recorder.first(Self.ended)
        let sizes = Self.bytes(recorder.all)
        #expect(sizes.count > 10)
        #expect((8_000 * 2...8_000 * 6).contains(sizes.reduce(0, +)))
        guard case .finished(let usage) = recorder.all.last else {
            return #expect(Bool(false), "not finished")
        }
        #expect(
            usage
                == Usage(
                    component: .tts, source: "offline", unit: .characters, quantity: Int64(Self.line.count)))
    }

    @Test func anUnknownVoiceFailsForGood() async throws {
        let recorder = Recorder<SynthesisEvent>()
        _ = try await on(Self.loop) {
            _ = OfflineTextToSpeech().speak(Self.line, voice: "nobody", on: Self.loop) { recorder.record($0) }
        }
        _ = await recorder.first(Self.ended)
        guard case .failed(let fault) = recorder.all.last else { return #expect(Bool(false), "not failed") }
        #expect(fault.code == "tts.voice" && fault.retry == .never)
    }

    @Test func afterCancelNothingIsTold() async throws {
        let recorder = Recorder<SynthesisEvent>()
        let count = try await on(Self.loop) { () -> Int in
            let stream = OfflineTextToSpeech().speak(Self.line, voice: "rms", on: Self.loop) {
                recorder.record($0)
            }
            stream.cancel()
            return recorder.all.count
        }
        // A second speech on the same loop ends after whatever the first would have told.
        let other = Recorder<SynthesisEvent>()
        _ = try await on(Self.loop) {
            _ = OfflineTextToSpeech().speak(Self.line, voice: "rms", on: Self.loop) { other.record($0) }
        }
        _ = await other.first(Self.ended)
        #expect(count == 0 && recorder.all.isEmpty)
    }

    @Test func preparedLinesAreMadeOnceAndComeAtOnce() async throws {
        let counting = CountingSynthesizer()
        let cache = SpeechCache(counting)
        for _ in 0..<20 { cache.prepare([Self.line], voice: "rms", on: Self.loop) }
        try await on(Self.loop) {}
        while !cache.holds(Self.line, voice: "rms") { try await on(Self.loop) {} }
        #expect(counting.made.withLock { $0 } == 1)
        let recorder = Recorder<SynthesisEvent>()
        _ = try await on(Self.loop) {
            _ = cache.speak(Self.line, voice: "rms", on: Self.loop) { recorder.record($0) }
        }
        _ = await recorder.first(Self.ended)
        #expect(Self.bytes(recorder.all) == [800])
        guard case .finished(let usage) = recorder.all.last else {
            return #expect(Bool(false), "not finished")
        }
        #expect(usage.quantity == 0)
        _ = try await on(Self.loop) {
            _ = cache.speak("something else", voice: "rms", on: Self.loop) { recorder.record($0) }
        }
        #expect(counting.made.withLock { $0 } == 2)
        #expect(!cache.holds("something else", voice: "rms"))
    }

    @Test func aLineThatAnotherWorkerMadeIsNotMadeAgain() async throws {
        let store = SharedLines()
        func cache(_ synthesiser: CountingSynthesizer, _ id: String) -> SpeechCache {
            SpeechCache(synthesiser, shared: SpeechCache.Shared(store: store, id: [id]))
        }
        func prepare(_ cache: SpeechCache) async throws {
            cache.prepare([Self.line], voice: "rms", on: Self.loop)
            while !cache.holds(Self.line, voice: "rms") { try await on(Self.loop) {} }
        }
        let (one, two, other) = (CountingSynthesizer(), CountingSynthesizer(), CountingSynthesizer())
        try await prepare(cache(one, "v"))
        while store.lines.withLock({ $0.isEmpty }) { try await on(Self.loop) {} }
        let second = cache(two, "v")
        try await prepare(second)
        // What sounds otherwise is another line.
        try await prepare(cache(other, "w"))
        #expect([one, two, other].map { $0.made.withLock { $0 } } == [1, 0, 1])
        let recorder = Recorder<SynthesisEvent>()
        _ = try await on(Self.loop) {
            _ = second.speak(Self.line, voice: "rms", on: Self.loop) { recorder.record($0) }
        }
        _ = await recorder.first(Self.ended)
        #expect(Self.bytes(recorder.all) == [800])
    }

    @Test func withoutItsStoreALineIsMadeAllTheSame() async throws {
        let (gate, opening) = AsyncStream<Void>.makeStream()
        let store = SharedLines(gate)
        let counting = CountingSynthesizer()
        let cache = SpeechCache(counting, shared: SpeechCache.Shared(store: store, id: []))
        cache.prepare([Self.line], voice: "rms", on: Self.loop)
        while !cache.holds(Self.line, voice: "rms") { try await on(Self.loop) {} }
        #expect(counting.made.withLock { $0 } == 1)
        opening.finish()
    }

    @Test func callsThatSpeakALineBeforeItIsThereShareOneMaking() async throws {
        let stepped = SteppedSynthesizer()
        let cache = SpeechCache(stepped)
        let hearers = (0..<3).map { _ in Recorder<SynthesisEvent>() }
        @Sendable func speak(_ index: Int) -> any SynthesisStream {
            cache.speak("Welcome.", voice: "rms", on: Self.loop) { hearers[index].record($0) }
        }
        try await on(Self.loop) {
            // The line before it is being made, the greeting waits: whoever speaks it does not.
            cache.prepare(["Goodbye.", "Welcome."], voice: "rms", on: Self.loop)
            _ = speak(0)
            stepped.give(.audio(ByteBuffer(repeating: 1, count: 160)), of: "Welcome.")
            _ = speak(1)
        }
        try await on(Self.loop) {
            speak(2).cancel()
            stepped.give(.audio(ByteBuffer(repeating: 2, count: 160)), of: "Welcome.")
            stepped.give(SteppedSynthesizer.finished, of: "Welcome.")
            stepped.give(SteppedSynthesizer.finished, of: "Goodbye.")
        }
        try await on(Self.loop) {}
        #expect(stepped.texts == ["Welcome.", "Goodbye."])
        #expect(cache.holds("Welcome.", voice: "rms"))
        for hearer in hearers.prefix(2) {
            #expect(Self.bytes(hearer.all) == [160, 160])
            guard case .finished(let usage) = hearer.all.last else {
                Issue.record("not finished")
                continue
            }
            #expect(usage.quantity == 0)
        }
        #expect(hearers[2].all.isEmpty)
    }

    @Test func whoSharesALineHearsOfItsFailureAndTheNextOneTriesAgain() async throws {
        let stepped = SteppedSynthesizer()
        let cache = SpeechCache(stepped)
        let hearer = Recorder<SynthesisEvent>()
        try await on(Self.loop) {
            cache.prepare(["Welcome."], voice: "rms", on: Self.loop)
            _ = cache.speak("Welcome.", voice: "rms", on: Self.loop) { hearer.record($0) }
        }
        try await on(Self.loop) {
            stepped.give(.failed(Fault(code: "tts.away", retry: .never, cause: "x")), of: "Welcome.")
        }
        try await on(Self.loop) {
            guard case .failed(let fault) = hearer.all.last else { return #expect(Bool(false), "not failed") }
            #expect(fault.code == "tts.away" && !cache.holds("Welcome.", voice: "rms"))
            _ = cache.speak("Welcome.", voice: "rms", on: Self.loop) { _ in }
            #expect(stepped.texts == ["Welcome.", "Welcome."])
        }
    }

    @Test(arguments: OfflineSynthesizer.voices)
    func aLineBeginsWithItsSound(voice: String) async throws {
        let audio = try await Phone.speech(Self.line, voice: voice, on: Self.loop)
        let first = audio.firstIndex { MuLaw.decoded[Int($0)].magnitude > 100 } ?? audio.count
        #expect(first <= 30 * 8, "after \(first / 8) ms")
    }

    @Test func theLeastUsedLinesGoFirstAndFailedOnesAreNotKept() async throws {
        let cache = SpeechCache(CountingSynthesizer(), bytesMax: 2_000)
        for line in ["a", "b"] {
            cache.prepare([line], voice: "rms", on: Self.loop)
            while !cache.holds(line, voice: "rms") { try await on(Self.loop) {} }
        }
        _ = try await on(Self.loop) { _ = cache.speak("a", voice: "rms", on: Self.loop) { _ in } }
        cache.prepare(["c"], voice: "rms", on: Self.loop)
        while !cache.holds("c", voice: "rms") { try await on(Self.loop) {} }
        #expect(cache.holds("a", voice: "rms") && !cache.holds("b", voice: "rms"))
        cache.prepare(["fail"], voice: "rms", on: Self.loop)
        for _ in 0..<5 { try await on(Self.loop) {} }
        #expect(!cache.holds("fail", voice: "rms"))
    }
}

/// 100 ms of silence for every text but "fail".
final class CountingSynthesizer: TextToSpeech {
    let made = Mutex(0)
    final class Stream: SynthesisStream { func cancel() {} }

    func speak(
        _ text: String, voice: String, on loop: any EventLoop,
        events: @escaping @Sendable (SynthesisEvent) -> Void
    ) -> any SynthesisStream {
        made.withLock { $0 += 1 }
        loop.execute {
            if text == "fail" {
                events(.failed(Fault(code: "x", retry: .never, cause: "x")))
            } else {
                events(.audio(ByteBuffer(repeating: 0xFF, count: 800)))
                events(.finished(Usage(component: .tts, source: "test", unit: .characters, quantity: 1)))
            }
        }
        return Stream()
    }
}

/// Speaks what the test gives it. Used on one loop.
final class SteppedSynthesizer: TextToSpeech, @unchecked Sendable {
    static let finished = SynthesisEvent.finished(
        Usage(component: .tts, source: "test", unit: .characters, quantity: 8))

    private(set) var texts: [String] = []
    private var speaking: [String: @Sendable (SynthesisEvent) -> Void] = [:]
    final class Stream: SynthesisStream { func cancel() {} }

    func speak(
        _ text: String, voice: String, on loop: any EventLoop,
        events: @escaping @Sendable (SynthesisEvent) -> Void
    ) -> any SynthesisStream {
        texts.append(text)
        speaking[text] = events
        return Stream()
    }

    func give(_ event: SynthesisEvent, of text: String) { speaking[text]?(event) }
}

/// A store in memory. With a gate it does not answer before that is opened.
private final class SharedLines: LineStore {
    let lines = Mutex<[[String]: [UInt8]]>([:])
    private let gate: AsyncStream<Void>?

    init(_ gate: AsyncStream<Void>? = nil) { self.gate = gate }

    func loadLine(_ id: [String]) async throws -> [UInt8]? {
        if let gate { for await _ in gate {} }
        return lines.withLock { $0[id] }
    }
    func saveLine(_ id: [String], audio: [UInt8]) async throws { lines.withLock { $0[id] = audio } }
}
