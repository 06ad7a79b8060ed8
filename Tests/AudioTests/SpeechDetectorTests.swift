import Base
import Testing

@testable import Audio

/// Runs a detector over audio in 20 ms frames; events as text with the millisecond each was told, but for fading.
///
/// `agent`: what is played meanwhile.
func events(
    _ samples: [Int16], _ weights: SileroVAD.Weights?, frame: Int = 160, agent: [Int16] = []
) -> [String] {
    allEvents(samples, weights, frame: frame, agent: agent).filter { !$0.contains("Fading") }
}

func allEvents(
    _ samples: [Int16], _ weights: SileroVAD.Weights?, frame: Int = 160, agent: [Int16] = []
) -> [String] {
    var detector = SpeechDetector(weights)
    var told: [String] = []
    for start in stride(from: 0, to: samples.count, by: frame) {
        let end = min(start + frame, samples.count)
        agent[min(start, agent.count)..<min(end, agent.count)].withUnsafeBufferPointer {
            detector.agentSounds($0)
        }
        samples[start..<end].withUnsafeBufferPointer {
            detector.hear($0) { told.append("\(end / 8) \($0)") }
        }
    }
    return told
}

func noise(_ amplitude: Int16, samples: Int, seed: UInt64 = 1) -> [Int16] {
    var random = SeededGenerator(seed: seed)
    return (0..<samples).map { _ in Int16.random(in: -amplitude...amplitude, using: &random) }
}

func silence(ms: Int) -> [Int16] { [Int16](repeating: 0, count: ms * 8) }

func mixed(_ one: [Int16], _ other: [Int16]) -> [Int16] {
    zip(one, other).map { Int16(clamping: Int($0) + Int($1)) }
}

/// With the network's weights.
struct SpeechDetectorTests {
    /// The clip's first sentence: it sounds from 520 to 2030 ms, see `Resources/README.md`.
    static func sentence() throws -> [Int16] { Array(try Clips.speech(rateHz: 8000)[..<17_600]) }

    @Test func aVoiceIsToldSoonAndItsEndToo() throws {
        let line = silence(ms: 1000) + (try Self.sentence()) + silence(ms: 1000)
        // A soft "g" at 1520, the vowel at 1580, the last sound at 3030.
        #expect(
            events(line, try Clips.weights.get()) == [
                "1580 stirred", "1600 speechStarted(agoMs: 80)", "3140 speechEnded(agoMs: 110)",
            ])
    }

    @Test func aVoiceFadesBeforeItsEndIsTold() throws {
        let line = silence(ms: 1000) + (try Self.sentence()) + silence(ms: 1000)
        let told = allEvents(line, try Clips.weights.get())
        #expect(
            told.suffix(2) == ["3080 speechFading(agoMs: 50)", "3140 speechEnded(agoMs: 110)"], "\(told)")
        // Between the words of a sentence it fades for a moment, once each time.
        #expect(told.filter { $0.contains("Fading") }.count < 6, "\(told)")
    }

    @Test func startsAndEndsTakeTurns() throws {
        let clip = try Clips.speech(rateHz: 8000)
        let told = events(clip + silence(ms: 500) + clip + silence(ms: 500), try Clips.weights.get())
        var isSpeech = false
        var isStirred = false
        for event in told {
            if event.contains("stirred") {
                #expect(!isSpeech && !isStirred, "\(told)")
                isStirred = true
            } else if event.contains("settled") {
                #expect(isStirred, "\(told)")
                isStirred = false
            } else {
                #expect(event.contains("speechEnded") == isSpeech, "\(told)")
                isSpeech.toggle()
                isStirred = false
            }
        }
        #expect(!isSpeech && !isStirred)
    }

    @Test func noisesAreNotSpeech() throws {
        let weights = try Clips.weights.get()
        let click = noise(20_000, samples: 160)
        let knocks = (0..<20).flatMap { _ in click + silence(ms: 400) }
        let music = (0..<40).flatMap { tone([262, 330, 392, 523][$0 % 4], amplitude: 6000, samples: 2000) }
        let cases: [(String, [Int16])] = [
            ("silence", silence(ms: 5000)), ("a constant", [Int16](repeating: 8000, count: 40_000)),
            ("noise", noise(1500, samples: 80_000)), ("knocking", knocks), ("notes", music),
            ("ringing", tone(440, amplitude: 8000, samples: 32_000)),
            ("clipping", noise(200, samples: 40_000).map { $0 > 0 ? .max : .min }),
        ]
        for (name, samples) in cases {
            let told = events(samples, weights).filter { $0.contains("speech") }
            #expect(told.isEmpty, "\(name): \(told)")
        }
    }

    @Test func aVoiceOverMusicIsToldAllTheSame() throws {
        let notes = (0..<40).flatMap { tone([262, 330, 392, 523][$0 % 4], amplitude: 500, samples: 2000) }
        let speech = silence(ms: 6000) + (try Self.sentence())
        let told = events(mixed(notes, speech), try Clips.weights.get())
        let started = try #require(told.first { $0.contains("speechStarted") }, "\(told)")
        let startedMs = try #require(Int(started.prefix { $0 != " " }))
        #expect((6500...7100).contains(startedMs), "\(told)")
    }

    /// A cough turns the agent down at once, and does not stop it; with a silent agent there is nothing to turn down.
    @Test func aLoudSoundOverTheAgentStirsAndSettles() throws {
        let weights = try Clips.weights.get()
        let line = silence(ms: 1000) + noise(6000, samples: 2400) + silence(ms: 700)
        let told = events(line, weights, agent: tone(300, amplitude: 1414, samples: line.count))
        #expect(
            told.first == "1060 stirred" && told.count == 2 && told.last?.hasSuffix("settled") == true,
            "\(told)")
        #expect(events(line, weights).isEmpty)
    }

    /// Waves of line noise are clutter only for what is as weak as they are. On a quiet line it is told at 1600.
    @Test func aVoiceFarOverTheNoiseIsToldAsSoonAsOnAQuietLine() throws {
        let weights = try Clips.weights.get()
        let sentence = try Self.sentence()
        let waves = (0..<30).flatMap { noise($0 % 2 == 0 ? 40 : 12, samples: 1600) }
        let noisy = mixed(waves + noise(12, samples: sentence.count), silence(ms: 6000) + sentence)
        let told = events(noisy, weights).filter { $0.contains("speechStarted") }
        #expect(told.first == "6580 speechStarted(agoMs: 60)", "\(told)")
    }

    @Test func aPitchIsToldFromNoise() {
        func voicing(_ samples: [Int16]) -> Float {
            samples.prefix(Voicing.samples).map(Float.init).withUnsafeBufferPointer(Voicing.strength)
        }
        for hertz in [90, 150, 300] {
            #expect(voicing(tone(Double(hertz), amplitude: 3000, samples: 160)) > 0.9, "\(hertz)")
        }
        for seed in 0..<50 {
            #expect(voicing(noise(3000, samples: 160, seed: UInt64(seed))) < 0.6, "\(seed)")
        }
        #expect(voicing(silence(ms: 20)) == 0 && voicing([]) == 0)
    }

    @Test func anyCuttingIntoFramesGivesTheSameEvents() throws {
        let weights = try Clips.weights.get()
        let clip = try Clips.speech(rateHz: 8000) + silence(ms: 400)
        func kinds(_ told: [String]) -> [Substring] { told.map { $0.drop { $0 != " " } } }
        let whole = kinds(events(clip, weights))
        #expect(whole.count >= 4)
        for frame in [1, 37, 80, 240, 4000] { #expect(kinds(events(clip, weights, frame: frame)) == whole) }
        #expect(kinds(events(MuLaw.decode(MuLaw.encode(clip)), weights)) == whole)
    }
}

