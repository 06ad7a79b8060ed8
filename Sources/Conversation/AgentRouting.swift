import Agents
import Base
import Calls
import Turns

/// Between the agent's machine (flow or prompt) and the rest.
extension Conversation {
    mutating func startAgent(_ step: inout Step) {
        if prompt != nil { listen(.open, [], &step) }
        if let effects = flow?.handle(.started) { apply(effects, &step) }
        if let effects = prompt?.handle(.started) { apply(effects, &step) }
    }

    mutating func resumeAgent(_ step: inout Step) {
        if prompt != nil { listen(.open, [], &step) }
        if let effects = flow?.handle(.resumed) { apply(effects, &step) }
        if let effects = prompt?.handle(.resumed) { apply(effects, &step) }
    }

    mutating func answer(_ turn: Turns.CallerTurn, _ step: inout Step) {
        if let effects = flow?.handle(.answered(text: turn.text, keys: turn.keys)) { apply(effects, &step) }
        if let effects = prompt?.handle(.answered(text: turn.text, keys: turn.keys)) { apply(effects, &step) }
    }

    mutating func hearNothing(_ step: inout Step) {
        note("silence", &step)
        if let effects = flow?.handle(.silence) { apply(effects, &step) }
        if let effects = prompt?.handle(.silence) { apply(effects, &step) }
    }

    /// The caller has the floor and owes words; without any, the agent asks again.
    mutating func interrupted(_ heard: String, _ step: inout Step) {
        if let effects = prompt?.handle(.interrupted(heard: heard)) { apply(effects, &step) }
        guard call.ending == nil else { return }
        apply(turns.handle(.ask(listening?.expectation ?? .open), at: step.time), &step)
    }

    private mutating func apply(_ effects: [FlowMachine.Effect], _ step: inout Step) {
        for effect in effects {
            switch effect {
            case .entered(let node): tell(.node(node), &step)
            case .say(let line, let isInterruptible):
                apply(turns.handle(.say(line, isInterruptible: isInterruptible), at: step.time), &step)
            case .ask(let expectation, let phrases):
                ask(expectation, phrases, &step)
                needHearing(&step)
            case .callTool(let key, let name, let arguments):
                callTool(Dialogue.ToolCall(key: key, name: name, arguments: arguments), &step)
            case .pauseRecording, .resumeRecording, .startRecording: record(effect, &step)
            case .note(let code, let detail): note(code, detail: detail, &step)
            case .end(let reason): end(reason, &step)
            case .fail(let code): fail(code, &step)
            }
        }
    }

    private mutating func apply(_ effects: [PromptMachine.Effect], _ step: inout Step) {
        for effect in effects {
            switch effect {
            case .say(let line): apply(turns.handle(.say(line, isInterruptible: true), at: step.time), &step)
            case .replySpared(let line): spareReply(line, &step)
            case .requestReply: apply(turns.handle(.beginReply, at: step.time), &step)
            case .ask(let expectation, let isStated):
                // A guess sets how long to wait; it must not keep the recogniser from hearing something else.
                apply(turns.handle(.ask(expectation), at: step.time), &step)
                listen(isStated ? expectation : .open, [], &step)
            case .callTool(let call):
                callTool(Dialogue.ToolCall(key: call.key, name: call.name, arguments: call.arguments), &step)
            case .note(let code, let detail): note(code, detail: detail, &step)
            case .end(.agentFailed): fail("model_misbehaves", &step)
            case .end(let reason): end(reason, &step)
            case .giveUp:
                apply(
                    turns.handle(.say(definition.lines.silence, isInterruptible: false), at: step.time), &step
                )
                end(.silence, &step)
            }
        }
    }

    private mutating func ask(_ expectation: Expectation, _ phrases: [String], _ step: inout Step) {
        apply(turns.handle(.ask(expectation), at: step.time), &step)
        listen(expectation, phrases, &step)
    }

    /// Told once for each change: a recogniser may start over when told again.
    mutating func listen(_ expectation: Expectation, _ phrases: [String], _ step: inout Step) {
        let wanted = Listening(expectation: expectation, phrases: phrases)
        guard listening != wanted else { return }
        listening = wanted
        step.effects.append(.listen(for: expectation, phrases: phrases))
    }

    private mutating func record(_ effect: FlowMachine.Effect, _ step: inout Step) {
        switch (effect, recording) {
        case (.pauseRecording, .on):
            recording = .paused
            guard tentative?.isResumeDue != true else {
                tentative?.isResumeDue = false
                return
            }
            step.effects.append(.pauseRecording)
        case (.resumeRecording, .paused):
            recording = .on
            // Not before the turn stands: its rest may be private, too.
            if tentative != nil {
                tentative?.isResumeDue = true
            } else {
                step.effects.append(.resumeRecording)
            }
        case (.startRecording, .off) where definition.recording.mode == .afterConsent:
            commitTurn(&step)
            recording = .on
            step.effects.append(.startRecording)
        default: break
        }
    }

    func tool(_ name: String) -> Tool? { definition.tools.first { $0.name == name } }

    private mutating func callTool(_ toolCall: Dialogue.ToolCall, _ step: inout Step) {
        guard let tool = tool(toolCall.name) else {
            note("unknown_tool", detail: toolCall.name, &step)
            return endTool(toolCall.key, result: nil, code: "unknown_tool", &step)
        }
        commitTurn(&step)
        tools.start(key: toolCall.key, tool: tool, at: step.time)
        step.effects.append(.callTool(toolCall))
    }

