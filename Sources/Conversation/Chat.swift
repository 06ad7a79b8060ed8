package import Agents
package import Base

/// A conversation in text for `parley chat`: a typed line is speech, and what the agent says is heard at
/// once.
///
/// Virtual time: waits cost nothing. The caller performs what `Chat` gives back and feeds the answers with
/// `handle`: replies of the model, tool results. Fills the place of ear, voice and line.
package struct Chat: Sendable {
    /// Funds of a call nobody pays for: a day.
    private static let fundedMs = 24 * 3_600_000
    /// A spoken line's length; only the order matters here.
    private static let lineMs = 100
    /// Deadlines run on one line of text; more would be a bug.
    private static let deadlinesMax = 100

    /// What is left for the caller of `Chat` to do or show.
    package enum Effect: Hashable, Sendable {
        case said(String)
        case startReply(Dialogue.ReplyID, Dialogue.ModelRequest)
        case cancelReply(Dialogue.ReplyID)
        case callTool(Dialogue.ToolCall)
        case record(Dialogue.Fact)
        case ended(EndReason)
    }

    package private(set) var conversation: Conversation
    private var now = CallTime.zero

    package init(definition: AgentDefinition, variables: [String: String], call key: String) {
        conversation = Conversation(
            definition: definition, variables: variables, call: key, fundedMs: Self.fundedMs, holdNumber: 0,
            resuming: nil)
    }

    /// Connects; the agent may speak first.
    package mutating func start() -> [Effect] { handle(.mediaStarted(resumed: false)) }

    /// One typed line: `#123` is keys, everything else is words.
    package mutating func say(_ line: String) -> [Effect] {
        var effects: [Effect] = []
        if line.hasPrefix("#") {
            for key in line.dropFirst() { effects += handle(.digit(String(key))) }
            return effects + handle(.digit("#"))
        }
        effects += handle(.speechStarted(agoMs: 0))
        effects += handle(.transcript(.init(text: line, isFinal: true)))
        effects += handle(.speechEnded(agoMs: 0))
        return effects + waitForTurn()
    }

    /// The caller says nothing until the agent loses patience.
    package mutating func saySilence() -> [Effect] {
        guard let deadline = conversation.deadline else { return [] }
        now = max(now, deadline)
        return handle(.deadline)
    }

    package mutating func hangUp() -> [Effect] { handle(.callerHungUp) }

    package mutating func handle(_ input: Dialogue.Input) -> [Effect] {
        var effects: [Effect] = []
        var inputs = [input]
        while !inputs.isEmpty {
            now = now + .milliseconds(1)
            for effect in conversation.handle(inputs.removeFirst(), at: now) {
                perform(effect, &effects, &inputs)
            }
        }
        return effects
    }

    private mutating func waitForTurn() -> [Effect] {
        var effects: [Effect] = []
        for _ in 0..<Self.deadlinesMax where conversation.isCallerHeard {
            guard let deadline = conversation.deadline else { break }
            now = max(now, deadline)
            effects += handle(.deadline)
        }
        return effects
    }

    private func perform(
        _ effect: Dialogue.Effect, _ effects: inout [Effect], _ inputs: inout [Dialogue.Input]
    ) {
        switch effect {
        case .speak(let id, let text):
            effects.append(.said(text))
            inputs.append(.synthesised(id, milliseconds: Self.lineMs, isLast: true))
            inputs.append(.heard(id, milliseconds: Self.lineMs, isFinished: true))
        case .startReply(let id, let request): effects.append(.startReply(id, request))
        case .cancelReply(let id): effects.append(.cancelReply(id))
        case .callTool(let call, _): effects.append(.callTool(call))
        case .record(let fact): effects.append(.record(fact))
        case .hangUp(let reason): effects.append(.ended(reason))
        case .extendHold(let number):
            inputs.append(.holdExtended(number: number, fundedMs: 2 * Self.fundedMs))
        case .spareReply, .prepare, .discard, .cancelTool, .duckPlayout, .unduckPlayout, .pausePlayout,
            .resumePlayout,
            .clearPlayout,
            .listen,
            .startRecording, .pauseRecording,
            .resumeRecording:
            break
        }
    }
}
