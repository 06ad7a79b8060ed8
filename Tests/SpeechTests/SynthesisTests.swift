import Base
import NIOCore
import NIOPosix
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
        if case .audio = event { nil } else { true }
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
