import Base

/// One of Deepgram's two ways to be listened with: what comes over the socket and what the ear tells go in, events and
/// orders come out. Pure.
protocol DeepgramDialect {
    mutating func received(_ message: DeepgramMessage) -> [DeepgramStep]
    mutating func utteranceStarted() -> [DeepgramStep]
    mutating func utteranceEnded() -> [DeepgramStep]
    /// Words that may come from now on, besides those of the whole call.
    mutating func expect(_ keyterms: [String]) -> [DeepgramStep]
    /// The limit of the last `.wait` has passed.
    mutating func waitedInVain() -> [DeepgramStep]
    /// What keeps the socket alive while no audio comes: a message, or silence to be sent as audio.
    var keepAlive: DeepgramKeepAlive { get }
    /// Audio of speech is sent in pieces of so many bytes.
    var pieceBytes: Int { get }
}

enum DeepgramStep: Hashable {
    case partial(String)
    case final(String, [Word])
    case endOfTurn(Double)
    case send(String)
    /// Call `waitedInVain` unless another `.wait` or a final comes within this time; nil: no more.
    case wait(Duration?)
    case failed(Fault)
}

enum DeepgramKeepAlive {
    case message(String)
    case silence
}

/// What the dialects read, each message one JSON text. Times are seconds since the socket's first audio.
enum DeepgramMessage: Hashable {
    case results(Nova)
    case utteranceEnd
    case turn(Flux)
    /// Fatal. Its name, never its text: that may quote what was sent.
    case error(String)
    /// A change of settings was taken (or not): the next may be sent.
    case configured
    case other

    struct Nova: Hashable {
        var isFinal: Bool
        var isSpeechFinal: Bool
        var isFromFinalize: Bool
        var text: String
        var words: [Word]
    }
    struct Flux: Hashable {
        var event: String
        var index: Int64
        var text: String
        var words: [Word]
        var confidence: Double
    }

    /// nil: not JSON, or no object with a type.
    init?(_ text: String) {
        guard let json = JSON(parsing: text), let type = json["type"]?.string else { return nil }
        switch type {
        case "Results": self = Self.results(json)
        case "UtteranceEnd": self = .utteranceEnd
        case "TurnInfo": self = Self.turn(json)
        case "Error": self = .error(json["code"]?.string ?? json["variant"]?.string ?? "Error")
        case "ConfigureSuccess", "ConfigureFailure": self = .configured
        default: self = .other
        }
    }

    private static func results(_ json: JSON) -> DeepgramMessage {
        let best = json["channel"]?["alternatives"]?.array?.first
        return .results(
            Nova(
                isFinal: json["is_final"]?.bool ?? false, isSpeechFinal: json["speech_final"]?.bool ?? false,
                isFromFinalize: json["from_finalize"]?.bool ?? false, text: best?["transcript"]?.string ?? "",
                words: words(best?["words"])))
    }

    private static func turn(_ json: JSON) -> DeepgramMessage {
        .turn(
            Flux(
                event: json["event"]?.string ?? "", index: json["turn_index"]?.int ?? 0,
                text: json["transcript"]?.string ?? "", words: words(json["words"]),
                confidence: min(max(json["end_of_turn_confidence"]?.number ?? 0, 0), 1)))
    }

    /// Words without times are left out.
    private static func words(_ json: JSON?) -> [Word] {
        (json?.array ?? []).compactMap { word in
            guard let text = word["punctuated_word"]?.string ?? word["word"]?.string,
                let start = word["start"]?.number, let end = word["end"]?.number,
                secondsRange.contains(start), secondsRange.contains(end)
            else { return nil }
            return Word(
                text: text, startMs: Int((start * 1000).rounded()), endMs: Int((end * 1000).rounded()))
        }
    }
    /// A call lasts hours at most; a number from outside is held to a week.
    private static let secondsRange = 0.0...604_800
}
