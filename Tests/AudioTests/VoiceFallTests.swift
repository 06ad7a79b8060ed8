import Audio
import Glibc
import Testing

struct VoiceFallTests {
    private static let quiet = 20.0

    private struct Syllable {
        var ms = 180
        var hertz = 120.0
        var size = 6000.0
    }

    /// Syllables of harmonics, each swelling and fading, 40 ms apart, then 100 ms of silence.
    private func samples(_ syllables: [Syllable]) -> [Int16] {
        var out: [Int16] = []
        for syllable in syllables {
            let count = syllable.ms * 8
            out += (0..<count).map { at in
                let wave = (1...6).reduce(0.0) { sum, harmonic in
                    sum + sin(2 * .pi * syllable.hertz * Double(harmonic * at) / 8000) / Double(harmonic)
                }
                return Int16(syllable.size * sin(.pi * Double(at) / Double(count)) * wave)
            }
            out += [Int16](repeating: 0, count: 320)
        }
        return out + [Int16](repeating: 0, count: 800)
    }

    private func features(_ samples: [Int16]) -> VoiceFall.Features? {
        var fall = VoiceFall()
        fall.speechStarted(agoMs: 0)
        samples.withUnsafeBufferPointer { fall.hear($0, floorDecibels: Self.quiet) }
        return fall.speechEnded(agoMs: 140)
    }

    private let even = [Syllable](repeating: Syllable(), count: 8)

    @Test func aVoiceThatGrowsSofterLowerAndSlowerSoundsFinal() throws {
        var falling = even
        falling[7] = Syllable(ms: 320, hertz: 85, size: 2000)
        let level = try #require(features(samples(even)))
        let fallen = try #require(features(samples(falling)))
        #expect(abs(level.pitch) < 1 && abs(level.syllable) < 2)
        #expect(fallen.pitch < -4 && fallen.syllable < -5 && fallen.drop < level.drop)
        #expect(fallen.rime > level.rime)
        #expect(fallen.finality > level.finality + 0.2)
    }

    @Test func aVoiceThatRisesDoesNotSoundFinal() throws {
        var rising = even
        rising[7] = Syllable(hertz: 170, size: 8000)
        let risen = try #require(features(samples(rising)))
        #expect(risen.pitch > 4)
        #expect(risen.finality < 0.5)
    }

    @Test func whatWasSaidBeforeALongSilenceDoesNotCount() throws {
        var fall = VoiceFall()
        func hear(_ samples: [Int16]) {
            samples.withUnsafeBufferPointer { fall.hear($0, floorDecibels: Self.quiet) }
        }
        fall.speechStarted(agoMs: 0)
        hear(samples([Syllable](repeating: Syllable(hertz: 240, size: 20_000), count: 4)))
        _ = fall.speechEnded(agoMs: 140)
        hear([Int16](repeating: 0, count: 8 * 2200))
        fall.speechStarted(agoMs: 0)
        hear(samples(Array(even.prefix(3))))
        let told = fall.speechEnded(agoMs: 140)
        let again = try #require(told)
        let alone = try #require(features(samples(Array(even.prefix(3)))))
        #expect(again == alone)
    }

    @Test func tooLittleToTellTellsNothing() {
        var fall = VoiceFall()
        let told = fall.speechEnded(agoMs: 100)
        #expect(told == nil)
        #expect(features([Int16](repeating: 0, count: 1600)) == nil)
    }

    @Test func anySoundGivesAProbability() throws {
        var state: UInt32 = 7
        let noise = (0..<16_000).map { _ -> Int16 in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Int16(truncatingIfNeeded: state >> 16)
        }
        for samples in [noise, [Int16](repeating: .min, count: 16_000), [Int16](repeating: 0, count: 16_000)]
        {
            let finality = try #require(features(samples)).finality
            #expect((0...1).contains(finality))
        }
    }
}
