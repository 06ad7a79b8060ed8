import Base

/// The JSON of a Messages request.
///
/// What the API demands and our conversations do not: the user speaks first and last, no two messages of one role
/// follow each other, no text is empty, and the results of a turn's tools stand first in the next user message.
enum MessagesWire {
    /// Stands for what started a conversation that the agent opens.
    static let opening = "(The call is connected.)"
    /// Stands for the silence that makes the agent speak again.
    static let goOn = "(The caller says nothing.)"

    /// The request's body, `without` what the server refuses, keys sorted: a conversation's start stays byte for byte the
    /// same.
    static func body(_ request: ChatRequest, without refused: Set<RequestMember> = []) -> [UInt8] {
        var messages = Messages()
        var system: [String] = []
        for message in request.messages {
            if case .system(let text) = message, messages.isEmpty {
                if !text.isEmpty { system.append(text) }
            } else {
                messages.add(message)
            }
        }
        var body: [String: JSON] = [
            "model": .string(request.model), "max_tokens": .int(Int64(request.maxTokens)), "stream": true,
            "messages": messages.json,
        ]
        if !system.isEmpty {
            // Tools come before the system text in what is cached, so one mark covers both.
            body["system"] = .array(
                system.enumerated().map { index, text in
                    let block: JSON = ["type": "text", "text": .string(text)]
                    return index == system.count - 1 ? marked(block) : block
                })
        }
        if !request.tools.isEmpty {
            body["tools"] = .array(request.tools.map { tool($0, takesStrict: !refused.contains(.strict)) })
        }
        if let (member, value) = request.effort.map(thinking), !refused.contains(member) {
            body[member.rawValue] = value
        }
        return Array(JSON.object(body).text.utf8)
    }

    /// The API has no effort below `low`: then the model does not think at all.
    private static func thinking(_ effort: ReasoningEffort) -> (RequestMember, JSON) {
        switch effort {
        case .none, .minimal: (.thinking, ["type": "disabled"])
        case .low, .medium, .high: (.outputConfig, ["effort": .string(effort.rawValue)])
        }
    }

    private static func tool(_ tool: ChatTool, takesStrict: Bool) -> JSON {
        var members: [String: JSON] = [
            "name": .string(tool.name), "description": .string(tool.description),
            "input_schema": tool.parameters,
        ]
        if tool.isStrict, takesStrict { members["strict"] = true }
        return .object(members)
    }

    /// A block at whose end the vendor's cache may be read and written.
    static func marked(_ block: JSON) -> JSON {
        var members = block.object ?? [:]
        members["cache_control"] = ["type": "ephemeral"]
        return .object(members)
    }

    /// Messages as the API wants them.
    private struct Messages {
        private struct Turn {
            var isUser: Bool
            var results: [JSON] = []
            var blocks: [JSON] = []
        }
        private var turns: [Turn] = []
        var isEmpty: Bool { turns.isEmpty }

        mutating func add(_ message: ChatMessage) {
            switch message {
            case .user(let text): add(text, isUser: true)
            // A note on the way, such as an interruption: the API has no system role there.
            case .system(let text): add(text, isUser: true)
            case .assistant(let text): add(text, isUser: false)
            case .toolCalls(let calls, let text):
                add(text, isUser: false)
                turn(isUser: false)
                turns[turns.count - 1].blocks += calls.map { call in
                    [
                        "type": "tool_use", "id": .string(CallID.wire(call.id)),
                        "name": .string(call.name), "input": JSON(parsing: call.arguments) ?? [:],
                    ]
                }
            case .toolResult(let id, let content):
                turn(isUser: true)
                turns[turns.count - 1].results.append([
                    "type": "tool_result", "tool_use_id": .string(CallID.wire(id)),
                    "content": .string(content),
                ])
            }
        }

        private mutating func add(_ text: String, isUser: Bool) {
            guard text.contains(where: { !$0.isWhitespace }) else { return }
            turn(isUser: isUser)
            turns[turns.count - 1].blocks.append(["type": "text", "text": .string(text)])
        }

        /// The last turn is that of this role from now on.
        private mutating func turn(isUser: Bool) {
            if turns.isEmpty, !isUser {
                turns.append(Turn(isUser: true, blocks: [["type": "text", "text": .string(opening)]]))
            }
            if turns.last?.isUser != isUser { turns.append(Turn(isUser: isUser)) }
        }

        var json: JSON {
            var turns = turns
            if turns.last?.isUser != true {
                let text = turns.isEmpty ? opening : goOn
                turns.append(Turn(isUser: true, blocks: [["type": "text", "text": .string(text)]]))
            }
            return .array(
                turns.enumerated().map { index, turn in
                    var blocks = turn.results + turn.blocks
                    // What was there before the newest message will be there in the next request too.
                    if index == turns.count - 2, let last = blocks.popLast() {
                        blocks.append(MessagesWire.marked(last))
                    }
                    return ["role": turn.isUser ? "user" : "assistant", "content": .array(blocks)]
                })
        }
    }
}
