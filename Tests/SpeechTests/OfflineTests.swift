import Audio
import Base
import NIOCore
import NIOPosix
import OfflineVoices
import Synchronization
import Testing

@testable import Speech

/// The offline recogniser hears the offline voices over a telephone line.
enum Phone {
    static let recognizer = OfflineSpeechToText(recognizer: OfflineRecognizer())
    static let synthesizer = OfflineTextToSpeech()

    /// µ-law speech as the caller's carrier would send it.
    static func speech(_ text: String, voice: String, on loop: any EventLoop) async throws -> [UInt8] {
        let recorder = Recorder<SynthesisEvent>()
        _ = try await on(loop) {
            synthesizer.speak(text, voice: voice, on: loop) { recorder.record($0) } is OfflineSpeaking
        }
        _ = await recorder.first(SynthesisTests.ended)
        return recorder.all.flatMap { event -> [UInt8] in
            if case .audio(let buffer) = event { Array(buffer.readableBytesView) } else { [] }
        }
    }

    struct Heard: Sendable {
        /// Finals, one an utterance, empty ones left out.
        var text: String
        var partials: Int
        var words: [Word]
        var usageMs: Int64
    }

    /// Feeds `audio` in 20 ms frames with the ear's edges, as a media worker does but as fast as it goes.
    static func hear(
        _ audio: [UInt8], as expectation: Base.Expectation, phrases: [String] = [], on loop: any EventLoop
    ) async throws -> Heard {
        let recorder = Recorder<RecognitionEvent>()
        let silence = [UInt8](repeating: MuLaw.silence, count: 4_000)
        let line = silence + audio + silence
        let stream = try await on(loop) {
            NIOLoopBound(
                recognizer.open(RecognitionSettings(language: "en-US"), on: loop) { recorder.record($0) },
                eventLoop: loop)
        }
        let utterances = try await on(loop) { () -> Int in
            var detector = SpeechDetector(nil)
            var edges = UtteranceEdges()
            var utterances = 0
            stream.value.expect(expectation, phrases: phrases)
            for start in stride(from: 0, to: line.count - 159, by: 160) {
                let frame = Array(line[start..<start + 160])
                stream.value.send(ByteBuffer(bytes: frame))
                if edges.advance(milliseconds: 20) == .ended { stream.value.utteranceEnded() }
                MuLaw.decode(frame).withUnsafeBufferPointer {
                    detector.hear($0) { event in
                        guard edges.take(event) == .started else { return }
                        stream.value.utteranceStarted()
                        utterances += 1
                    }
                }
            }
            if edges.isOpen { stream.value.utteranceEnded() }
            return utterances
        }
        let finals = Counter(utterances)
        _ = await recorder.first { event -> Bool? in
            switch event {
            case .final, .failed: finals.isLast() ? true : nil
            default: nil
            }
        }
        try await on(loop) { stream.value.close() }
        return summary(recorder.all)
    }

    private static func summary(_ events: [RecognitionEvent]) -> Heard {
        var heard = Heard(text: "", partials: 0, words: [], usageMs: 0)
        var texts: [String] = []
        for event in events {
            switch event {
            case .partial: heard.partials += 1
            case .final(let text, let words):
                if !text.isEmpty { texts.append(text) }
                heard.words += words
            case .endOfTurn, .fellBack: break
            case .usage(let usage): heard.usageMs = usage.quantity
            case .failed(let fault): texts.append("[\(fault)]")
            }
        }
        heard.text = texts.joined(separator: " ")
        return heard
    }
}

final class Counter: Sendable {
    private let left: Mutex<Int>
    init(_ count: Int) { left = Mutex(count) }
    /// True for the last of them.
    func isLast() -> Bool {
        left.withLock { left in
            left -= 1
            return left <= 0
        }
    }
}

struct OfflineTests {
    static let loop = MultiThreadedEventLoopGroup.singleton.next()

    struct Sample: Sendable {
        var said: String
        var heard: String
        var expectation: Base.Expectation
    }

    static func samples(of kind: String, seed: UInt64) -> [Sample] {
        var random = SeededGenerator(seed: seed)
        func pick(_ words: [String]) -> String { words.randomElement(using: &random) ?? "" }
        let known = OfflineVocabulary.names
        switch kind {
        case "names":
            return known.enumerated().map { number, name in
                let carrier = ["my name is ", "", "it's ", "this is "][number % 4]
                return Sample(
                    said: carrier + name + ".", heard: carrier + name, expectation: .name(known: known))
            }
        case "dates":
            let days = OfflineVocabulary.weekdays + ["today", "tomorrow"]
            let plain = days.map { Sample(said: $0 + ".", heard: $0, expectation: .date) }
            let polite = days.prefix(7).map {
                Sample(said: "on \($0) please.", heard: "on \($0) please", expectation: .date)
            }
            return plain + polite
                + (0..<60).map { _ in
                    let date = pick(OfflineVocabulary.months) + " " + pick(OfflineVocabulary.ordinals)
                    return Sample(said: date + ".", heard: date, expectation: .date)
                }
        default:
            let digits = OfflineVocabulary.digits.filter { $0 != "oh" }
            return (0..<50).map { _ in
                let number = (0..<10).map { _ in pick(digits) }
                let groups = [number[0..<3], number[3..<6], number[6..<10]].map { $0.joined(separator: " ") }
                return Sample(
                    said: groups.joined(separator: ", ") + ".", heard: number.joined(separator: " "),
                    expectation: .phone)
            }
        }
    }

