import OfflineVoices

/// Cuts what is heard into lines, and lines at their short pauses into phrases, and has each phrase
/// recognised.
///
/// Phrase by phrase, because a phrase that was not understood must not take the question after it along.
/// Confined to one thread: events of the stream are to be brought there and given to `take`.
final class CallerEar {
    enum Heard: Hashable, Sendable {
        /// The line so far.
        case partial(String)
        /// A whole line, and its number counted from 0.
        case line(Int, String)
    }

    /// Sound from before a phrase's first loud frames, so that no word loses its head: 200 ms.
    private static let prerollFrames = 10
    /// Quiet that ends a phrase: 140 ms.
    private static let phraseTicks = 7

    private struct Line {
        var text = ""
        var phrasesOpen = 0
        var isOver = false
    }

    private let stream: OfflineRecognitionStream
    private var edges = SoundEdges()
    private var preroll: [[UInt8]] = []
    private var isInPhrase = false
    private var lines: [Line] = []
    /// Lines of the phrases whose end is still to be reported, in order.
    private var awaited: [Int] = []
    private var guess = ""

    init(_ stream: OfflineRecognitionStream, grammar: HeardGrammar) {
        self.stream = stream
        stream.setGrammar(grammar.jsgf)
    }

    /// One 20 ms frame, nil for silence. A line that is over and understood by now comes with it.
    func tick(_ heard: [UInt8]?) -> (edge: SoundEdges.Edge?, heard: Heard?) {
        let edge = edges.tick(heard)
        if edge == .started { lines.append(Line()) }
        let frame = heard ?? Mouth.silence
        if isInPhrase {
            stream.send(MuLaw.decode(frame))
            if edges.quiet >= Self.phraseTicks { endPhrase() }
        } else if edges.isSounding, edges.quiet == 0 {
            beginPhrase(with: frame)
        } else {
            preroll.append(frame)
            if preroll.count > Self.prerollFrames { preroll.removeFirst() }
        }
        guard edge == .stopped else { return (edge, nil) }
        endPhrase()
        let number = lines.count - 1
        lines[number].isOver = true
        return (edge, lines[number].phrasesOpen == 0 ? .line(number, lines[number].text) : nil)
    }

    /// What an event of the stream means; nil when it changes nothing.
    func take(_ event: OfflineRecognition) -> Heard? {
        switch event {
        case .partial(let text):
            guess = text
            guard let line = awaited.first else { return nil }
            return .partial(lines[line].text + " " + text)
        // Nothing that fits to the end: people go by what they caught.
        case .final(let text): return phraseEnded(text.isEmpty ? guess : text)
        case .failed: return phraseEnded(guess)
        }
    }

    func close() { stream.close() }

    private func beginPhrase(with frame: [UInt8]) {
        isInPhrase = true
        let line = lines.count - 1
        lines[line].phrasesOpen += 1
        awaited.append(line)
        stream.begin()
        for earlier in preroll { stream.send(MuLaw.decode(earlier)) }
        stream.send(MuLaw.decode(frame))
        preroll = []
    }

    private func endPhrase() {
        guard isInPhrase else { return }
        isInPhrase = false
        stream.end()
    }

    private func phraseEnded(_ text: String) -> Heard? {
        guess = ""
        guard !awaited.isEmpty else { return nil }
        let number = awaited.removeFirst()
        lines[number].phrasesOpen -= 1
        if !text.isEmpty { lines[number].text += (lines[number].text.isEmpty ? "" : " ") + text }
        let line = lines[number]
        return line.isOver && line.phrasesOpen == 0 ? .line(number, line.text) : .partial(line.text)
    }
}
