import Base

/// Deepgram's `/v2/listen`: the vendor judges when the turn is over, and may tell early and take it back. Each message
/// has the whole turn so far.
///
/// Source: reference of Deepgram's Flux API, "State machine", "Configure".
struct FluxDialect: DeepgramDialect {
    /// Flux has no keep-alive message, and a turn without audio does not end.
    let keepAlive = DeepgramKeepAlive.silence
    /// 80 ms, as the vendor advises.
    let pieceBytes = 640

    /// The words of the turn under way.
    private var open = ""
    private var isEager = false
    private let terms: [String]
    private var asked: [String]

    init(terms: [String]) {
        self.terms = terms
        asked = terms
    }

    mutating func received(_ message: DeepgramMessage) -> [DeepgramStep] {
        switch message {
        case .turn(let turn): heard(turn)
        case .error(let name):
            [.failed(VendorFaults(stage: "stt").after(.zero, "unavailable", "error: \(name.prefix(60))"))]
        case .results, .utteranceEnd, .configured, .other: []
        }
    }

    private mutating func heard(_ turn: DeepgramMessage.Flux) -> [DeepgramStep] {
        switch turn.event {
        case "Update", "StartOfTurn": return partial(turn.text)
        case "EagerEndOfTurn":
            isEager = true
            return partial(turn.text) + [.endOfTurn(turn.confidence)]
        case "TurnResumed":
            isEager = false
            return partial(turn.text) + [.endOfTurn(0)]
        case "EndOfTurn":
            isEager = false
            open = ""
            return [.final(turn.text, turn.words), .endOfTurn(turn.confidence)]
        default: return []
        }
    }

    private mutating func partial(_ text: String) -> [DeepgramStep] {
        let text = String(text.prefix(NovaDialect.textMax))
        guard !text.isEmpty, text != open else { return [] }
        open = text
        return [.partial(text)]
    }

    mutating func utteranceStarted() -> [DeepgramStep] { [] }
    mutating func utteranceEnded() -> [DeepgramStep] { [] }
    mutating func waitedInVain() -> [DeepgramStep] { [] }

    /// The agent has answered: words of a turn that the vendor still holds open must not come again with the next.
    mutating func expect(_ keyterms: [String]) -> [DeepgramStep] {
        var steps: [DeepgramStep] = []
        if !open.isEmpty { steps.append(.send(#"{"type":"ForceEndTurn"}"#)) }
        open = ""
        let all = DeepgramKeyterms.kept(terms + keyterms)
        guard all != asked else { return steps }
        asked = all
        let message: JSON = ["type": "Configure", "keyterms": .array(all.map { .string($0) })]
        return steps + [.send(message.text)]
    }
}
