import Agents
import Base
import Calls
import Turns

/// A reply that was begun on a guess at the caller's turn: what the agent would know if the guess is right.
///
/// The agent's own state is not touched until the turn is over and was as guessed, and no tool runs before; see
/// docs/decisions/0007.
struct DraftReply {
    struct Call: Hashable {
        var name: String
        var arguments: String
    }

    /// Tool calls kept of one draft.
    static let callsMax = 32

    /// What the agent knew when the guess was made: if it has learned something since, the draft is of no use.
    let base: PromptMachine.Memory
    /// The agent as it is if the guess is right.
    let prompt: PromptMachine
    /// Asked for by the draft, in order.
    var calls: [Call] = []
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
                draft = DraftReply(base: base, prompt: agent)
                return apply(turns.handle(.beginDraft, at: step.time), &step)
            case .ask, .callTool, .note, .end, .giveUp: continue
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

    mutating func adoptDraft(_ step: inout Step) {
        let calls = draft?.calls ?? []
        draft = nil
        for call in calls { collect(call.name, call.arguments, &step) }
    }

    mutating func dropDraft(_ reply: Int, _ step: inout Step) {
        draft = nil
        droppedReply = reply
        note("draft_dropped", detail: "reply \(reply)", &step)
    }

    /// What a reply that nobody heard has cost.
    func noteCost(of reply: Int, _ usage: [Usage], _ step: inout Step) {
        guard reply == droppedReply, !usage.isEmpty else { return }
        let parts = usage.map { "\($0.quantity) \($0.unit.rawValue)" }.joined(separator: ", ")
        note("draft_cost", detail: "reply \(reply): \(parts)", &step)
    }
}
