package import Base

/// One message of a dialogue as a language model is given it; the system text is not among them.
package enum DialogueMessage: Hashable, Sendable {
    case user(String)
    case assistant(String, calls: [ToolCall] = [])
    case toolResult(String)

    package struct ToolCall: Hashable, Sendable {
        package var name: String
        package var arguments: JSON
        package init(name: String, arguments: JSON) {
            self.name = name
            self.arguments = arguments
        }
    }
}

/// A dialogue as the router follows it: each message is read once, when it comes.
package struct RoutedDialogue: Sendable {
    package private(set) var tools: ToolBook
    /// Turns of the user.
    package private(set) var turns = 0
    /// Calls of a model since the user's last turn, the next one not among them.
    package private(set) var callsThisTurn = 0
    package private(set) var toolCalls = 0
    package private(set) var toolsCalled: Set<String> = []
    /// Whether what comes next follows a tool's result.
    package private(set) var followsTool = false

    package private(set) var user = SpokenShape()
    private(set) var userBefore = SpokenShape()
    package private(set) var agent = SpokenShape()
    private(set) var agentBefore = SpokenShape()
    private(set) var result = ResultShape()
    /// What models did so far: how often they answered the user or a tool's result, and how often with a tool call.
    private(set) var answers = (user: 0, userTools: 0, tool: 0, toolTools: 0)
    /// Turns of the user since the last tool call, or since the start.
    private(set) var turnsSinceTool = 0
    /// Of the agent's, since the last tool call.
    private(set) var questionsSinceTool = 0
    private(set) var resultsSinceUser = 0
    private(set) var lastTool: Int?
    /// Of the name of the last tool called, in the book or not; 0 before the first.
    private(set) var lastToolName: UInt32 = 0
    /// The last four of what happened, as `Event`s, the latest in the lowest bits.
    private(set) var lately: UInt32 = 0
    private(set) var lastArguments: Set<UInt32> = []
    private(set) var sameToolInARow = 0
    private(set) var slots: Slots
    private(set) var said: Set<UInt32> = []
    /// By the user since the last tool call.
    private(set) var saidSinceTool: Set<UInt32> = []
    private(set) var shown: Set<UInt32> = []

    package init(tools: ToolBook) {
        self.tools = tools
        slots = Slots(tools)
    }

    private enum Event: UInt32 { case turn = 1, said, asked, called, result }

    private mutating func note(_ event: Event) { lately = (lately << 3 | event.rawValue) & 0xFFF }

    package mutating func append(_ message: DialogueMessage) {
        switch message {
        case .user(let text): hear(text)
        case .assistant(let text, let calls): act(text, calls)
        case .toolResult(let text): take(text)
        }
    }

    private mutating func hear(_ text: String) {
        note(.turn)
        userBefore = user
        user = SpokenShape(text)
        turns += 1
        turnsSinceTool += 1
        callsThisTurn = 0
        resultsSinceUser = 0
        followsTool = false
        slots.fill(from: user, asked: agent, tools)
        said.formUnion(user.stems)
        saidSinceTool.formUnion(user.stems)
    }

    private mutating func act(_ text: String, _ calls: [DialogueMessage.ToolCall]) {
        let isTool = !calls.isEmpty
        if followsTool {
            answers.tool += 1
            if isTool { answers.toolTools += 1 }
        } else if turns > 0 {
            answers.user += 1
            if isTool { answers.userTools += 1 }
        }
        callsThisTurn += 1
        if !text.isEmpty {
            agentBefore = agent
            agent = SpokenShape(text)
            if agent.questionMarks > 0 { questionsSinceTool += 1 }
            note(agent.endsInQuestion ? .asked : .said)
            shown.formUnion(agent.stems)
        }
        for call in calls { note(call) }
        followsTool = false
    }

    private mutating func note(_ call: DialogueMessage.ToolCall) {
        note(.called)
        toolCalls += 1
        toolsCalled.insert(call.name)
        turnsSinceTool = 0
        questionsSinceTool = 0
        let index = tools.tools.firstIndex { $0.name == call.name }
        sameToolInARow = index != nil && index == lastTool ? sameToolInARow + 1 : 0
        lastTool = index
        lastToolName = WordHash.of(call.name)
        saidSinceTool = []
        lastArguments = []
        for (name, value) in call.arguments.object ?? [:] {
            lastArguments.formUnion(SpokenShape(value.string ?? value.text).stems)
            slots.fill(WordHash.of(name))
        }
        slots.called(index)
    }

    private mutating func take(_ text: String) {
        note(.result)
        result = ResultShape(text)
        resultsSinceUser += 1
        followsTool = true
    }
}

