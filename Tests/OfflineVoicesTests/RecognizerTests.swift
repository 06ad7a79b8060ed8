import Synchronization
import Testing

@testable import OfflineVoices

/// What one stream told, and a way to wait for its finals.
final class Told: Sendable {
    let events: AsyncStream<OfflineRecognition>
    private let source: AsyncStream<OfflineRecognition>.Continuation
    let all = Mutex<[OfflineRecognition]>([])

    init() { (events, source) = AsyncStream.makeStream() }

    func tell(_ event: OfflineRecognition) {
        all.withLock { $0.append(event) }
        source.yield(event)
    }

    /// The next final's words; the failure's cause in brackets.
    func final() async -> String {
        for await event in events {
            switch event {
            case .final(let words): return words
            case .failed(let cause): return "[\(cause)]"
            case .partial: continue
            }
        }
        return "[nothing]"
    }
}

enum Line {
    /// rms over 8 kHz, by taking every second sample of a running mean: poor, so the recogniser gets nothing for free.
    static func speech(_ text: String) async -> [Int16] {
        let wide = await Heard.speak(text, voice: "rms").samples
        let quiet = [Int16](repeating: 0, count: 2_400)
        return quiet
            + stride(from: 2, to: wide.count - 2, by: 2).map { at in
                let sum = Int(wide[at - 1]) + 2 * Int(wide[at]) + Int(wide[at + 1])
                return Int16(clamping: sum / 4)
            } + quiet
    }
}

struct RecognizerTests {
    static func grammar(_ words: [String]) -> String {
        "#JSGF V1.0; grammar g; public <g> = [ my name is ] ( \(words.joined(separator: " | ")) );"
    }
    static let names = ["peter", "mary", "susan", "alexander"]

    static func say(_ samples: [Int16], to stream: OfflineRecognitionStream) {
        stream.begin()
        for start in stride(from: 0, to: samples.count, by: 160) {
            stream.send(Array(samples[start..<min(start + 160, samples.count)]))
        }
        stream.end()
    }

    @Test func hearsASentenceWithPartialsBeforeTheFinal() async {
        let told = Told()
        let stream = OfflineRecognizer(threads: 1).open { told.tell($0) }
        stream.setGrammar(Self.grammar(Self.names))
        Self.say(await Line.speech("My name is Alexander."), to: stream)
        #expect(await told.final() == "my name is alexander")
        let partials = told.all.withLock { $0 }.filter { if case .partial = $0 { true } else { false } }
        #expect(partials.count >= 2)
        stream.close()
    }

    @Test func streamsThatShareTooFewDecodersWaitAndDoNotMix() async {
        let recognizer = OfflineRecognizer(threads: 2, decoders: 2)
        var audio: [String: [Int16]] = [:]
        for name in Self.names { audio[name] = await Line.speech("My name is \(name).") }
        let streams = (0..<12).map { number in
            let told = Told()
            let stream = recognizer.open { told.tell($0) }
            stream.setGrammar(Self.grammar(Self.names))
            return (name: Self.names[number % Self.names.count], told: told, stream: stream)
        }
        // All begin before any ends: ten of them have to wait with their audio.
        for each in streams {
            each.stream.begin()
            each.stream.send(audio[each.name] ?? [])
        }
        for each in streams { each.stream.end() }
        for each in streams { #expect(await each.told.final() == "my name is \(each.name)") }
    }

    @Test func aClosedStreamGivesItsPlaceToTheNext() async {
        let recognizer = OfflineRecognizer(threads: 1, decoders: 1)
        let holder = recognizer.open { _ in }
        holder.setGrammar(Self.grammar(Self.names))
        holder.begin()
        let quitter = recognizer.open { _ in }
        quitter.setGrammar(Self.grammar(Self.names))
        quitter.begin()
        let told = Told()
        let waiting = recognizer.open { told.tell($0) }
        waiting.setGrammar(Self.grammar(Self.names))
        Self.say(await Line.speech("Mary."), to: waiting)
        quitter.close()
        holder.close()
        #expect(await told.final() == "mary")
    }

    @Test func wordTimesDoNotDependOnWhatTheDecoderHeardBefore() async {
        let told = Told()
        let times = Mutex<[[OfflineWord]]>([])
        let stream = OfflineRecognizer(threads: 1, decoders: 1).open(
            onWords: { words in times.withLock { $0.append(words) } }, onEvent: { told.tell($0) })
        stream.setGrammar(Self.grammar(Self.names))
        let audio = await Line.speech("My name is Alexander.")
        for _ in 0..<3 {
            Self.say(audio, to: stream)
            #expect(await told.final() == "my name is alexander")
        }
        let all = times.withLock { $0 }
        #expect(all.count == 3 && all[0].first.map { $0.startMs < 800 } == true)
        #expect(all.allSatisfy { $0 == all[0] })
    }

    @Test func somethingElseThanTheGrammarIsAnEmptyFinal() async {
        let told = Told()
        let stream = OfflineRecognizer(threads: 1).open { told.tell($0) }
        stream.setGrammar(Self.grammar(["one", "two", "three", "four", "five"]))
        Self.say(
            await Line.speech("Do you speak any German, let me think about it for a moment."), to: stream)
        #expect(await told.final() == "")
    }

    @Test func wordsOutsideTheDictionaryAreSoundedOut() async {
        let told = Told()
        let stream = OfflineRecognizer(threads: 1).open { told.tell($0) }
        stream.setGrammar(Self.grammar(["zorbalix", "peter", "mary"]))
        Self.say(await Line.speech("My name is Zorbalix."), to: stream)
        #expect(await told.final() == "my name is zorbalix")
    }

    @Test(arguments: ["#JSGF V1.0; grammar g; public <g> = ( open ;", "", "<<<;;;"])
    func aBrokenGrammarFailsItsUtteranceOnly(grammar: String) async {
        let told = Told()
        let stream = OfflineRecognizer(threads: 1).open { told.tell($0) }
        stream.setGrammar(grammar)
        stream.begin()
        #expect(await told.final().hasPrefix("["))
        stream.setGrammar(Self.grammar(Self.names))
        Self.say(await Line.speech("Susan."), to: stream)
        #expect(await told.final() == "susan")
    }

    @Test func beginningWithoutAGrammarFails() async {
        let told = Told()
        let stream = OfflineRecognizer(threads: 1).open { told.tell($0) }
        stream.begin()
        #expect(await told.final() == "[no grammar is set]")
    }

    @Test func theDictionaryFindsEveryPronunciation() throws {
        let dictionary = try #require(PronouncingDictionary.installed)
        #expect(dictionary.pronunciations(of: "peter").map(\.phones) == ["P IY T ER"])
        #expect(dictionary.pronunciations(of: "the").map(\.name) == ["the", "the(2)"])
        // Out of order in the file.
        #expect(dictionary.contains("one's") && dictionary.contains("'bout"))
        #expect(!dictionary.contains("zorbalix") && !dictionary.pronunciations(of: "zorbalix").isEmpty)
        #expect(dictionary.pronunciations(of: "").isEmpty && dictionary.pronunciations(of: "a b").isEmpty)
    }

    @Test func findsTheWordsOfAGrammar() {
        let text =
            "#JSGF V1.0; grammar g; public <g> = [ my | it's ] /0.5/ ( <x> {tag} )* ; <x> = sound_aa | two;"
        #expect(JSGFWords.all(in: text) == ["my", "it's", "sound_aa", "two"])
    }
}
