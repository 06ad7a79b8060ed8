import Base

/// JSON of one input, short and stable because journals are kept: `{"kind":"speech_started","ago_ms":60}`,
/// `{"kind":"heard","utterance":3,"ms":1200,"finished":false}`.
extension Dialogue.Input: Codable {
    private enum Kind: String, Codable {
        case mediaStarted = "media_started"
        case speechStarted = "speech_started"
        case speechEnded = "speech_ended"
        case stirred, settled
        case endOfTurn = "end_of_turn"
        case transcript, digit
        case keyTone = "key_tone"
        case lineTone = "line_tone"
        case replyText = "reply_text"
        case replyToolCall = "reply_tool_call"
        case replyFinished = "reply_finished"
        case replyFailed = "reply_failed"
        case synthesised
        case synthesisFailed = "synthesis_failed"
        case heard
        case toolFinished = "tool_finished"
        case toolFailed = "tool_failed"
        case holdExtended = "hold_extended"
        case holdRefused = "hold_refused"
        case holdUnanswered = "hold_unanswered"
        case endRequested = "end_requested"
        case callerHungUp = "caller_hung_up"
        case mediaLost = "media_lost"
        case deadline
    }

    private enum Keys: String, CodingKey {
        case kind, resumed, text, final, words, digit, tone, reply, id, name, arguments, usage, code,
            utterance, ms,
            last
        case finished, key, result, number
        case fundedMs = "funded_ms"
        case agoMs = "ago_ms"
        case probability, finality
    }

    /// Journals of version 1 have no `ago_ms`: their ear always told the edges this late.
    private static let startedAgoMs = 60
    private static let endedAgoMs = 200

