import Base

/// The JSON of an OpenAI-compatible chat endpoint.
enum ChatWire {
    /// The request's body, `without` what the server refuses: keys sorted, so that a conversation's start stays byte for
    /// byte the same and vendors can cache it.
    static func body(
        _ request: ChatRequest, _ dialect: OpenAIDialect, without refused: Set<RequestMember> = []
    ) -> [UInt8] {
        let limitName = refused.contains(.maxTokens) ? OpenAIDialect.newLimitName : dialect.limitName
        var body: [String: JSON] = [
            "model": .string(request.model),
            "messages": .array(request.messages.map(message)),
            "stream": true,
            limitName: .int(Int64(request.maxTokens)),
        ]
        func add(_ member: RequestMember, _ value: JSON?) {
            if let value, !refused.contains(member) { body[member.rawValue] = value }
        }
        add(.streamOptions, ["include_usage": true])
        add(.effort, request.effort.map { .string($0.rawValue) })
        let reasons = request.effort != ReasoningEffort.none || refused.contains(.effort)
        if dialect.takesTemperature(request.model, reasons: reasons) {
            add(.temperature, request.temperature.map { .double($0) })
        }
        if dialect.takesCacheKey { add(.cacheKey, request.cacheKey.map { .string($0) }) }
        if !request.tools.isEmpty {
            body["tools"] = .array(request.tools.map { tool($0, takesStrict: !refused.contains(.strict)) })
        }
        return Array(JSON.object(body).text.utf8)
    }

    private static func message(_ message: ChatMessage) -> JSON {
        switch message {
        case .system(let text): ["role": "system", "content": .string(text)]
        case .user(let text): ["role": "user", "content": .string(text)]
        case .assistant(let text): ["role": "assistant", "content": .string(text)]
        case .toolResult(let id, let content):
            ["role": "tool", "tool_call_id": .string(CallID.wire(id)), "content": .string(content)]
        case .toolCalls(let calls, let text):
            [
                "role": "assistant", "content": text.isEmpty ? .null : .string(text),
                "tool_calls": .array(
                    calls.map { call in
                        [
                            "id": .string(CallID.wire(call.id)), "type": "function",
                            "function": ["name": .string(call.name), "arguments": .string(call.arguments)],
                        ]
                    }),
            ]
        }
    }

    private static func tool(_ tool: ChatTool, takesStrict: Bool) -> JSON {
        var function: [String: JSON] = [
            "name": .string(tool.name), "description": .string(tool.description),
            "parameters": tool.parameters,
        ]
        if tool.isStrict, takesStrict { function["strict"] = true }
        return ["type": "function", "function": .object(function)]
    }

    /// An error's name in a body or an event, its `code` or else its `type`; nil where there is no error.
    ///
    /// Servers write `{"error":{…}}`, `{"error":"text"}`, `{"object":"error",…}` or `{"detail":…}`. Never the message:
    /// it may quote the caller or part of a key.
    static func problem(_ body: JSON) -> String? {
        if body["detail"] != nil, body["choices"] == nil { return "error" }
        let error = body["object"]?.string == "error" ? body : body["error"] ?? .null
        guard error != .null else { return nil }
        return error["code"]?.string ?? error["code"]?.int.map { String($0) } ?? error["type"]?.string
            ?? "error"
    }
}

extension JSON {
    /// nil for what is not UTF-8 or not JSON.
    init?(_ data: [UInt8]) {
        guard let text = String(validating: data, as: UTF8.self) else { return nil }
        self.init(parsing: text)
    }
}
