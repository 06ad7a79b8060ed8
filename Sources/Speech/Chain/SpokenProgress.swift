import Base

/// How much of a text has been handed to the caller, and where another voice goes on when the first breaks off. Pure.
struct SpokenProgress: Hashable, Sendable {
    static let bytesPerMs = 8
    /// Speech without word times: so much of it a character, until this call has shown what it is.
    static let usualMsPerCharacter = 65.0

    let text: String
    /// µ-law bytes given on, of all voices.
    private(set) var bytes = 0
    /// Of the voice that speaks now.
    private(set) var voiceBytes = 0
    /// What the voice was given, and where its words end, milliseconds of its own audio.
    private(set) var part: String
    private var wordEndsMs: [Int] = []
    private let msPerCharacter: Double

    init(_ text: String, msPerCharacter: Double = SpokenProgress.usualMsPerCharacter) {
        self.text = text
        part = text
        self.msPerCharacter = msPerCharacter
    }

    mutating func heard(bytes more: Int) {
        bytes += more
        voiceBytes += more
    }

    mutating func heard(_ words: [Word]) { wordEndsMs += words.map(\.endMs) }

    /// The rest from the first word that was not given on whole; empty when nothing is left. A voice that goes on is told
    /// this, and asked about it from then on.
    mutating func resume() -> String {
        let words = part.split(whereSeparator: \.isWhitespace)
        let done = min(words.count, wordsDone(words))
        part = words.dropFirst(done).joined(separator: " ")
        voiceBytes = 0
        wordEndsMs = []
        return part
    }

    private func wordsDone(_ words: [Substring]) -> Int {
        let heardMs = voiceBytes / Self.bytesPerMs
        guard heardMs > 0 else { return 0 }
        // Times of words that are told late say nothing of the words behind them.
        guard wordEndsMs.isEmpty || (wordEndsMs.last ?? 0) < heardMs && wordEndsMs.count < words.count else {
            return wordEndsMs.count { $0 <= heardMs }
        }
        let known = wordEndsMs.count
        var characters = (Double(heardMs - (wordEndsMs.last ?? 0)) / msPerCharacter)
        var done = known
        for word in words.dropFirst(known) {
            characters -= Double(word.count + 1)
            if characters < 0 { break }
            done += 1
        }
        return done
    }

    /// What this text's pace says of the next, once it was spoken whole by one voice.
    var pace: Double? {
        text == part && text.count >= 10 ? Double(voiceBytes / Self.bytesPerMs) / Double(text.count) : nil
    }
}