    mutating func finishTool(_ key: String, result: JSON?, code: String?, _ step: inout Step) {
        guard let run = tools.finish(key) else { return note("tool_answer_unexpected", &step) }
        finish(run, result: result, code: code, &step)
    }

    mutating func apply(_ effect: ToolRuns.Effect, _ step: inout Step) {
        switch effect {
        case .sayFiller(let line):
            guard turns.isQuiet, !turns.isCallerSpeaking, call.ending == nil else { return }
            apply(turns.handle(.say(line, isInterruptible: true), at: step.time), &step)
        case .gaveUp(let run): finish(run, result: nil, code: "timeout", &step)
        }
    }

    private mutating func finish(_ run: ToolRuns.Run, result: JSON?, code: String?, _ step: inout Step) {
        let fact = Dialogue.Fact.tool(
            .init(
                key: run.key, name: run.name, succeeded: result != nil,
                milliseconds: Int((step.time - run.startedAt).milliseconds)))
        guard !run.isAhead else {
            return finishAhead(
                fact,
                result.map { .toolFinished(key: run.key, result: $0) }
                    ?? .toolFailed(key: run.key, code: code ?? "failed"), &step)
        }
        step.effects.append(.record(fact))
        guard call.ending == nil else { return }
        commitTurn(&step)
        endTool(run.key, result: result, code: code, &step)
    }

    private mutating func endTool(_ key: String, result: JSON?, code: String?, _ step: inout Step) {
        if let result {
            if let effects = flow?.handle(.toolFinished(key: key, result: result)) { apply(effects, &step) }
            if let effects = prompt?.handle(.toolFinished(key: key, result: result)) { apply(effects, &step) }
        } else {
            if let effects = flow?.handle(.toolFailed(key: key)) { apply(effects, &step) }
            if let effects = prompt?.handle(.toolFailed(key: key, code: code ?? "failed")) {
                apply(effects, &step)
            }
        }
    }
}

/// The model's replies.
extension Conversation {
    mutating func handleReply(_ input: Dialogue.Input, _ step: inout Step) {
        switch input {
        case .replyText(let id, let text):
            apply(turns.handle(.replyText(id.number, text), at: step.time), &step)
        case .replyToolCall(let id, _, let name, let arguments):
            guard turns.isCurrent(reply: id.number) else { return }
            if turns.isDraft(reply: id.number) {
                return keep(DraftReply.Call(name: name, arguments: arguments))
            }
            collect(name, arguments, &step)
        case .replyFinished(let id, let usage):
            // What a cancelled reply cost is counted all the same.
            if !usage.isEmpty { step.effects.append(.record(.usage(usage))) }
            keepCost(of: id.number, usage, &step)
            apply(turns.handle(.replyFinished(id.number), at: step.time), &step)
        case .replyFailed(let id, let code):
            if turns.isCurrent(reply: id.number) { note("model", detail: code, &step) }
            apply(turns.handle(.replyFailed(id.number), at: step.time), &step)
        default: break
        }
    }

    mutating func collect(_ name: String, _ arguments: String, _ step: inout Step) {
        if let effects = prompt?.handle(.replyToolCall(name: name, arguments: arguments)) {
            apply(effects, &step)
        }
    }

    mutating func finishReply(_ text: String, _ step: inout Step) {
        if let effects = prompt?.handle(.replyFinished(text: text)) { apply(effects, &step) }
    }

    mutating func startReply(_ id: Int, _ step: inout Step) {
        let isDraft = turns.isDraft(reply: id)
        guard let prompt = isDraft ? draft?.prompt : prompt,
            let request = request(prompt.memory.messages[...], isDraft: isDraft)
        else { return }
        step.effects.append(.startReply(Dialogue.ReplyID(id), request))
    }

    /// The line that was said is the agent's last message.
    private func spareReply(_ line: String, _ step: inout Step) {
        guard definition.prompt?.routing != nil, let messages = prompt?.memory.messages.dropLast(),
            let request = request(messages, isDraft: false)
        else { return }
        step.effects.append(.spareReply(request, line: line))
    }

    private func request(
        _ messages: ArraySlice<PromptMachine.Message>, isDraft: Bool
    ) -> Dialogue.ModelRequest? {
        guard var settings = definition.prompt else { return nil }
        settings.system = Template.filled(settings.system, max: Template.systemMax) { variables[$0] }
        return Dialogue.ModelRequest(
            prompt: settings, messages: [.system(settings.system)] + messages.map { Dialogue.Message($0) },
            tools: PromptMachine.tools(of: definition), turn: isDraft ? callerTurns + 1 : callerTurns,
            isDraft: isDraft)
    }
}

extension Dialogue.Message {
    init(_ message: PromptMachine.Message) {
        switch message {
        case .user(let text): self = .user(text)
        case .assistant(let text): self = .assistant(text)
        case .toolCalls(let calls, let text):
            self = .toolCalls(
                calls.map { Dialogue.ToolCall(key: $0.key, name: $0.name, arguments: $0.arguments) },
                text: text)
        case .toolResult(let key, let content): self = .toolResult(key: key, content: content)
        }
    }
}