/// What a tool's result looks like, whatever it is about.
struct ResultShape: Sendable, Hashable {
    /// Bytes of a result that are read; the rest is only counted.
    static let bytesMax = 4_000

    private(set) var isList = false
    private(set) var isObject = false
    private(set) var isEmpty = true
    /// Objects in it.
    private(set) var entries = 0
    private(set) var bytes = 0
    private(set) var words = SpokenShape()

    init() {}

    init(_ text: String) {
        bytes = text.utf8.count
        let head = text.utf8.prefix(Self.bytesMax)
        let first = head.first { $0 > 0x20 }
        isList = first == UInt8(ascii: "[")
        isObject = first == UInt8(ascii: "{")
        entries = head.count { $0 == UInt8(ascii: "{") }
        words = SpokenShape(String(decoding: Array(head), as: UTF8.self))
        isEmpty = words.wordCount == 0 || words.wordCount == 1 && words.words[0] == WordHash.of("null")
    }
}

/// Which parameters the dialogue has given a value so far, by what was asked and how it was answered.
struct Slots: Sendable, Hashable {
    private(set) var filled: [[Bool]]
    /// Parameters that the agent's last question asked for, and that the user's answer filled.
    private(set) var asked = 0
    private(set) var answered = 0
    /// Parameters filled by the user's last turn, asked for or not.
    private(set) var gained = 0

    init(_ book: ToolBook) { filled = book.tools.map { $0.parameters.map { _ in false } } }

    mutating func fill(_ name: UInt32) { names.insert(name) }
    private var names: Set<UInt32> = []

    mutating func called(_ tool: Int?) {
        gained = 0
        asked = 0
        answered = 0
    }

    mutating func fill(from user: SpokenShape, asked agent: SpokenShape, _ book: ToolBook) {
        asked = 0
        answered = 0
        gained = 0
        let heard = Set(user.stems)
        let question = agent.questionMarks > 0 ? Set(agent.stems) : []
        let evades = user.questionMarks > 0 || user.count(.question) > 0 && user.wordCount > 3
        for (index, tool) in book.tools.enumerated() {
            for (place, parameter) in tool.parameters.enumerated() {
                let isAsked = !question.isDisjoint(with: parameter.stems)
                if isAsked { asked += 1 }
                let isGiven = isAsked && !evades || Self.holds(user, heard, parameter)
                guard isGiven else { continue }
                if isAsked { answered += 1 }
                if !filled[index][place] { gained += 1 }
                filled[index][place] = true
            }
        }
    }

    private static func holds(_ user: SpokenShape, _ heard: Set<UInt32>, _ parameter: ToolBook.Parameter)
        -> Bool
    {
        if !parameter.values.isEmpty { return !heard.isDisjoint(with: parameter.values) }
        switch parameter.wants {
        case .date: return user.count(.day) > 0
        case .time: return user.count(.time) > 0 && user.numbers > 0
        case .number: return user.numbers > 0 || user.count(.number) > 0
        case .name: return user.capitals > 0
        case .flag: return !heard.isDisjoint(with: parameter.stems)
        case .text: return false
        }
    }

    /// Of the parameters that `tool` needs, those that nothing said has filled.
    func missing(_ tool: Int, _ book: ToolBook) -> Int {
        let parameters = book.tools[tool].parameters
        return book.tools[tool].needed.count { !filled[tool][$0] && !names.contains(parameters[$0].name) }
    }
}