    struct Score: Sendable {
        var right = 0
        var wrong: [String] = []
        var percent: Double { 100 * Double(right) / Double(max(1, right + wrong.count)) }
    }

    static func measure(_ kind: String, voice: String, seed: UInt64) async throws -> Score {
        var score = Score()
        for sample in samples(of: kind, seed: seed) {
            let audio = try await Phone.speech(sample.said, voice: voice, on: loop)
            let heard = try await Phone.hear(audio, as: sample.expectation, on: loop)
            if heard.text == sample.heard {
                score.right += 1
            } else {
                score.wrong.append("\(sample.heard) -> \(heard.text)")
            }
        }
        return score
    }

    /// A floor against regressions, not the accuracy: flite's noise makes each run's audio a little different, and at the
    /// measured 99 % (297 of 300 numbers) 50 samples fall below 98 % in one run of eleven, below 92 % in one of thousands.
    static let floorPercent = 92.0

    @Test(arguments: ["names", "dates", "numbers"])
    func rmsIsUnderstoodOverThePhone(kind: String) async throws {
        let score = try await Self.measure(kind, voice: "rms", seed: 7)
        #expect(score.percent >= Self.floorPercent, "\(kind): \(score.percent) % right; \(score.wrong)")
    }

    @Test func thereAreAHundredNamesAndAllCanBePronounced() throws {
        let dictionary = try #require(PronouncingDictionary.installed)
        #expect(Set(OfflineVocabulary.names).count >= 100)
        #expect(OfflineVocabulary.names.allSatisfy(dictionary.contains))
    }

    @Test(arguments: ["yes", "no", "that's right", "no thank you", "of course", "not really"])
    func yesAndNoAreUnderstood(said: String) async throws {
        let audio = try await Phone.speech(said + ".", voice: "rms", on: Self.loop)
        #expect(try await Phone.hear(audio, as: .yesNo, on: Self.loop).text == said)
    }

    @Test func choicesAndPhrasesAreUnderstood() async throws {
        let audio = try await Phone.speech("I would like a haircut please.", voice: "rms", on: Self.loop)
        let choice = Base.Expectation.choice(["a haircut", "colouring", "a shave"])
        #expect(
            try await Phone.hear(audio, as: choice, on: Self.loop).text == "i would like a haircut please")
        let wait = try await Phone.speech("Speak to a human.", voice: "rms", on: Self.loop)
        let heard = try await Phone.hear(
            wait, as: choice, phrases: ["Speak to a human!", "日本"], on: Self.loop)
        #expect(heard.text == "speak to a human")
    }

    @Test func anythingElseIsAnEmptyFinal() async throws {
        let audio = try await Phone.speech("What is the price of a haircut?", voice: "rms", on: Self.loop)
        #expect(try await Phone.hear(audio, as: .date, on: Self.loop).text == "")
    }

    @Test func wordsHaveTimesAndListeningIsBilled() async throws {
        let audio = try await Phone.speech("My name is Alexander.", voice: "rms", on: Self.loop)
        let heard = try await Phone.hear(audio, as: .name(known: ["alexander", "mary"]), on: Self.loop)
        #expect(heard.words.map(\.text) == ["my", "name", "is", "alexander"])
        // Half a second of silence goes first.
        let first = try #require(heard.words.first)
        #expect((350...900).contains(first.startMs))
        #expect(zip(heard.words, heard.words.dropFirst()).allSatisfy { $0.endMs <= $1.startMs + 10 })
        #expect(heard.partials >= 2)
        #expect(heard.usageMs > 1_000)
    }

    @Test func aGrammarIsMadeSafelyOfAnything() {
        let nasty = [
            "; <x> = y", "import <evil.*>;", "it’s 24 o'clock!!", "", String(repeating: "la ", count: 99),
        ]
        let grammar = Grammar(.choice(nasty), phrases: [], dictionary: .installed)
        #expect(grammar.dropped == 2)
        #expect(grammar.jsgf.contains("( x y | import evil | it's two four o'clock )"))
    }

    @Test func twentyCallsAtOnceHearOnlyThemselves() async throws {
        let names = Array(OfflineVocabulary.names.prefix(20))
        try await withThrowingTaskGroup(of: (String, String).self) { group in
            for name in names {
                group.addTask {
                    let loop = MultiThreadedEventLoopGroup.singleton.next()
                    let audio = try await Phone.speech("My name is \(name).", voice: "rms", on: loop)
                    let heard = try await Phone.hear(audio, as: .name(known: names), on: loop)
                    return ("my name is \(name)", heard.text)
                }
            }
            for try await (said, heard) in group { #expect(heard == said) }
        }
    }
}
