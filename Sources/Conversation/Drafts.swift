import Agents
import Base
import Calls
import Turns

/// A reply that was begun on a guess at the caller's turn: what the agent would know if the guess is right.
///
/// The agent's own state is not touched until the turn is over and was as guessed, and until then no tool runs but those
/// that only read; see docs/decisions/0007.
struct DraftReply {
    struct Call: Hashable {
        var name: String
        var arguments: String
    }

    /// Tool calls kept of one draft.
    static let callsMax = 32
    /// How often one draft may run tools and go on with what they gave: a guess costs one request more at most, and no turn
    /// is so long in ending that a second time were of use.
    static let roundsMax = 1

    /// What the agent knew when the guess was made: if it has learned something since, the draft is of no use.
    let base: PromptMachine.Memory
    /// The agent as it is if the guess is right.
    var prompt: PromptMachine
    /// Asked for by the reply that is being drafted, in order: they wait for the turn.
    var calls: [Call] = []
    /// How often tools were run; `prompt` has read the replies that asked for them.
    var rounds = 0
    /// What those tools took, to be told if the guess is right.
    var facts: [Dialogue.Fact] = []
    /// Names of all that were run.
    var names: [String] = []
    /// The last reply before it: later ones are its own.
    let repliesBefore: Int
    /// What its replies have cost so far, to be told if the guess is wrong.
    var costs: [(reply: Int, usage: [Usage])] = []
}

extension Conversation {
    /// Begins the answer to what may be the whole turn, on a copy of the agent.
    mutating func guess(_ text: String, _ step: inout Step) {
        guard call.ending == nil, turns.canDraft else { return }
        if var agent = flow {
            for case .say(let line, _) in agent.handle(.answered(text: text, keys: "")).prefix(Self.aheadMax)
            {
                return apply(turns.handle(.prepare(line), at: step.time), &step)
            }
        }
        guard var agent = prompt else { return }
        let base = agent.memory
        for effect in agent.handle(.answered(text: text, keys: "")) {
            switch effect {
            case .say(let line): return apply(turns.handle(.prepare(line), at: step.time), &step)
            case .requestReply:
                draft = DraftReply(base: base, prompt: agent, repliesBefore: turns.replies)
                return apply(turns.handle(.beginDraft, at: step.time), &step)
            case .ask, .callTool, .note, .end, .giveUp, .replySpared: continue
            }
        }
    }

    /// Effects of a flow among which its next line is looked for.
    private static let aheadMax = 8

    mutating func keep(_ call: DraftReply.Call) {
        guard let count = draft?.calls.count, count < DraftReply.callsMax else { return }
        draft?.calls.append(call)
    }

    /// The turn is over: a draft is only good if the agent has learned nothing since it was begun.
    mutating func checkDraft(_ step: inout Step) {
        guard let draft, draft.base != prompt?.memory else { return }
        apply(turns.handle(.forgetDraft, at: step.time), &step)
    }

    /// The draft is whole. If all it asks for is to read, that is done now; else nothing is, so that calls keep their order.
    mutating func runAhead(_ text: String, _ step: inout Step) {
        guard var ahead = draft, ahead.rounds < DraftReply.roundsMax, !ahead.calls.isEmpty,
            ahead.calls.allSatisfy({ tool($0.name)?.isReadOnly == true })
        else { return }
        ahead.rounds += 1
        ahead.prompt.begin(draft: turns.replies)
        var effects: [PromptMachine.Effect] = []
        for call in ahead.calls {
            effects += ahead.prompt.handle(.replyToolCall(name: call.name, arguments: call.arguments))
        }
        ahead.calls = []
        effects += ahead.prompt.handle(.replyFinished(text: text))
        draft = ahead
        applyAhead(effects, &step)
    }

    private mutating func applyAhead(_ effects: [PromptMachine.Effect], _ step: inout Step) {
        for effect in effects {
            switch effect {
            case .callTool(let call):
                guard let tool = tool(call.name) else { continue }
                draft?.names.append(call.name)
                tools.start(key: call.key, tool: tool, isAhead: true, at: step.time)
                step.effects.append(
                    .callTool(
                        .init(key: call.key, name: call.name, arguments: call.arguments), isDraft: true))
            case .requestReply: apply(turns.handle(.continueDraft, at: step.time), &step)
            case .note(let code, let detail): note(code, detail: detail, &step)
            // A reply that calls tools neither asks nor ends, and the draft's rounds are few.
            case .say, .replySpared, .ask, .end, .giveUp: continue
            }
        }
    }

    /// What a tool gave that was run for the draft.
    mutating func finishAhead(_ fact: Dialogue.Fact, _ input: PromptMachine.Input, _ step: inout Step) {
        draft?.facts.append(fact)
        if let effects = draft?.prompt.handle(input) { applyAhead(effects, &step) }
    }

    mutating func adoptDraft(_ step: inout Step) {
        guard let adopted = draft else { return }
        draft = nil
        if adopted.rounds > 0 {
            commitTurn(&step)
            prompt?.adopt(adopted.prompt)
            tools.adoptAhead()
            for fact in adopted.facts { step.effects.append(.record(fact)) }
        }
        for call in adopted.calls { collect(call.name, call.arguments, &step) }
    }

    mutating func dropDraft(_ reply: Int, _ step: inout Step) {
        let names = draft?.names ?? []
        let costs = draft?.costs ?? []
        draft = nil
        droppedReply = reply
        for run in tools.dropAhead() { step.effects.append(.cancelTool(key: run.key)) }
        note("draft_dropped", detail: "reply \(reply)", &step)
        if !names.isEmpty {
            note("draft_tools_dropped", detail: "reply \(reply): \(names.joined(separator: ", "))", &step)
        }
        for cost in costs { noteCost(of: cost.reply, cost.usage, &step) }
    }

    /// A reply is over. What a dropped one has cost is told now, what a draft has cost when it is dropped.
    mutating func keepCost(of reply: Int, _ usage: [Usage], _ step: inout Step) {
        guard !usage.isEmpty else { return }
        if reply == droppedReply {
            noteCost(of: reply, usage, &step)
        } else if let before = draft?.repliesBefore, reply > before {
            draft?.costs.append((reply, usage))
        }
    }

    /// Of a reply that nobody heard.
    private func noteCost(of reply: Int, _ usage: [Usage], _ step: inout Step) {
        let parts = usage.map { "\($0.quantity) \($0.unit.rawValue)" }.joined(separator: ", ")
        note("draft_cost", detail: "reply \(reply): \(parts)", &step)
    }
}
