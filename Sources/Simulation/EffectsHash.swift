import Base
import Conversation

/// Effects as numbers: equal effects give equal hashes, on every machine.
extension EffectsHash {
    mutating func mix(_ effect: Dialogue.Effect) {
        switch effect {
        case .startReply(let id, let request):
            mix(1)
            mix(id.number)
            mix(request.messages.count)
            mix(request.isDraft ? 1 : 0)
            if let last = request.messages.last { mix(last) }
        case .cancelReply(let id): mix(2); mix(id.number)
        case .speak(let id, let text): mix(3); mix(id.number); mix(text)
        case .duckPlayout: mix(4)
        case .unduckPlayout: mix(5)
        case .pausePlayout: mix(6)
        case .resumePlayout(let fromStart): mix(fromStart ? 7 : 8)
        case .clearPlayout: mix(9)
        case .callTool(let call, let isDraft): mix(10); mix(call.key); mix(call.name); mix(isDraft ? 1 : 0)
        case .cancelTool(let key): mix(20); mix(key)
        case .startRecording: mix(11)
        case .pauseRecording: mix(12)
        case .resumeRecording: mix(13)
        case .extendHold(let number): mix(14); mix(number)
        case .hangUp(let reason): mix(15); mix(reason.rawValue)
        case .record(let fact): mix(16); mix(fact)
        case .prepare(let id, let text): mix(18); mix(id.number); mix(text)
        case .discard(let id): mix(19); mix(id.number)
        case .spareReply(_, let line): mix(21); mix(line)
        case .listen: mix(17); mix(Ladder.text(of: effect))
        }
    }

    private mutating func mix(_ fact: Dialogue.Fact) {
        switch fact {
        case .turn(let turn):
            mix(turn.number)
            mix(turn.text)
            mix(turn.startedAt.milliseconds)
            mix(turn.endedAt.milliseconds)
            mix(turn.stages?.heardMs ?? -1)
        case .tool(let tool): mix(tool.key); mix(tool.milliseconds); mix(tool.succeeded ? 1 : 0)
        case .node(let node): mix(node)
        case .digit(let digit): mix(digit)
        case .usage(let usage): mix(usage.count)
        case .note(let code, let detail): mix(code); mix(detail)
        }
    }

    private mutating func mix(_ message: Dialogue.Message) {
        switch message {
        case .system(let text), .user(let text), .assistant(let text), .toolResult(_, let text): mix(text)
        case .toolCalls(let calls, let text):
            mix(calls.count)
            mix(text)
        }
    }
}