/// Without weights.
struct LoudnessDetectorTests {
    /// Tone bursts with dips, as syllables have.
    private func syllables(_ ms: Int) -> [Int16] {
        tone(300, amplitude: 5000, samples: ms * 8).enumerated().map { index, sample in
            (index / 8) % 250 < 200 ? sample : sample / 8
        }
    }

    @Test func speechInSilenceIsToldWithItsTimes() {
        let told = events(silence(ms: 1000) + syllables(1000) + silence(ms: 500), nil)
        #expect(
            told == [
                "1020 stirred", "1060 speechStarted(agoMs: 60)", "2100 speechEnded(agoMs: 100)",
            ])
    }

    @Test func speechIsFoundOverNoise() {
        let told = events(
            mixed(noise(150, samples: 64_000), silence(ms: 4000) + syllables(1200) + silence(ms: 2800)), nil)
        #expect(told.filter { $0.contains("speech") }.count == 2, "\(told)")
    }

    @Test func steadyNoiseBecomesFloor() {
        let told = events(silence(ms: 500) + noise(1000, samples: 128_000), nil)
        let starts = told.filter { $0.contains("speechStarted") }
        #expect(starts.count == 1, "one false start while the floor is learned: \(told)")
        #expect(told.last?.contains("speechEnded") == true)
    }

    @Test func aClickStirsAndSettles() {
        var samples = silence(ms: 2000)
        for index in 8000..<8200 { samples[index] = 20_000 }
        let told = events(samples, nil)
        #expect(told.map { $0.drop { $0 != " " } } == [" stirred", " settled"], "\(told)")
        #expect(events([Int16](repeating: 8000, count: 16_000), nil).isEmpty)
    }
}

struct UtteranceEdgesTests {
    private func edges(_ samples: [Int16]) -> [String] {
        var detector = SpeechDetector(nil)
        var utterances = UtteranceEdges()
        var found: [String] = []
        for start in stride(from: 0, to: samples.count, by: 160) {
            if let edge = utterances.advance(milliseconds: 20) { found.append("\(start / 8 + 20) \(edge)") }
            samples[start..<start + 160].withUnsafeBufferPointer {
                detector.hear($0) { event in
                    if let edge = utterances.take(event) { found.append("\(start / 8 + 20) \(edge)") }
                }
            }
        }
        return found
    }

    @Test func shortGapsAreBridgedAndLongOnesAreNot() {
        let word = tone(300, amplitude: 5000, samples: 4000)
        #expect(
            edges(silence(ms: 1000) + word + silence(ms: 160) + word + silence(ms: 1000))
                == ["1060 started", "2360 ended"])
        #expect(
            edges(silence(ms: 1000) + word + silence(ms: 400) + word + silence(ms: 1000))
                == ["1060 started", "1700 ended", "1960 started", "2600 ended"])
    }
}
