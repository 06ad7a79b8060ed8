package import Base

/// What does the model know, and what is it asked next? Pure.
///
/// Owns: the messages, tool rounds, keys of tool calls. Does not own: the stream of a reply (Turns), how
/// long a tool may take (ToolRuns). Prefix first: messages are only added at the end, so a vendor's cache
/// can hold the rest.
package struct PromptMachine: Sendable {
    /// Replies with tools within one turn before the model must answer in words.
    package static let toolRoundsMax = 5
    /// Tools of one reply; more are refused.
    package static let toolCallsMax = 8
    /// Messages kept; beyond them the oldest are dropped, down to `messagesLeft`: seldom, as a vendor's cache of the prompt
    /// is worth nothing each time.
    package static let messagesMax = 200
    package static let messagesLeft = 150
    /// Characters of one tool result shown to the model.
    package static let resultMax = 8000
    /// Silences in a row before the call ends.
    package static let silencesMax = 2
    package static let endCallName = "end_call"
    /// Before the words of a caller who did not let the agent finish: the model is to answer those first.
    package static let cutIn = "(cutting in) "

    package struct ToolCall: Hashable, Sendable, Codable {
        package var key: String
        package var name: String
        package var arguments: JSON
    }

    package enum Message: Hashable, Sendable, Codable {
        case user(String)
        case assistant(String)
        case toolCalls([ToolCall], text: String)
        case toolResult(key: String, content: String)
    }

    package enum Input: Hashable, Sendable {
        case started
        case resumed
        case answered(text: String, keys: String)
        case silence
        case replyToolCall(name: String, arguments: String)
        /// The whole text of the reply.
        case replyFinished(text: String)
        /// The caller took the floor; `heard` is what reached them of the last reply.
        case interrupted(heard: String)
        case toolFinished(key: String, result: JSON)
        case toolFailed(key: String, code: String)
    }

    package enum Effect: Hashable, Sendable {
        case say(String)
        /// The line that `say` told before answers: no model is asked.
        case replySpared(line: String)
        case requestReply
        /// Wait for an answer from now on. `isStated`: by definition or model, not inferred.
        case ask(Expectation, isStated: Bool)
        case callTool(ToolCall)
        case note(code: String, detail: String)
        case end(EndReason)
        /// The caller was silent too long: say so, then end.
        case giveUp
    }

    /// All that changes: what a checkpoint keeps.
    package struct Memory: Hashable, Sendable, Codable {
        package var hasStarted = false
        package var messages: [Message] = []
        /// Tool calls made in the whole call; numbers their keys.
        package var toolsCalled = 0
        package var rounds = 0
        package var silences = 0
        package var running: [ToolCall] = []
        /// Said by the caller while tools ran.
        package var early: [String] = []
        package var isReplyDue = false
        /// The reply that is being spoken asked to end the call.
        package var isEnding = false
        /// What was said last, for a caller who wants to hear it again.
        package var lastLine: String?
        /// The caller's next words cut the agent's last ones short.
        package var isCutIn: Bool?
    }

    package private(set) var memory: Memory
    /// Asked for by the reply that is still streaming.
    private var asked: [ToolCall] = []
    private let call: String
    /// The reply to a guess that this copy of the agent answers; nil: this is the agent.
    private var draft: Int?
    private let speaksFirst: AgentDefinition.Speaker
    private let firstLine: String?
    private let expect: Expectation?
    /// What the last question asked for.
    private var expectation = Expectation.open
    private let known: Set<String>

    package init(
        prompt: Prompt, definition: AgentDefinition, variables: [String: String], call: String,
        memory: Memory? = nil
    ) {
        self.call = call
        speaksFirst = definition.speaksFirst
        firstLine = prompt.firstLine.map { Template.filled($0) { variables[$0] } }
        expect = prompt.expect
        known = Set(definition.tools.map(\.name))
        self.memory = memory ?? Memory()
    }

    /// The agent's own tools and the built-in one.
    package static func tools(of definition: AgentDefinition) -> [Tool] {
        var endCall = Tool(name: endCallName, url: "")
        endCall.description = "Ends the phone call. Say goodbye in the same reply."
        return definition.tools + [endCall]
    }

    package mutating func handle(_ input: Input) -> [Effect] {
        var effects: [Effect] = []
        switch input {
        case .started: begin(&effects)
        case .resumed: resume(&effects)
        case .answered(let text, let keys): answer(text, keys, &effects)
        case .silence: hearNothing(&effects)
        case .replyToolCall(let name, let arguments): collect(name, arguments, &effects)
        case .replyFinished(let text): finishReply(text, &effects)
        case .interrupted(let heard): interrupt(heard)
        case .toolFinished(let key, let result): finishTool(key, content: result.text, &effects)
        case .toolFailed(let key, let code):
            finishTool(key, content: JSON.object(["error": .string(code)]).text, &effects)
        }
        trim()
        return effects
    }

    /// Answers a guess with this reply, as a copy of the agent.
    package mutating func begin(draft: Int) { self.draft = draft }

    /// Goes on as the copy that answered a guess, which was right: the caller's words stay as they were said.
    package mutating func adopt(_ copy: PromptMachine) {
        let said = memory.messages.last
        memory = copy.memory
        guard case .user = said, let said else { return }
        let guessed = memory.messages.lastIndex { if case .user = $0 { true } else { false } }
        if let guessed { memory.messages[guessed] = said }
    }

    private mutating func begin(_ effects: inout [Effect]) {
        guard !memory.hasStarted else { return }
        memory.hasStarted = true
        guard speaksFirst == .agent else { return ask(&effects) }
        if let firstLine {
            memory.messages.append(.assistant(firstLine))
            memory.lastLine = firstLine
            effects.append(.say(firstLine))
            ask(&effects)
        } else {
            request(&effects)
        }
    }

    private mutating func resume(_ effects: inout [Effect]) {
        guard memory.hasStarted else { return begin(&effects) }
        asked = []
        if memory.isEnding { return effects.append(.end(.agentEnded)) }
        if !memory.running.isEmpty { return effects += memory.running.map(Effect.callTool) }
        if memory.isReplyDue { request(&effects) } else { ask(&effects) }
    }

    /// Stated in the reply, else in the definition, else inferred from what was said.
    private mutating func ask(_ effects: inout [Effect]) {
        let line = memory.lastLine ?? ""
        let stated = Expectation(markIn: line) ?? expect
        expectation = stated ?? Expectation.inferred(from: line)
        effects.append(.ask(expectation, isStated: stated != nil))
    }

    /// How much of the answer to the last question these words and keys hold.
    package func fullness(text: String, keys: String) -> Fullness {
        Understanding(of: text, keys: keys, as: expectation).fullness(ofKeys: keys)
    }

    private mutating func request(_ effects: inout [Effect]) {
        asked = []
        memory.isReplyDue = true
        effects.append(.requestReply)
    }

    private mutating func answer(_ text: String, _ keys: String, _ effects: inout [Effect]) {
        guard memory.hasStarted, !memory.isEnding else { return }
        var words = text
        if !keys.isEmpty { words += (words.isEmpty ? "" : " ") + "(keys pressed: \(keys))" }
        guard !words.isEmpty else { return }
        memory.silences = 0
        memory.rounds = 0
        if keys.isEmpty, memory.running.isEmpty, let line = memory.lastLine,
            SpokenRequest(Words.split(text)) == .again
        {
            hear(words)
            memory.messages.append(.assistant(line))
            effects.append(.say(Words.unmarked(line)))
            effects.append(.replySpared(line: line))
            return ask(&effects)
        }
        if memory.running.isEmpty {
            hear(words)
            request(&effects)
        } else {
            memory.early.append(words)
        }
    }

    /// Words that follow a turn nobody answered belong to it: one turn for the model.
    private mutating func hear(_ words: String) {
        if case .user(let before) = memory.messages.last {
            memory.messages[memory.messages.count - 1] = .user(before + " " + words)
        } else {
            memory.messages.append(.user((memory.isCutIn == true ? Self.cutIn : "") + words))
        }
        memory.isCutIn = nil
    }

    private mutating func hearNothing(_ effects: inout [Effect]) {
        guard memory.hasStarted, memory.running.isEmpty, !memory.isEnding else { return }
        memory.silences += 1
        guard memory.silences <= Self.silencesMax else {
            memory.isEnding = true
            return effects.append(.giveUp)
        }
        memory.rounds = 0
        hear("(the caller says nothing)")
        request(&effects)
    }

    private mutating func collect(_ name: String, _ arguments: String, _ effects: inout [Effect]) {
        guard memory.isReplyDue else { return }
        guard asked.count < Self.toolCallsMax else {
            return effects.append(.note(code: "too_many_tool_calls", detail: name))
        }
        memory.toolsCalled += 1
        let text = Words.trimmed(arguments).isEmpty ? "{}" : arguments
        // Arguments that are not JSON reach the model's own tool message as null and are refused below.
        // Calls of two guesses are not the same call, and the agent counts neither.
        let suffix = draft.map { "-draft\($0)" } ?? ""
        asked.append(
            ToolCall(
                key: "\(call)-\(name)-\(memory.toolsCalled)\(suffix)", name: name,
                arguments: JSON(parsing: text) ?? .null))
    }

    private mutating func finishReply(_ text: String, _ effects: inout [Effect]) {
        guard memory.isReplyDue else { return }
        memory.isReplyDue = false
        let calls = asked
        asked = []
        guard !calls.isEmpty else {
            if !text.isEmpty { memory.messages.append(.assistant(text)) }
            memory.lastLine = text.isEmpty ? memory.lastLine : text
            return ask(&effects)
        }
        if calls.contains(where: { $0.name == Self.endCallName }) {
            if !text.isEmpty { memory.messages.append(.assistant(text)) }
            memory.isEnding = true
            return effects.append(.end(.agentEnded))
        }
        memory.messages.append(.toolCalls(calls, text: text))
        memory.rounds += 1
        for call in calls {
            if let refusal = refusal(of: call) {
                memory.messages.append(
                    .toolResult(key: call.key, content: JSON.object(["error": .string(refusal)]).text))
                effects.append(.note(code: "tool_refused", detail: refusal))
            } else {
                memory.running.append(call)
                effects.append(.callTool(call))
            }
        }
        if memory.running.isEmpty { request(&effects) }
        guard memory.rounds > Self.toolRoundsMax + Self.toolCallsMax else { return }
        // A model that asks for refused tools for ever.
        memory.isEnding = true
        effects.removeAll { $0 == .requestReply }
        effects.append(.end(.agentFailed))
    }

    private func refusal(of call: ToolCall) -> String? {
        if memory.rounds > Self.toolRoundsMax { return "no more tools in this turn: answer in words" }
        if !known.contains(call.name) { return "there is no such tool" }
        if call.arguments.object == nil { return "the arguments are not a JSON object" }
        return nil
    }

    private mutating func finishTool(_ key: String, content: String, _ effects: inout [Effect]) {
        guard let index = memory.running.firstIndex(where: { $0.key == key }) else { return }
        memory.running.remove(at: index)
        memory.messages.append(.toolResult(key: key, content: String(content.prefix(Self.resultMax))))
        guard memory.running.isEmpty, !memory.isEnding else { return }
        let early = memory.early
        memory.early = []
        if !early.isEmpty { hear(early.joined(separator: " ")) }
        request(&effects)
    }

    /// The model must not believe it said what nobody heard.
    private mutating func interrupt(_ heard: String) {
        memory.isCutIn = !heard.isEmpty
        if memory.isReplyDue {
            memory.isReplyDue = false
            asked = []
            if !heard.isEmpty { memory.messages.append(.assistant(heard)) }
            return
        }
        guard
            let index = memory.messages.lastIndex(where: { message in
                if case .user = message { return true } else { return isSpeech(message) }
            })
        else { return }
        switch memory.messages[index] {
        case .assistant where heard.isEmpty: memory.messages.remove(at: index)
        case .assistant: memory.messages[index] = .assistant(heard)
        case .toolCalls(let calls, _): memory.messages[index] = .toolCalls(calls, text: heard)
        case .user, .toolResult: break
        }
    }

    private func isSpeech(_ message: Message) -> Bool {
        switch message {
        case .assistant, .toolCalls: true
        case .user, .toolResult: false
        }
    }

    /// A message list must not begin with the answer to a tool call that is gone.
    private mutating func trim() {
        guard memory.messages.count > Self.messagesMax else { return }
        memory.messages.removeFirst(memory.messages.count - Self.messagesLeft)
        while let first = memory.messages.first {
            if case .toolResult = first { memory.messages.removeFirst() } else { break }
        }
    }
}
