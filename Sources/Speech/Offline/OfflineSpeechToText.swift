import Audio
import Base
package import Logging
package import NIOCore
package import OfflineVoices
import Synchronization

/// PocketSphinx as a recogniser: no network, US English, under a grammar made from what the agent expects.
///
/// A stand-in for tests and for trying things out; free speech needs a real recogniser.
package struct OfflineSpeechToText: SpeechToText {
    package static let source = Usage.offline

    private let recognizer: OfflineRecognizer
    private let grammars = GrammarCache()
    private let logger: Logger

    package init(recognizer: OfflineRecognizer, logger: Logger = Logger(label: "speech.offline")) {
        self.recognizer = recognizer
        self.logger = logger
        recognizer.warm()
    }

    package func open(
        _ settings: RecognitionSettings, on loop: any EventLoop,
        events: @escaping @Sendable (RecognitionEvent) -> Void
    ) -> any RecognitionStream {
        OfflineHearing(
            recognizer: recognizer, grammars: grammars, settings: settings, loop: loop, logger: logger,
            events: events)
    }
}

/// One call's recognition. Touched on its loop only; results hop there from the recogniser's threads.
final class OfflineHearing: RecognitionStream, @unchecked Sendable {
    /// Audio before the ear's edge that belongs to the utterance: an edge lags the onset by 60 to 100 ms, and soft
    /// consonants start before it. 300 ms.
    static let prerollSamples = 300 * samplesPerMs
    /// Usage is told this often besides with finals and at the end.
    private static let usageEveryMs = 1_000
    private static let samplesPerMs = 8

    private let grammars: GrammarCache
    private let loop: any EventLoop
    private let logger: Logger
    private let events: @Sendable (RecognitionEvent) -> Void
    private var stream: OfflineRecognitionStream?
    private var preroll: [UInt8] = []
    private var isInUtterance = false
    /// Samples received since the start, and how many of them usage has told.
    private var received = 0
    private var told = 0
    /// Where each utterance began whose final is not here yet, milliseconds.
    private var starts: [Int] = []
    private var words: [OfflineWord] = []
    private let phrases: [String]

    init(
        recognizer: OfflineRecognizer, grammars: GrammarCache, settings: RecognitionSettings,
        loop: any EventLoop,
        logger: Logger, events: @escaping @Sendable (RecognitionEvent) -> Void
    ) {
        self.grammars = grammars
        self.loop = loop
        self.logger = logger
        self.events = events
        phrases = settings.phrases
        if let fault = Self.obstacle(settings) {
            loop.execute { events(.failed(fault)) }
            return
        }
        stream = recognizer.open(
            onWords: { words in loop.execute { self.words = words } },
            onEvent: { event in loop.execute { self.heard(event) } })
        expect(.open, phrases: [])
    }

    private static func obstacle(_ settings: RecognitionSettings) -> Fault? {
        if let problem = OfflineRecognizer.problem {
            return Fault(code: "stt.model_missing", retry: .never, cause: problem)
        }
        guard settings.language.lowercased().hasPrefix("en") else {
            return Fault(
                code: "stt.language", retry: .never, cause: "the offline recogniser knows English only")
        }
        return nil
    }

    func send(_ audio: ByteBuffer) {
        guard let stream else { return }
        received += audio.readableBytes
        if isInUtterance {
            stream.send(MuLaw.decode(Array(audio.readableBytesView)))
        } else {
            preroll += audio.readableBytesView
            if preroll.count > Self.prerollSamples {
                preroll.removeFirst(preroll.count - Self.prerollSamples)
            }
        }
        if received - told >= Self.usageEveryMs * Self.samplesPerMs { tellUsage() }
    }

    func expect(_ expectation: Expectation, phrases: [String]) {
        let all = self.phrases + phrases
        stream?.setGrammar { [grammars, logger] in grammars.jsgf(expectation, phrases: all, logger: logger) }
    }

    func utteranceStarted() {
        guard let stream, !isInUtterance else { return }
        isInUtterance = true
        starts.append((received - preroll.count) / Self.samplesPerMs)
        stream.begin()
        stream.send(MuLaw.decode(preroll))
        preroll.removeAll(keepingCapacity: true)
    }

    func voiceFaded() {}

    func utteranceEnded() {
        guard isInUtterance else { return }
        isInUtterance = false
        stream?.end()
    }

    func close() {
        if stream != nil { tellUsage() }
        stream?.close()
        stream = nil
    }

    private func heard(_ event: OfflineRecognition) {
        guard stream != nil else { return }
        switch event {
        case .partial(let text): events(.partial(text))
        case .final(let text):
            let start = starts.isEmpty ? 0 : starts.removeFirst()
            let words = words.map {
                Word(text: $0.text, startMs: start + $0.startMs, endMs: start + $0.endMs)
            }
            self.words = []
            events(.final(text, words: words))
            tellUsage()
        case .failed(let cause):
            if !starts.isEmpty { starts.removeFirst() }
            events(.failed(Fault(code: "stt.offline", retry: .after(.zero), cause: cause)))
        }
    }

    private func tellUsage() {
        guard received > told else { return }
        told = received
        let heard = Int64(received / Self.samplesPerMs)
        events(
            .usage(
                Usage(
                    component: .stt, source: OfflineSpeechToText.source, unit: .milliseconds, quantity: heard)
            ))
    }
}

/// Grammars already written: a flow asks the same questions in every call.
final class GrammarCache: Sendable {
    static let grammarsMax = 256

    private struct Key: Hashable {
        var expectation: Expectation
        var phrases: [String]
    }
    private let known = Mutex<[Key: String]>([:])

    func jsgf(_ expectation: Expectation, phrases: [String], logger: Logger) -> String {
        let key = Key(expectation: expectation, phrases: phrases)
        if let text = known.withLock({ $0[key] }) { return text }
        let grammar = Grammar(expectation, phrases: phrases, dictionary: .installed)
        if grammar.dropped > 0 {
            logger.notice(
                "phrases the offline recogniser can't hear", metadata: ["count": "\(grammar.dropped)"])
        }
        known.withLock { known in
            if known.count >= Self.grammarsMax { known.removeAll() }
            known[key] = grammar.jsgf
        }
        return grammar.jsgf
    }
}
