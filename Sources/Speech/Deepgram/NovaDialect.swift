import Base

/// Deepgram's `/v1/listen`. Segments are put together to one final an utterance: the vendor's own end of it
/// (`speech_final`, `UtteranceEnd`), or, as the ear is quicker, the answer to the `Finalize` sent when it hears one.
///
/// Source: reference of Deepgram's streaming API, "Understand endpointing and interim results", "Finalize".
struct NovaDialect: DeepgramDialect {
    /// `Finalize` is not always answered: then what is there is the final.
    static let finalizeMax = Duration.milliseconds(500)
    /// Segments of one utterance, characters; a vendor that never ends one is cut here.
    static let textMax = 4_000

    let keepAlive = DeepgramKeepAlive.message(#"{"type":"KeepAlive"}"#)
    /// 40 ms.
    let pieceBytes = 320

    private var committed: [String] = []
    private var words: [Word] = []
    private var interim = ""
    /// Of the segment that is being heard, the interim words that were taken for its final ones.
    private var told = ""
    /// The ear has heard an utterance for which no final has come.
    private var isOwed = false
    private var isWaiting = false
    /// The vendor has said something, be it that there are no words, since the last utterance began.
    private var isAnswered = false
    private let terms: [String]
    private var asked: [String] = []
    private var isConfiguring = false
    /// To be asked for when the answer to the last wish has come.
    private var wanted: [String]?
    private let takesTerms: Bool

    /// `terms`: of the whole call.
    init(model: String, terms: [String]) {
        self.terms = terms
        takesTerms = model.hasPrefix("nova-3")
        asked = terms
    }

    private var text: String { (committed + [interim]).filter { !$0.isEmpty }.joined(separator: " ") }

    mutating func received(_ message: DeepgramMessage) -> [DeepgramStep] {
        switch message {
        case .results(let results): return heard(results)
        case .utteranceEnd: return committed.isEmpty && interim.isEmpty ? [] : finish()
        case .error(let name): return [.failed(VendorFaults(stage: "stt").status(400, name: name))]
        case .configured:
            isConfiguring = false
            return wanted.map { configure($0) } ?? []
        case .turn, .other: return []
        }
    }

    private mutating func heard(_ results: DeepgramMessage.Nova) -> [DeepgramStep] {
        isAnswered = true
        let known = knownWords(of: results.text)
        let news = Words.dropping(known, of: results.text)
        guard results.isFinal else {
            interim = news
            return interim.isEmpty ? [] : [.partial(String(text.prefix(Self.textMax)))]
        }
        interim = ""
        told = ""
        if !news.isEmpty { committed.append(news) }
        words += results.words.dropFirst(known)
        let isLong = committed.reduce(0) { $0 + $1.utf8.count } > Self.textMax
        // The answer to a `Finalize` that was waited for in vain answers none that was sent since.
        if isLong || results.isFromFinalize && isWaiting && known == 0 { return finish() }
        if results.isSpeechFinal, !committed.isEmpty { return finish() }
        return news.isEmpty ? [] : [.partial(text)]
    }

    /// How many words of the segment were told already; one that begins otherwise is another segment.
    private mutating func knownWords(of text: String) -> Int {
        guard !told.isEmpty else { return 0 }
        let words = Words.split(told)
        if Words.split(text).first == words.first { return words.count }
        told = ""
        return 0
    }

    private mutating func finish() -> [DeepgramStep] {
        let final = DeepgramStep.final(text, words)
        committed = []
        words = []
        interim = ""
        isOwed = false
        defer { isWaiting = false }
        return isWaiting ? [final, .wait(nil)] : [final]
    }

    mutating func utteranceStarted() -> [DeepgramStep] {
        isOwed = true
        isAnswered = false
        defer { isWaiting = false }
        return isWaiting ? [.wait(nil)] : []
    }

    mutating func utteranceEnded() -> [DeepgramStep] {
        guard isOwed else { return [] }
        isWaiting = true
        return [.send(#"{"type":"Finalize"}"#), .wait(Self.finalizeMax)]
    }

    mutating func waitedInVain() -> [DeepgramStep] {
        guard isWaiting else { return [] }
        // Nothing at all came back: whether there were words is not known, and another vendor may be asked.
        guard isAnswered else {
            isWaiting = false
            return []
        }
        let words = interim
        defer { told = words }
        return finish()
    }

    mutating func expect(_ keyterms: [String]) -> [DeepgramStep] {
        let all = DeepgramKeyterms.kept(terms + keyterms)
        guard takesTerms else { return [] }
        // Turns lie between wishes: an answer that has not come when another waits already is not waited for.
        guard isConfiguring, wanted == nil else { return configure(all) }
        wanted = all
        return []
    }

    private mutating func configure(_ all: [String]) -> [DeepgramStep] {
        wanted = nil
        guard all != asked else { return [] }
        asked = all
        isConfiguring = true
        let message: JSON = ["type": "Configure", "keyterms": .array(all.map { .string($0) })]
        return [.send(message.text)]
    }
}

/// Words and phrases the recogniser is told to listen for.
enum DeepgramKeyterms {
    /// The vendor takes 500 tokens: some 100 short phrases.
    static let termsMax = 100
    static let charactersMax = 1_500

    /// The first of them that fit, each once.
    static func kept(_ terms: [String]) -> [String] {
        var seen: Set<String> = []
        var characters = 0
        return terms.filter { term in
            guard !term.isEmpty, seen.count < termsMax, seen.insert(term).inserted else { return false }
            characters += term.count
            return characters <= charactersMax
        }
    }
}
