package import Base

/// JSON of one input, short and stable because journals are kept: `{"kind":"speech_started","ago_ms":60}`,
/// `{"kind":"heard","utterance":3,"ms":1200,"finished":false}`.
extension Dialogue.Input: Codable {
    private enum Kind: String, Codable {
        case mediaStarted = "media_started"
        case speechStarted = "speech_started"
        case speechFading = "speech_fading"
        case speechEnded = "speech_ended"
        case stirred, settled
        case endOfTurn = "end_of_turn"
        case transcript, digit
        case keyTone = "key_tone"
        case lineTone = "line_tone"
        case recogniserFailed = "recogniser_failed"
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
        case .speechFading: self = .speechFading(agoMs: try number(.agoMs))
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
        case .recogniserFailed: self = .recogniserFailed(code: try text(.code))
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

    package func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }

    /// What a journal keeps of it: made by hand, as a call has hundreds of inputs a minute.
    package var json: JSON {
        var members = heardMembers ?? replyMembers ?? answerMembers ?? [:]
        members[.kind] = .string(kind.rawValue)
        return .object(Dictionary(uniqueKeysWithValues: members.map { ($0.key.rawValue, $0.value) }))
    }

    /// Of what comes from the caller.
    private var heardMembers: [Keys: JSON]? {
        switch self {
        case .mediaStarted(let resumed): return resumed ? [.resumed: true] : [:]
        case .transcript(let transcript):
            var members: [Keys: JSON] = [.text: .string(transcript.text)]
            if transcript.isFinal { members[.final] = true }
            if !transcript.words.isEmpty { members[.words] = .array(transcript.words.map(\.json)) }
            return members
        case .digit(let digit), .keyTone(let digit): return [.digit: .string(digit)]
        case .lineTone(let tone): return [.tone: .string(tone.rawValue)]
        case .speechStarted(let agoMs), .speechFading(let agoMs): return [.agoMs: JSON(agoMs)]
        case .speechEnded(let agoMs, let finality):
            var members: [Keys: JSON] = [.agoMs: JSON(agoMs)]
            if let finality, finality.isFinite { members[.finality] = .double(finality) }
            return members
        case .endOfTurn(let probability):
            // JSON has no infinity.
            return [.probability: .double(probability.isFinite ? probability : 0)]
        default: return nil
        }
    }

    /// Of what comes from model and voice.
    private var replyMembers: [Keys: JSON]? {
        switch self {
        case .replyText(let reply, let text): return [.reply: JSON(reply.number), .text: .string(text)]
        case .replyToolCall(let reply, let id, let name, let arguments):
            return [
                .reply: JSON(reply.number), .id: .string(id), .name: .string(name),
                .arguments: .string(arguments),
            ]
        case .replyFinished(let reply, let usage):
            let bought: [Keys: JSON] = usage.isEmpty ? [:] : [.usage: .array(usage.map(\.json))]
            return bought.merging([.reply: JSON(reply.number)]) { $1 }
        case .replyFailed(let reply, let code): return [.reply: JSON(reply.number), .code: .string(code)]
        case .synthesised(let utterance, let milliseconds, let isLast):
            let last: [Keys: JSON] = isLast ? [.last: true] : [:]
            return last.merging([.utterance: JSON(utterance.number), .ms: JSON(milliseconds)]) { $1 }
        case .synthesisFailed(let utterance, let code):
            return [.utterance: JSON(utterance.number), .code: .string(code)]
        case .heard(let utterance, let milliseconds, let isFinished):
            let finished: [Keys: JSON] = isFinished ? [.finished: true] : [:]
            return finished.merging([.utterance: JSON(utterance.number), .ms: JSON(milliseconds)]) { $1 }
        default: return nil
        }
    }

    private var answerMembers: [Keys: JSON]? {
        switch self {
        case .toolFinished(let key, let result): [.key: .string(key), .result: result]
        case .toolFailed(let key, let code): [.key: .string(key), .code: .string(code)]
        case .recogniserFailed(let code): [.code: .string(code)]
        case .holdExtended(let number, let fundedMs): [.number: JSON(number), .fundedMs: JSON(fundedMs)]
        case .holdRefused(let number), .holdUnanswered(let number): [.number: JSON(number)]
        default: nil
        }
    }

    private var kind: Kind {
        switch self {
        case .mediaStarted: .mediaStarted
        case .speechStarted: .speechStarted
        case .speechFading: .speechFading
        case .speechEnded: .speechEnded
        case .stirred: .stirred
        case .settled: .settled
        case .endOfTurn: .endOfTurn
        case .transcript: .transcript
        case .digit: .digit
        case .keyTone: .keyTone
        case .lineTone: .lineTone
        case .recogniserFailed: .recogniserFailed
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

extension JSON {
    fileprivate init(_ number: Int) { self = .int(Int64(number)) }
}

extension Word {
    fileprivate var json: JSON {
        ["text": .string(text), "startMs": JSON(startMs), "endMs": JSON(endMs)]
    }
}

extension Usage {
    fileprivate var json: JSON {
        [
            "component": .string(component.rawValue), "source": .string(source),
            "unit": .string(unit.rawValue), "quantity": .int(quantity),
        ]
    }
}
