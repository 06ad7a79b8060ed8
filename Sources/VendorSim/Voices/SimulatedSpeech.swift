import Base
import Foundation
import NIOCore
import Synchronization

/// What a simulated synthesiser's voice is made of.
package enum SimulatedVoice: Hashable, Sendable {
    /// Buzzing syllables with the length and the pauses of speech: costs next to nothing.
    case syllables
    /// Real words of an offline voice, made once a text; for whoever has to understand them.
    case offline(String)
}

/// A text as audio: µ-law, 8 kHz, and where its words stand.
struct SimulatedSpeech: Sendable {
    struct Word: Sendable {
        var text: String
        var startMs: Int
        var endMs: Int
    }

    /// About 15 characters a second.
    private static let msPerCharacter = 65
    private static let gapMs = 40

    var audio: [UInt8]
    var words: [Word]

    /// Words share the time by their letters.
    init(_ text: String, audio: [UInt8]) {
        self.audio = audio
        let parts = text.split(separator: " ").map(String.init)
        let total = max(1, parts.reduce(0) { $0 + $1.count })
        var letters = 0
        let length = audio.count / 8
        words = parts.map { part in
            let start = length * letters / total
            letters += part.count
            return Word(text: part, startMs: start, endMs: length * letters / total)
        }
    }

    init(syllablesOf text: String) {
        audio = []
        words = []
        for part in text.split(separator: " ") {
            let start = audio.count / 8
            let length = max(2, part.count) * Self.msPerCharacter - Self.gapMs
            audio += Self.buzz(samples: length * 8, pitch: 90 + part.count * 6)
            words.append(Word(text: String(part), startMs: start, endMs: start + length))
            audio += [UInt8](repeating: MuLaw.silence, count: Self.gapMs * 8)
        }
    }

    /// A sawtooth that swells and fades.
    private static func buzz(samples: Int, pitch: Int) -> [UInt8] {
        let period = 8_000 / pitch
        return (0..<samples).map { index in
            let swell = min(index, samples - index, 400)
            return MuLaw.encode(Int16((index % period * 2 - period) * 6_000 / period * swell / 400))
        }
    }
}

/// Texts already spoken.
final class SpokenTexts: Sendable {
    static let keptMax = 2_000
    private let voice: SimulatedVoice
    private let voices = PersonaVoices()
    private let kept = Mutex<[String: SimulatedSpeech]>([:])

    init(_ voice: SimulatedVoice) { self.voice = voice }

    func known(_ text: String) -> SimulatedSpeech? { kept.withLock { $0[text] } }

    /// Silence where an offline voice gave nothing.
    func speak(_ text: String) async -> SimulatedSpeech {
        if let known = known(text) { return known }
        let speech: SimulatedSpeech
        switch voice {
        case .syllables: speech = SimulatedSpeech(syllablesOf: text)
        case .offline(let voice):
            let audio = (try? await voices.speak(text, voice: voice)) ?? []
            speech = SimulatedSpeech(text, audio: Mouth.trimmed(audio))
        }
        kept.withLock {
            if $0.count >= Self.keptMax { $0 = [:] }
            $0[text] = speech
        }
        return speech
    }

    /// Gives the speech of `text` after `delay`, later where its voice takes longer; not once the line has ended.
    func speak(
        _ text: String, after delay: TimeAmount, on line: SocketLine,
        then: @escaping (SimulatedSpeech) -> Void
    ) {
        if let speech = known(text) { return line.after(delay) { then(speech) } }
        let loop = line.loop
        let due = loop.now + delay
        let waiting = NIOLoopBound((line: line, then: then), eventLoop: loop)
        loop.makeFutureWithTask { await self.speak(text) }.whenSuccess { speech in
            let (line, then) = waiting.value
            line.after(max(.zero, due - loop.now)) { then(speech) }
        }
    }
}

/// How a simulated synthesiser delivers.
package struct SimulatedDelivery: Sendable {
    package var voice = SimulatedVoice.syllables
    /// From the text to its first audio.
    package var firstAudio = DelayLaw.fixed(.milliseconds(100))
    /// Audio made in a second, seconds; 1 is as fast as it is heard.
    package var speed = 4.0
    /// Audio of one message.
    package var chunk: Duration = .milliseconds(100)
    package init() {}
}

/// One text on its way: chunks on a schedule. On its loop only.
final class Delivering {
    private let speech: SimulatedSpeech
    private let delivery: SimulatedDelivery
    private let isEndless: Bool
    private let line: SocketLine
    private let tell: (ArraySlice<UInt8>, Int) -> Void
    private let finish: () -> Void
    private var at = 0
    private var isCancelled = false

    /// `tell`: a chunk, and where it begins in the audio, bytes.
    init(
        _ speech: SimulatedSpeech, _ delivery: SimulatedDelivery, isEndless: Bool, on line: SocketLine,
        tell: @escaping (ArraySlice<UInt8>, Int) -> Void, finish: @escaping () -> Void
    ) {
        self.speech = speech
        self.delivery = delivery
        self.isEndless = isEndless
        self.line = line
        self.tell = tell
        self.finish = finish
    }

    func cancel() { isCancelled = true }

    func next() {
        guard !isCancelled else { return }
        guard at < speech.audio.count else {
            guard isEndless, !speech.audio.isEmpty else { return finish() }
            at = 0
            return line.after(.milliseconds(1)) { self.next() }
        }
        let size = max(160, Int(delivery.chunk.milliseconds) * 8)
        let end = min(speech.audio.count, at + size)
        tell(speech.audio[at..<end], at)
        at = end
        guard delivery.speed > 0, !isEndless else { return next() }
        line.after(.nanoseconds(Int64(Double(delivery.chunk.nanoseconds) / delivery.speed))) { self.next() }
    }
}
