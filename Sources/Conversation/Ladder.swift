package import Base

/// Inputs and effects as lines of text that read like a conversation: for `parley replay` and golden files.
///
/// `   900  in   final "I want to move my appointment"`: milliseconds of call time, side, what happened.
package enum Ladder {
    package static func line(_ input: Dialogue.Input, at now: CallTime) -> String {
        prefix(now) + "in   " + text(of: input)
    }

    package static func line(_ effect: Dialogue.Effect, at now: CallTime) -> String {
        prefix(now) + "out  " + text(of: effect)
    }

    /// Why what follows was decided.
    package static func line(reason: String, at now: CallTime) -> String { prefix(now) + "why  " + reason }

    private static func prefix(_ now: CallTime) -> String {
        let digits = String(now.milliseconds)
        return String(repeating: " ", count: max(0, 7 - digits.count)) + digits + "  "
    }

    package static func text(of input: Dialogue.Input) -> String {
        switch input {
        case .mediaStarted(let resumed): resumed ? "media started again after a takeover" : "media started"
        case .speechStarted(let agoMs): "speech started" + ago(agoMs)
        case .speechFading(let agoMs): "speech fades" + ago(agoMs)
        case .speechEnded(let agoMs, let finality):
            "speech ended" + ago(agoMs) + (finality.map { ", \(percent($0)) % final" } ?? "")
        case .stirred: "something stirs"
        case .settled: "it settles"
        case .endOfTurn(let probability): "recogniser: end of turn \(percent(probability)) %"
        case .transcript(let transcript):
            (transcript.isFinal ? "final " : "partial ") + quoted(transcript.text)
        case .digit(let digit): "key \(digit)"
        case .keyTone(let digit): "tones of key \(digit)"
        case .lineTone(let tone): "line tone: \(tone.rawValue)"
        case .recogniserFailed(let code): "recogniser failed: \(code)"
        case .replyText(let reply, let text): "reply \(reply.number) text \(quoted(text))"
        case .replyToolCall(let reply, _, let name, let arguments):
            "reply \(reply.number) tool \(name) \(arguments)"
        case .replyFinished(let reply, _): "reply \(reply.number) finished"
        case .replyFailed(let reply, let code): "reply \(reply.number) failed: \(code)"
        case .synthesised(let utterance, let ms, let isLast):
            "synthesised #\(utterance.number) \(ms) ms" + (isLast ? ", whole" : "")
        case .synthesisFailed(let utterance, let code): "synthesis failed #\(utterance.number): \(code)"
        case .heard(let utterance, let ms, let isFinished):
            "heard #\(utterance.number) \(ms) ms" + (isFinished ? ", whole" : "")
        case .toolFinished(let key, let result): "tool finished \(key) \(result.text)"
        case .toolFailed(let key, let code): "tool failed \(key): \(code)"
        case .holdExtended(let number, let fundedMs): "hold \(number) extended to \(fundedMs) ms"
        case .holdRefused(let number): "hold \(number) refused"
        case .holdUnanswered(let number): "hold \(number) unanswered"
        case .endRequested: "end requested"
        case .callerHungUp: "caller hung up"
        case .mediaLost: "media lost"
        case .deadline: "deadline"
        }
    }

    package static func text(of effect: Dialogue.Effect) -> String {
        switch effect {
        case .startReply(let reply, let request):
            (request.isDraft ? "draft reply " : "start reply ") + "\(reply.number)" + last(request.messages)
        case .cancelReply(let reply): "cancel reply \(reply.number)"
        case .spareReply: "no model asked"
        case .speak(let utterance, let text): "speak #\(utterance.number) \(quoted(text))"
        case .prepare(let utterance, let text): "prepare #\(utterance.number) \(quoted(text))"
        case .discard(let utterance): "discard #\(utterance.number)"
        case .pausePlayout: "pause playout"
        case .duckPlayout: "duck playout"
        case .unduckPlayout: "unduck playout"
        case .resumePlayout(let fromStart):
            "resume playout" + (fromStart ? " from the start of the line" : "")
        case .clearPlayout: "clear playout"
        case .listen(let expectation, let phrases):
            "listen for \(text(of: expectation))"
                + (phrases.isEmpty ? "" : " and \(phrases.joined(separator: ", "))")
        case .callTool(let call, let isDraft):
            (isDraft ? "draft tool " : "call tool ") + "\(call.name) \(call.arguments.text) key \(call.key)"
        case .cancelTool(let key): "cancel tool \(key)"
        case .startRecording: "start recording"
        case .pauseRecording: "pause recording"
        case .resumeRecording: "resume recording"
        case .extendHold(let number): "extend hold \(number)"
        case .record(let fact): "record " + text(of: fact)
        case .hangUp(let reason): "hang up: \(reason.rawValue)"
        }
    }

    package static func text(of expectation: Expectation) -> String {
        switch expectation {
        case .open: "anything"
        case .yesNo: "yes or no"
        case .choice(let phrases): "one of \(phrases.joined(separator: " | "))"
        case .digits(let min, let max): min == max ? "\(min) digits" : "\(min) to \(max) digits"
        case .phone: "a phone number"
        case .date: "a date"
        case .spelling: "letters"
        case .address: "an address"
        case .email: "an email address"
        case .amount: "an amount"
        case .name: "a name"
        }
    }

    private static func text(of fact: Dialogue.Fact) -> String {
        switch fact {
        case .turn(let turn):
            "turn \(turn.number) \(turn.speaker.rawValue) \(quoted(turn.text))"
                + (turn.wasInterrupted ? " (interrupted)" : "") + text(of: turn.stages)
                + (turn.evidence.map { ", " + text(of: $0) } ?? "")
        case .tool(let tool):
            "tool \(tool.name) \(tool.succeeded ? "succeeded" : "failed") in \(tool.milliseconds) ms"
        case .node(let node): "node \(node)"
        case .digit(let digit): "key \(digit)"
        case .usage(let usage):
            "usage " + usage.map { "\($0.quantity) \($0.unit.rawValue)" }.joined(separator: ", ")
        case .note(let code, let detail): "note \(code)" + (detail.isEmpty ? "" : ": \(detail)")
        }
    }

    package static func text(of evidence: Dialogue.Evidence) -> String {
        let why =
            switch evidence.term {
            case "silence": "of silence"
            case "words": "as the words sound \(evidence.finishedPercent) % finished"
            case "voice": "as the voice fell (\(evidence.finalityPercent ?? 0) % final)"
            case "recogniser": "as the recogniser is \(evidence.recogniserPercent ?? 0) % sure"
            case "pauses": "as this caller pauses \(evidence.pausesMs ?? 0) ms"
            case "whole": "as the answer is whole"
            case "enough": "as the answer may go on"
            case "owed": "as the rest of the answer is owed"
            case "final_due": "for final words"
            case "keys": "for keys"
            default: "without a pause"
            }
        return "waited \(evidence.waitMs) ms " + why
    }

    private static func text(of stages: Dialogue.Stages?) -> String {
        guard let stages else { return "" }
        let parts = [
            ("text", stages.finalTextMs), ("turn", stages.endOfTurnMs),
            ("request", stages.requestedMs), ("token", stages.firstTokenMs),
            ("audio", stages.firstAudioMs), ("heard", stages.heardMs),
        ]
        return " after " + parts.compactMap { name, ms in ms.map { "\(name) \($0)" } }.joined(separator: ", ")
            + " ms"
    }

    private static func last(_ messages: [Dialogue.Message]) -> String {
        switch messages.last {
        case .user(let text): " to \(quoted(text))"
        case .toolResult(_, let content): " to tool result \(content)"
        case .system, .none: " to open the call"
        case .assistant(let text): " after \(quoted(text))"
        case .toolCalls: " after a tool call"
        }
    }

    private static func ago(_ ms: Int) -> String { ms == 0 ? "" : " \(ms) ms ago" }

    private static func percent(_ probability: Double) -> Int {
        probability.isFinite ? Int((min(max(0, probability), 1) * 100).rounded()) : 0
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            + "\""
    }
}
