import Synchronization
import Testing

@testable import OfflineVoices

/// Everything one speech delivered.
final class Heard: Sendable {
    struct State {
        var samples: [Int16] = []
        var rate = 0
        var chunks = 0
        var isComplete: Bool?
        var waiter: CheckedContinuation<Void, Never>?
    }
    let state = Mutex(State())

    static func speak(_ text: String, voice: String, cancelAfter chunks: Int? = nil) async -> State {
        let heard = Heard()
        let speech = Mutex<OfflineSpeech?>(nil)
        await withCheckedContinuation { continuation in
            heard.state.withLock { $0.waiter = continuation }
            let started = OfflineSynthesizer.speak(text, voice: voice) { samples, rate in
                let count = heard.state.withLock { state in
                    state.samples += samples
                    state.rate = rate
                    state.chunks += 1
                    return state.chunks
                }
                if count == chunks { speech.withLock { $0?.cancel() } }
            } onEnd: { isComplete in
                heard.state.withLock { state in
                    state.isComplete = isComplete
                    state.waiter?.resume()
                    state.waiter = nil
                }
            }
            speech.withLock { $0 = started }
        }
        return heard.state.withLock { $0 }
    }
}

struct SynthesizerTests {
    static let sentence = "Thank you for calling, how can I help you today please?"

    @Test(arguments: OfflineSynthesizer.voices)
    func everyVoiceSpeaksInChunks(voice: String) async {
        let heard = await Heard.speak(Self.sentence, voice: voice)
        #expect(heard.isComplete == true)
        #expect(heard.rate == (voice == "kal" ? 8_000 : 16_000))
        #expect(heard.chunks > 50)
        #expect(heard.samples.count > heard.rate * 2)
        #expect(heard.samples.contains { abs(Int($0)) > 3_000 })
    }

    @Test func theSameTextSoundsTheSameWhoeverElseSpeaks() async {
        // Not bit for bit: flite mixes in noise from the C library's one generator.
        let alone = Self.loudness(await Heard.speak(Self.sentence, voice: "rms").samples)
        await withTaskGroup(of: [Int].self) { group in
            for _ in 0..<20 {
                group.addTask { Self.loudness(await Heard.speak(Self.sentence, voice: "rms").samples) }
            }
            for await other in group {
                #expect(other.count == alone.count)
                let differences = zip(alone, other).count { abs($0 - $1) > 200 + max($0, $1) / 4 }
                #expect(differences == 0)
            }
        }
    }

    /// Mean magnitude of every 100 ms.
    private static func loudness(_ samples: [Int16]) -> [Int] {
        stride(from: 0, to: samples.count, by: 1_600).map { start in
            let part = samples[start..<min(start + 1_600, samples.count)]
            return part.reduce(0) { $0 + abs(Int($1)) } / part.count
        }
    }

    @Test func anUnknownVoiceEndsAsFailed() async {
        let heard = await Heard.speak("hello", voice: "nobody")
        #expect(heard.isComplete == false && heard.chunks == 0)
    }

    @Test func nothingToSayEndsAtOnce() async {
        let heard = await Heard.speak(" … 日本 ", voice: "rms")
        #expect(heard.isComplete == true && heard.chunks == 0)
    }

    @Test func aCancelledSpeechStopsBeforeItsEnd() async {
        let text = String(repeating: Self.sentence + " ", count: 20)
        let heard = await Heard.speak(text, voice: "slt", cancelAfter: 3)
        #expect(heard.isComplete == false)
        #expect(heard.chunks < 20)
    }
}
