import Base

/// Anthropic's `/v1/messages`, as strict about requests as the vendor is.
/// Source: Anthropic's API reference, Messages and their streaming events.
struct MessagesAnswering: Sendable {
    /// Marks for the cache in one request.
    private static let marksMax = 4

    let desk: ModelDesk

    func answer(_ request: LocalRequest) async -> LocalResponse {
        guard request.path == ["v1", "messages"], request.method == "POST" else {
            return Self.error(404, "not_found_error", "no such path")
        }
        if let key = desk.settings.key, request.header("x-api-key") != key {
            return Self.error(401, "authentication_error", "invalid x-api-key")
        }
        guard request.header("anthropic-version") != nil else {
            return Self.error(400, "invalid_request_error", "anthropic-version: header is required")
        }
        guard let body = JSONText.decode(request.body) else {
            return Self.error(400, "invalid_request_error", "the body is not JSON")
        }
        if let problem = Self.problem(body) { return Self.error(400, "invalid_request_error", problem) }
        let turn = Self.turn(body)
        let (reply, draw) = desk.reply(to: turn, body: body)
        if let refusal = refusal(reply.fault) { return refusal }
        if let member = Self.refused(in: body, desk.settings.refusedMembers) {
            return Self.error(
                400, "invalid_request_error", "\(member): Extra inputs are not permitted")
        }
        let message = StreamedMessage(body: body, reply: reply)
        let settings = desk.settings
        return LocalResponse(
            status: 200, headers: [("Content-Type", "text/event-stream"), ("request-id", message.id)],
            body: .stream { writer in
                var player = ModelPlayer(wire: message, reply: reply, draw: draw, settings: settings)
                try await player.play(to: &writer)
            })
    }

    /// What the vendor would object to.
    private static func problem(_ body: JSON) -> String? {
        guard body["model"]?.string != nil else { return "model: field required" }
        guard (body["max_tokens"]?.int ?? 0) > 0 else { return "max_tokens: field required" }
        guard body["stream"]?.bool == true else { return "stream: this server only streams" }
        guard let messages = body["messages"]?.array, !messages.isEmpty else { return "messages: required" }
        guard body["temperature"] == nil else { return "temperature: unsupported by this model" }
        let text = JSONText.encode(body)
        guard text.matches(of: /"cache_control"/).count <= marksMax else { return "cache_control: too many" }
        return conversationProblem(messages)
    }

    private static func conversationProblem(_ messages: [JSON]) -> String? {
        var owed: Set<String> = []
        for (index, message) in messages.enumerated() {
            let isUser = message["role"]?.string == "user"
            guard isUser || message["role"]?.string == "assistant" else { return "messages.\(index).role" }
            guard isUser == (index % 2 == 0) else { return "messages: roles must alternate, user first" }
            let blocks = blocks(message)
            guard !blocks.isEmpty else { return "messages.\(index): content is empty" }
            let texts = blocks.filter { $0["type"]?.string == "text" }
            guard texts.allSatisfy({ $0["text"]?.string?.isEmpty == false }) else {
                return "messages.\(index): text content blocks must be non-empty"
            }
            if isUser {
                let results = blocks.prefix { $0["type"]?.string == "tool_result" }
                guard owed == Set(results.compactMap { $0["tool_use_id"]?.string }) else {
                    return "messages.\(index): tool_use ids without tool_result blocks immediately after"
                }
            }
            owed = Set(blocks.filter { $0["type"]?.string == "tool_use" }.compactMap { $0["id"]?.string })
        }
        return messages.count % 2 == 1 ? nil : "messages: the last must be the user's"
    }

    fileprivate static func blocks(_ message: JSON) -> [JSON] {
        if let text = message["content"]?.string { return [["type": "text", "text": .string(text)]] }
        return message["content"]?.array ?? []
    }

    /// The request as scripts see one.
    private static func turn(_ body: JSON) -> ChatTurn {
        var messages: [JSON] = []
        for message in body["messages"]?.array ?? [] {
            let role = message["role"] ?? "user"
            for block in blocks(message) {
                switch block["type"]?.string {
                case "text": messages.append(["role": role, "content": block["text"] ?? ""])
                case "tool_use":
                    messages.append([
                        "role": role,
                        "tool_calls": [
                            ["id": block["id"] ?? "", "function": ["name": block["name"] ?? ""]]
                        ],
                    ])
                case "tool_result":
                    messages.append([
                        "role": "tool", "tool_call_id": block["tool_use_id"] ?? "",
                        "content": block["content"] ?? "",
                    ])
                default: break
                }
            }
        }
        return ChatTurn(
            model: body["model"]?.string ?? "", messages: messages,
            tools: (body["tools"]?.array ?? []).compactMap { $0["name"]?.string })
    }

    /// A member that this server does not take, of the request or of a tool.
    private static func refused(in body: JSON, _ members: Set<String>) -> String? {
        members.sorted().first { member in
            body[member] != nil || (body["tools"]?.array ?? []).contains { $0[member] != nil }
        }
    }

