import Base
package import Routing

/// A call's dialogue as the router follows it, and what each model was last sent of it. Pure.
///
/// What was said before changes when the caller cuts in or a guess was wrong: then it is read again from where it was last
/// the same.
package struct RoutedHistory: Sendable {
    /// States kept to go back to: of the last request and of the one before.
    private static let pointsMax = 2

    private struct Point {
        /// As they were said, and as a model was sent them.
        var messages: [ChatMessage] = []
        var sent: [ChatMessage] = []
        /// Tokens of the prompt up to and with each message that was sent.
        var tokens: [Int] = []
        var dialogue: RoutedDialogue

        init(_ dialogue: RoutedDialogue) { self.dialogue = dialogue }

        mutating func send(_ messages: [ChatMessage], after toolTokens: Int) {
            let same = zip(sent, messages).prefix { $0 == $1 }.count
            tokens.removeSubrange(same...)
            for message in messages.dropFirst(same) {
                tokens.append((tokens.last ?? toolTokens) + RoutedHistory.tokens([message]))
            }
            sent = messages
        }
    }

    private struct Sent {
        var messages: [ChatMessage] = []
        var at = Duration.zero
    }

    private let closingTool: String?
    private var tools: [ChatTool] = []
    private var book = ToolBook()
    /// Of the tools' schemas.
    private(set) var toolTokens = 0
    /// In the whole call: the oldest messages are dropped at some time.
    private var toolsCalled: Set<String> = []
    /// Newest first.
    private var points: [Point] = []
    private var cheap = Sent()
    private var strong = Sent()
    /// By a call in which one model answers everything.
    private var always = Sent()

    /// `closingTool` only ends the call: it is none of those that the router knows.
    package init(closingTool: String? = nil) { self.closingTool = closingTool }

    /// The request that comes next, with what each model's cache may hold of it; `seenAlways`: of a model that had answered
    /// all before.
    package mutating func follow(
        _ request: ChatRequest, at now: Duration, _ router: Router
    ) -> (request: Router.Request, seenAlways: Int) {
        if points.isEmpty || request.tools != tools { begin(request.tools) }
        let said = request.dialogue ?? request.messages
        let start = points.firstIndex { said.starts(with: $0.messages) }
        var point = start.map { points[$0] } ?? Point(RoutedDialogue(tools: book))
        for message in said.dropFirst(point.messages.count) {
            if let read = DialogueMessage(message) { point.dialogue.append(read) }
        }
        point.messages = said
        point.send(request.messages, after: toolTokens)
        points = [point] + points.prefix(Self.pointsMax - 1)
        var routed = Router.Request(point.dialogue, promptTokens: point.tokens.last ?? 0)
        toolsCalled.formUnion(routed.toolsCalled)
        routed.toolsCalled = toolsCalled
        routed.seenByCheap = seen(cheap, at: now, router.cheap.caching)
        routed.seenByStrong = seen(strong, at: now, router.strong.caching)
        let seenAlways = seen(always, at: now, router.strong.caching)
        always = Sent(messages: request.messages, at: now)
        return (routed, seenAlways)
    }

    private mutating func begin(_ tools: [ChatTool]) {
        self.tools = tools
        book = ToolBook(Self.list(tools.filter { $0.name != closingTool }))
        toolTokens = Self.tokens(tools)
        points = [Point(RoutedDialogue(tools: book))]
    }

    private static func list(_ tools: [ChatTool]) -> JSON {
        .array(
            tools.map {
                [
                    "name": .string($0.name), "description": .string($0.description),
                    "parameters": $0.parameters,
                ]
            })
    }

    /// `tier` is asked `request`.
    package mutating func sent(_ request: ChatRequest, to tier: Router.Tier, at now: Duration) {
        let sent = Sent(messages: request.messages, at: now)
        switch tier {
        case .cheap: cheap = sent
        case .strong: strong = sent
        }
    }

    private func seen(_ sent: Sent, at now: Duration, _ caching: PromptCaching) -> Int {
        guard now - sent.at <= caching.timeToLive, let point = points.first else { return 0 }
        let same = zip(sent.messages, point.sent).prefix { $0 == $1 }.count
        return same == 0 ? 0 : point.tokens[same - 1]
    }

    /// Of messages, and of tools' schemas.
    package static func tokens(_ messages: [ChatMessage]) -> Int {
        messages.reduce(0) { sum, message in
            switch message {
            case .system(let text): sum + tokens(text)
            default: sum + (DialogueMessage(message).map { PromptEconomy.tokens([$0]) } ?? 0)
            }
        }
    }

    package static func tokens(_ tools: [ChatTool]) -> Int { tokens(list(tools).text) }

    /// Four characters each.
    private static func tokens(_ text: String) -> Int { text.unicodeScalars.count / 4 }
}

extension DialogueMessage {
    /// nil for the system's text, which is no part of the dialogue.
    package init?(_ message: ChatMessage) {
        switch message {
        case .system: return nil
        case .user(let text): self = .user(text)
        case .assistant(let text): self = .assistant(text)
        case .toolCalls(let calls, let text):
            self = .assistant(
                text,
                calls: calls.map { ToolCall(name: $0.name, arguments: JSON(parsing: $0.arguments) ?? .null) })
        case .toolResult(_, let content): self = .toolResult(content)
        }
    }
}
