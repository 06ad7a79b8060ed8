import Base

/// The JSON of an OpenAI-compatible chat endpoint.
enum ChatWire {
    /// The request's body: keys sorted, so that a conversation's start stays byte for byte the same and vendors can
    /// cache it.
    static func body(_ request: ChatRequest, _ dialect: OpenAIDialect) -> [UInt8] {
        var body: [String: JSON] = [
            "model": .string(request.model),
            "messages": .array(request.messages.map(message)),
            "stream": true,
            "stream_options": ["include_usage": true],
            dialect.limitName: .int(Int64(request.maxTokens)),
        ]
        if let temperature = request.temperature { body["temperature"] = .double(temperature) }
        if !request.tools.isEmpty { body["tools"] = .array(request.tools.map(tool)) }
        if let format = request.format {
            body["response_format"] = [
                "type": "json_schema",
                "json_schema": [
                    "name": .string(format.name), "strict": true, "schema": format.schema,
                ],
            ]
        }
        if dialect.takesCacheKey, let key = request.cacheKey { body["prompt_cache_key"] = .string(key) }
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

    private static func tool(_ tool: ChatTool) -> JSON {
        [
            "type": "function",
            "function": [
                "name": .string(tool.name), "description": .string(tool.description),
                "parameters": tool.parameters,
            ],
        ]
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