    private func refusal(_ fault: ChatScript.Fault?) -> LocalResponse? {
        switch fault {
        case .unauthorized: Self.error(401, "authentication_error", "invalid x-api-key")
        case .rateLimited(let seconds):
            Self.error(
                429, "rate_limit_error", "too many requests",
                headers: [("retry-after", UTC.retryAfter(seconds, asDate: desk.settings.retriesAtDate))])
        case .insufficientQuota: Self.error(402, "billing_error", "your credit balance is too low")
        case .serverError: Self.error(529, "overloaded_error", "Overloaded")
        case .status(let status): Self.error(status, "error_\(status)", "this request cannot be served")
        default: nil
        }
    }

    private static func error(
        _ status: Int, _ type: String, _ message: String, headers: [(String, String)] = []
    ) -> LocalResponse {
        let body: JSON = [
            "type": "error", "error": ["type": .string(type), "message": .string(message)],
            "request_id": .string(Sid.make("req_")),
        ]
        return .json(status, JSONText.encode(body), headers: headers)
    }
}

/// One answer as the events of a stream: a block of text, then one of each tool call.
struct StreamedMessage: ModelWire {
    let body: JSON
    let reply: ChatScript.Reply
    let id = Sid.make("msg_")
    private var block = -1
    private var words = 0

    init(body: JSON, reply: ChatScript.Reply) {
        self.body = body
        self.reply = reply
    }

    func opening() -> String {
        event(
            "message_start",
            [
                "message": [
                    "id": .string(id), "type": "message", "role": "assistant", "content": [],
                    "model": body["model"] ?? "", "stop_reason": nil, "usage": .object(promptUsage),
                ]
            ]) + event("ping", [:])
    }

    /// About four characters a token. Up to the first mark the prompt was in the cache, up to the last it is written.
    private var promptUsage: [String: JSON] {
        let parts = [body["tools"] ?? [], body["system"] ?? []] + (body["messages"]?.array ?? [])
        let sizes = parts.map { Int64(JSONText.encode($0).utf8.count / 4) }
        let marks = parts.indices.filter { JSONText.encode(parts[$0]).contains("\"cache_control\"") }
        let read = marks.first.map { sizes[...$0].reduce(0, +) } ?? 0
        let written = marks.last.map { sizes[...$0].reduce(0, +) - read } ?? 0
        return [
            "input_tokens": .int(sizes.reduce(0, +) - read - written),
            "cache_read_input_tokens": .int(read), "cache_creation_input_tokens": .int(written),
            "output_tokens": 1,
        ]
    }

    mutating func word(_ token: String) -> String {
        let start = block < 0 ? begin(["type": "text", "text": ""]) : ""
        words += 1
        return start + delta(["type": "text_delta", "text": .string(token)])
    }

    mutating func toolCalls(_ calls: [ChatScript.ToolCall]) -> [String] {
        var pieces: [String] = []
        for call in calls {
            pieces.append(
                stop()
                    + begin([
                        "type": "tool_use", "id": .string(Sid.make("toolu_")), "name": .string(call.name),
                        "input": [:],
                    ]))
            // An empty piece comes first.
            pieces.append(delta(["type": "input_json_delta", "partial_json": ""]))
            let text = call.arguments == [:] ? [] : Array(call.argumentsText)
            let size = max(1, (text.count + 2) / 3)
            for start in stride(from: 0, to: text.count, by: size) {
                let piece = String(text[start..<min(text.count, start + size)])
                pieces.append(delta(["type": "input_json_delta", "partial_json": .string(piece)]))
            }
        }
        return pieces
    }

    mutating func ending(_ reply: ChatScript.Reply) -> String {
        let called = reply.toolCalls.reduce(0) { $0 + $1.argumentsText.utf8.count / 4 + 5 }
        var reason = reply.toolCalls.isEmpty ? "end_turn" : "tool_use"
        if reply.fault == .refusal { reason = "refusal" }
        return stop()
            + event(
                "message_delta",
                [
                    "delta": ["stop_reason": .string(reason), "stop_sequence": nil],
                    "usage": ["output_tokens": .int(Int64(words + called))],
                ]) + event("message_stop", [:])
    }

    var errorEvent: String {
        event("error", ["error": ["type": "overloaded_error", "message": "Overloaded"]])
    }
    var garbage: String { "event: content_block_delta\ndata: {\"type\":\"content_block\n\n" }
    var signOfLife: String { event("ping", [:]) }
    var unknown: String {
        event("message_mood", ["mood": "good"])
            + event(
                "content_block_delta",
                ["index": 99, "delta": ["type": "signature_delta", "signature": "c2ln"]])
    }

    private mutating func begin(_ content: JSON) -> String {
        block += 1
        return event("content_block_start", ["index": .int(Int64(block)), "content_block": content])
    }

    private func stop() -> String {
        block < 0 ? "" : event("content_block_stop", ["index": .int(Int64(block))])
    }

    private func delta(_ delta: JSON) -> String {
        event("content_block_delta", ["index": .int(Int64(block)), "delta": delta])
    }

    private func event(_ type: String, _ members: [String: JSON]) -> String {
        var members = members
        members["type"] = .string(type)
        return "event: \(type)\ndata: \(JSONText.encode(.object(members)))\n\n"
    }
}
