import Agents
import Base
package import Conversation
import Routing
package import Speech

/// What one call's conversation asks of its model, as requests: shortened where the agent wants it. Pure.
package struct ChatRequests: Sendable {
    private var shortened: ShortenedDialogue?

    package init() {}

    package mutating func next(_ asked: Dialogue.ModelRequest) -> ChatRequest {
        var request = ChatRequest(asked)
        if asked.prompt.history == .shortened { shorten(&request) }
        return request
    }

    private mutating func shorten(_ request: inout ChatRequest) {
        let system = request.messages.prefix { if case .system = $0 { true } else { false } }
        let said = Array(request.messages.dropFirst(system.count))
        let read = said.compactMap { DialogueMessage($0) }
        // A note of the system's on the way has no place in a shortened dialogue.
        guard read.count == said.count else { return }
        let before = RoutedHistory.tokens(Array(system)) + RoutedHistory.tokens(request.tools)
        var dialogue = shortened ?? ShortenedDialogue(PromptEconomy(), before: before)
        let form = dialogue.follow(read)
        shortened = dialogue
        request.dialogue = request.messages
        request.messages = system + form.applied(to: said, user: { .user($0) }) { $0.saying($1) }
    }
}

extension ChatRequest {
    fileprivate init(_ request: Dialogue.ModelRequest) {
        self.init(
            model: request.prompt.model, messages: request.messages.map(ChatMessage.init),
            tools: request.tools.map {
                ChatTool(
                    name: $0.name, description: $0.description, parameters: $0.parameters,
                    isStrict: $0.isStrict)
            },
            temperature: request.prompt.temperature, maxTokens: request.prompt.maxTokens)
        effort = request.prompt.reasoningEffort
        turn = request.turn
        isDraft = request.isDraft
    }
}

extension ChatMessage {
    /// A tool's result in other words; any other message as it is.
    fileprivate func saying(_ content: String) -> ChatMessage {
        if case .toolResult(let id, _) = self { .toolResult(id: id, content: content) } else { self }
    }

    fileprivate init(_ message: Dialogue.Message) {
        switch message {
        case .system(let text): self = .system(text)
        case .user(let text): self = .user(text)
        case .assistant(let text): self = .assistant(text)
        case .toolCalls(let calls, let text):
            self = .toolCalls(
                calls.map { ChatToolCall(id: $0.key, name: $0.name, arguments: $0.arguments.text) },
                text: text)
        case .toolResult(let key, let content): self = .toolResult(id: key, content: content)
        }
    }
}