    package init(from decoder: any Decoder) throws {
        let from = try decoder.container(keyedBy: Keys.self)
        func text(_ key: Keys) throws -> String { try from.decode(String.self, forKey: key) }
        func number(_ key: Keys) throws -> Int { try from.decode(Int.self, forKey: key) }
        func flag(_ key: Keys) throws -> Bool { try from.value(key, or: false) }
        func reply() throws -> Dialogue.ReplyID { Dialogue.ReplyID(try number(.reply)) }
        func utterance() throws -> Dialogue.UtteranceID { Dialogue.UtteranceID(try number(.utterance)) }
        switch try from.decode(Kind.self, forKey: .kind) {
        case .mediaStarted: self = .mediaStarted(resumed: try flag(.resumed))
        case .speechStarted: self = .speechStarted(agoMs: try from.value(.agoMs, or: Self.startedAgoMs))
        case .speechEnded:
            self = .speechEnded(
                agoMs: try from.value(.agoMs, or: Self.endedAgoMs),
                finality: try from.decodeIfPresent(Double.self, forKey: .finality))
        case .stirred: self = .stirred
        case .settled: self = .settled
        case .endOfTurn: self = .endOfTurn(probability: try from.decode(Double.self, forKey: .probability))
        case .transcript:
            self = .transcript(
                .init(text: try text(.text), isFinal: try flag(.final), words: try from.value(.words, or: []))
            )
        case .digit: self = .digit(try text(.digit))
        case .keyTone: self = .keyTone(try text(.digit))
        case .lineTone: self = .lineTone(try from.decode(LineTone.self, forKey: .tone))
        case .replyText: self = .replyText(try reply(), try text(.text))
        case .replyToolCall:
            self = .replyToolCall(
                try reply(), id: try text(.id), name: try text(.name), arguments: try text(.arguments))
        case .replyFinished: self = .replyFinished(try reply(), try from.value(.usage, or: []))
        case .replyFailed: self = .replyFailed(try reply(), code: try text(.code))
        case .synthesised:
            self = .synthesised(try utterance(), milliseconds: try number(.ms), isLast: try flag(.last))
        case .synthesisFailed: self = .synthesisFailed(try utterance(), code: try text(.code))
        case .heard:
            self = .heard(try utterance(), milliseconds: try number(.ms), isFinished: try flag(.finished))
        case .toolFinished:
            self = .toolFinished(key: try text(.key), result: try from.value(.result, or: JSON.null))
        case .toolFailed: self = .toolFailed(key: try text(.key), code: try text(.code))
        case .holdExtended: self = .holdExtended(number: try number(.number), fundedMs: try number(.fundedMs))
        case .holdRefused: self = .holdRefused(number: try number(.number))
        case .holdUnanswered: self = .holdUnanswered(number: try number(.number))
        case .endRequested: self = .endRequested
        case .callerHungUp: self = .callerHungUp
        case .mediaLost: self = .mediaLost
        case .deadline: self = .deadline
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var to = encoder.container(keyedBy: Keys.self)
        try to.encode(kind, forKey: .kind)
        switch self {
        case .mediaStarted(let resumed): if resumed { try to.encode(true, forKey: .resumed) }
        case .transcript(let transcript):
            try to.encode(transcript.text, forKey: .text)
            if transcript.isFinal { try to.encode(true, forKey: .final) }
            if !transcript.words.isEmpty { try to.encode(transcript.words, forKey: .words) }
        case .digit(let digit), .keyTone(let digit): try to.encode(digit, forKey: .digit)
        case .lineTone(let tone): try to.encode(tone, forKey: .tone)
        case .replyText(let reply, let text):
            try to.encode(reply.number, forKey: .reply)
            try to.encode(text, forKey: .text)
        case .replyToolCall(let reply, let id, let name, let arguments):
            try to.encode(reply.number, forKey: .reply)
            try to.encode(id, forKey: .id)
            try to.encode(name, forKey: .name)
            try to.encode(arguments, forKey: .arguments)
        case .replyFinished(let reply, let usage):
            try to.encode(reply.number, forKey: .reply)
            if !usage.isEmpty { try to.encode(usage, forKey: .usage) }
        case .replyFailed(let reply, let code):
            try to.encode(reply.number, forKey: .reply)
            try to.encode(code, forKey: .code)
        case .synthesised(let utterance, let milliseconds, let isLast):
            try to.encode(utterance.number, forKey: .utterance)
            try to.encode(milliseconds, forKey: .ms)
            if isLast { try to.encode(true, forKey: .last) }
        case .synthesisFailed(let utterance, let code):
            try to.encode(utterance.number, forKey: .utterance)
            try to.encode(code, forKey: .code)
        case .heard(let utterance, let milliseconds, let isFinished):
            try to.encode(utterance.number, forKey: .utterance)
            try to.encode(milliseconds, forKey: .ms)
            if isFinished { try to.encode(true, forKey: .finished) }
        case .toolFinished, .toolFailed, .holdExtended, .holdRefused, .holdUnanswered: try encodeAnswer(&to)
        case .speechStarted(let agoMs): try to.encode(agoMs, forKey: .agoMs)
        case .speechEnded(let agoMs, let finality):
            try to.encode(agoMs, forKey: .agoMs)
            if let finality, finality.isFinite { try to.encode(finality, forKey: .finality) }
        case .endOfTurn(let probability):
            // JSON has no infinity.
            try to.encode(probability.isFinite ? probability : 0, forKey: .probability)
        case .stirred, .settled, .endRequested, .callerHungUp, .mediaLost, .deadline: break
        }
    }

    private func encodeAnswer(_ to: inout KeyedEncodingContainer<Keys>) throws {
        switch self {
        case .toolFinished(let key, let result):
            try to.encode(key, forKey: .key)
            try to.encode(result, forKey: .result)
        case .toolFailed(let key, let code):
            try to.encode(key, forKey: .key)
            try to.encode(code, forKey: .code)
        case .holdExtended(let number, let fundedMs):
            try to.encode(number, forKey: .number)
            try to.encode(fundedMs, forKey: .fundedMs)
        case .holdRefused(let number), .holdUnanswered(let number): try to.encode(number, forKey: .number)
        default: break
        }
    }

    private var kind: Kind {
        switch self {
        case .mediaStarted: .mediaStarted
        case .speechStarted: .speechStarted
        case .speechEnded: .speechEnded
        case .stirred: .stirred
        case .settled: .settled
        case .endOfTurn: .endOfTurn
        case .transcript: .transcript
        case .digit: .digit
        case .keyTone: .keyTone
        case .lineTone: .lineTone
        case .replyText: .replyText
        case .replyToolCall: .replyToolCall
        case .replyFinished: .replyFinished
        case .replyFailed: .replyFailed
        case .synthesised: .synthesised
        case .synthesisFailed: .synthesisFailed
        case .heard: .heard
        case .toolFinished: .toolFinished
        case .toolFailed: .toolFailed
        case .holdExtended: .holdExtended
        case .holdRefused: .holdRefused
        case .holdUnanswered: .holdUnanswered
        case .endRequested: .endRequested
        case .callerHungUp: .callerHungUp
        case .mediaLost: .mediaLost
        case .deadline: .deadline
        }
    }
}
