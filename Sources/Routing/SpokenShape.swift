/// What a text looks like to the router: words as numbers, and how many of each kind.
///
/// Lower case, ASCII letters and digits; apostrophes vanish ("don't" is `dont`), anything else parts words.
package struct SpokenShape: Sendable, Hashable {
    /// Words that are read of one text; the rest is only counted.
    package static let wordsMax = 400
    /// Letters of a word by which two forms of it count as one ("reserve", "reservation").
    static let stemLetters = 5

    /// Whatever begins with a digit is `WordHash.number`.
    package private(set) var words: [UInt32] = []
    /// Of words that are not `Lexicon.isCommon`, in order, repeats included.
    package private(set) var stems: [UInt32] = []
    /// By `Lexicon.Kind`.
    package private(set) var counts = [UInt8](repeating: 0, count: Lexicon.Kind.allCases.count)
    package private(set) var wordCount = 0
    /// Words that begin with a digit.
    package private(set) var numbers = 0
    /// Capitals within a sentence: names, as far as the text is written with capitals at all.
    package private(set) var capitals = 0
    package private(set) var questionMarks = 0
    package private(set) var exclamations = 0
    package private(set) var sentences = 0
    package private(set) var endsInQuestion = false
    /// Of the first word of the last sentence.
    package private(set) var lastOpening: UInt32 = 0
    package private(set) var opening: UInt32 = 0
    /// Where in `words` the last sentence begins.
    private(set) var lastSentence = 0

    package init() {}

    /// `isIdentifier`: capitals and underscores part words ("FindEvents", "hotel_search").
    package init(_ text: String, isIdentifier: Bool = false) {
        var word: [UInt8] = []
        var isCapital = false
        var startsSentence = true
        for byte in text.utf8 {
            let lower = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
            if lower >= 0x61 && lower <= 0x7A || byte >= 0x30 && byte <= 0x39 {
                if isIdentifier, lower != byte { finish(&word, isCapital, &startsSentence) }
                if word.isEmpty { isCapital = lower != byte }
                word.append(lower)
                continue
            }
            // Apostrophes, either form.
            if byte == 0x27 || byte == 0xE2 || byte == 0x80 || byte == 0x99 { continue }
            finish(&word, isCapital, &startsSentence)
            mark(byte, &startsSentence)
        }
        finish(&word, isCapital, &startsSentence)
    }

    private mutating func mark(_ byte: UInt8, _ startsSentence: inout Bool) {
        switch byte {
        case UInt8(ascii: "?"):
            questionMarks += 1
            endsInQuestion = true
            startsSentence = true
        case UInt8(ascii: "!"), UInt8(ascii: "."), UInt8(ascii: "\n"), UInt8(ascii: ";"):
            if byte == UInt8(ascii: "!") { exclamations += 1 }
            startsSentence = true
        default: break
        }
    }

    private mutating func finish(_ word: inout [UInt8], _ isCapital: Bool, _ startsSentence: inout Bool) {
        guard !word.isEmpty else { return }
        defer { word.removeAll(keepingCapacity: true) }
        wordCount += 1
        guard words.count < Self.wordsMax else { return }
        let hash = word[0] <= 0x39 ? WordHash.number : WordHash.of(word[...])
        words.append(hash)
        let kinds = Lexicon.kinds(of: hash)
        if startsSentence {
            sentences += 1
            lastOpening = kinds
            lastSentence = words.count - 1
            if words.count == 1 { opening = kinds }
        } else if isCapital, word.count > 1 {
            capitals += 1
        }
        if word[0] <= 0x39 { numbers += 1 }
        for kind in 0..<counts.count where kinds >> UInt32(kind) & 1 == 1 {
            counts[kind] = min(counts[kind], 254) + 1
        }
        if !Lexicon.isCommon(hash) { stems.append(WordHash.of(word.prefix(Self.stemLetters))) }
        endsInQuestion = false
        startsSentence = false
    }

    package func count(_ kind: Lexicon.Kind) -> Int { Int(counts[kind.rawValue]) }
    static func has(_ kinds: UInt32, _ kind: Lexicon.Kind) -> Bool { kinds >> UInt32(kind.rawValue) & 1 == 1 }
}
