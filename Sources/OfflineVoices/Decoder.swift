import CVoicesShim

/// One PocketSphinx decoder: used by whoever leased it from the pool, one at a time.
///
/// It starts without words; the words of a grammar are added when the grammar is first set (a load takes 10 ms so).
final class Decoder: @unchecked Sendable {
    /// Compiled grammars kept for the next utterances.
    static let grammarsMax = 8
    /// Mean score per frame (`voices_decoder_fit`) below which words count as not said. Over telephone speech of rms all
    /// that was in the grammar had -43 or better (slt: 90 % -50 or better); half of the sentences forced into a grammar
    /// they are not in had -50 or worse.
    private static let fitMin: Int32 = -50

    private let handle: OpaquePointer
    private let dictionary: PronouncingDictionary
    private var words: Set<String> = []
    /// Most recently used last.
    private var grammars: [(text: String, name: String)] = []
    private var named = 0

    struct Failure: Error { let reason: String }

    init(model: OfflineRecognizer.Model, dictionary: PronouncingDictionary) throws {
        guard let handle = voices_decoder_open(model.acoustic, "/dev/null") else {
            throw Failure(reason: "PocketSphinx could not load \(model.acoustic)")
        }
        self.handle = handle
        self.dictionary = dictionary
    }

    deinit { voices_decoder_close(handle) }

    func knows(_ grammar: String) -> Bool { grammars.contains { $0.text == grammar } }

    func begin(_ grammar: String) throws {
        let name = try prepared(grammar)
        guard voices_decoder_begin(handle, name) == 0 else {
            throw Failure(reason: "PocketSphinx did not begin")
        }
    }

    func hear(_ samples: [Int16]) { _ = voices_decoder_hear(handle, samples, Int32(samples.count)) }

    func end() { _ = voices_decoder_end(handle) }

    /// The words so far; after the end, empty when the grammar did not fit to its end.
    var hypothesis: String {
        guard let text = voices_decoder_hypothesis(handle) else { return "" }
        return String(cString: text)
    }

    /// The words after the end; empty when they fit the sound so badly that something else was said.
    var result: String { voices_decoder_fit(handle) < Self.fitMin ? "" : hypothesis }

    /// The words of the hypothesis with their times, milliseconds from the begin.
    var timedWords: [OfflineWord] {
        final class Box { var words: [OfflineWord] = [] }
        let box = Box()
        voices_decoder_words(
            handle,
            { user, word, start, end in
                guard let user, let word else { return }
                let name = String(cString: word)
                guard !name.hasPrefix("<"), !name.hasPrefix("["), !name.hasPrefix("(") else { return }
                Unmanaged<Box>.fromOpaque(user).takeUnretainedValue().words.append(
                    OfflineWord(
                        text: String(name.prefix { $0 != "(" }), startMs: Int(start) * 10,
                        endMs: Int(end) * 10 + 10))
            }, Unmanaged.passUnretained(box).toOpaque())
        return box.words
    }

    private func prepared(_ grammar: String) throws -> String {
        if let index = grammars.firstIndex(where: { $0.text == grammar }) {
            let known = grammars.remove(at: index)
            grammars.append(known)
            return known.name
        }
        for word in JSGFWords.all(in: grammar) where !words.contains(word) { try add(word) }
        if grammars.count >= Self.grammarsMax {
            voices_decoder_drop_grammar(handle, grammars.removeFirst().name)
        }
        named += 1
        let name = "g\(named)"
        guard voices_decoder_add_grammar(handle, name, grammar) == 0 else {
            throw Failure(reason: "PocketSphinx refused the grammar")
        }
        grammars.append((grammar, name))
        return name
    }

    private func add(_ word: String) throws {
        let sounds = dictionary.pronunciations(of: word)
        guard !sounds.isEmpty else { throw Failure(reason: "a word of the grammar can't be pronounced") }
        for sound in sounds where voices_decoder_add_word(handle, sound.name, sound.phones) != 0 {
            throw Failure(reason: "PocketSphinx refused a word")
        }
        words.insert(word)
    }
}

/// Finds the words in a JSGF text.
enum JSGFWords {
    static func all(in grammar: String) -> Set<String> {
        let body = grammar.drop { $0 != ";" }
        var words: Set<String> = []
        var word = ""
        var closing: Character?
        func finish() {
            if !word.isEmpty, word != "grammar", word != "public" { words.insert(word) }
            word = ""
        }
        var isHeader = true
        for character in body.dropFirst() {
            // Up to the grammar's name.
            if isHeader {
                isHeader = character != ";"
                continue
            }
            if let end = closing {
                if character == end { closing = nil }
                continue
            }
            switch character {
            case "<": finish(); closing = ">"
            case "{": finish(); closing = "}"
            case "/": finish(); closing = "/"
            case "a"..."z", "A"..."Z", "0"..."9", "'", "_", "-", ".": word.append(character)
            default: finish()
            }
        }
        finish()
        return words
    }
}
