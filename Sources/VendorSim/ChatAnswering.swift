import Base

/// An OpenAI-compatible `/v1/chat/completions`.
/// Source: OpenAI's API reference, chat completions and their streaming chunks.
struct ChatAnswering: Sendable {
    let desk: ModelDesk

    func answer(_ request: LocalRequest) async -> LocalResponse {
        guard request.path.suffix(2) == ["chat", "completions"], request.method == "POST" else {
            return Self.error(404, "not found", code: "not_found")
        }
        if let key = desk.settings.key, request.header("Authorization") != "Bearer \(key)" {
            return Self.error(401, "Incorrect API key provided", code: "invalid_api_key")
        }
        guard let body = JSONText.decode(request.body), let messages = body["messages"]?.array,
            !messages.isEmpty,
            let model = body["model"]?.string
        else { return Self.error(400, "model and messages are required", code: "invalid_request") }
        let tools = (body["tools"]?.array ?? []).compactMap { $0["function"]?["name"]?.string }
        let turn = ChatTurn(model: model, messages: messages, tools: tools)
        let (reply, draw) = desk.reply(to: turn, body: body)
        if let refusal = refusal(reply.fault) { return refusal }
        if let member = Self.refused(in: body, desk.settings.refusedMembers) {
            return Self.error(
                400, "Unrecognized request argument supplied: \(member)", code: "unknown_parameter",
                param: member)
        }
        let completion = Completion(
            turn: turn, reply: reply, withUsage: body["stream_options"]?["include_usage"]?.bool == true,
            thought: desk.settings.thoughtTokens)
        guard body["stream"]?.bool == true else {
            try? await Task.sleep(for: draw.firstToken)
            return .json(200, JSONText.encode(completion.whole))
        }
        let settings = desk.settings
        return LocalResponse(
            status: 200, headers: [("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache")],
            body: .stream { writer in
                var player = ModelPlayer(wire: completion, reply: reply, draw: draw, settings: settings)
                try await player.play(to: &writer)
            })
    }

    /// A member that this server does not take, of the request or of a tool's function.
    private static func refused(in body: JSON, _ members: Set<String>) -> String? {
        let functions = (body["tools"]?.array ?? []).compactMap { $0["function"] }
        return members.sorted().first { member in
            body[member] != nil || functions.contains { $0[member] != nil }
        }
    }

    private func refusal(_ fault: ChatScript.Fault?) -> LocalResponse? {
        switch fault {
        case .unauthorized: Self.error(401, "Incorrect API key provided", code: "invalid_api_key")
        case .rateLimited(let seconds):
            Self.error(
                429, "Rate limit reached", code: "rate_limit_exceeded",
                headers: [
                    (
                        "Retry-After",
                        UTC.retryAfter(seconds, asDate: desk.settings.retriesAtDate)
                    ), ("x-request-id", "req_sim_1"),
                ])
        case .insufficientQuota:
            Self.error(429, "You exceeded your current quota", code: "insufficient_quota")
        case .serverError: Self.error(500, "The server had an error", code: "server_error")
        case .status(let status): Self.error(status, "This request cannot be served", code: "error_\(status)")
        default: nil
        }
    }

    private static func error(
        _ status: Int, _ message: String, code: String, param: String? = nil,
        headers: [(String, String)] = []
    ) -> LocalResponse {
        let body: JSON = [
            "error": [
                "message": .string(message), "type": "invalid_request_error",
                "param": param.map { .string($0) } ?? nil,
                "code": .string(code),
            ]
        ]
        return .json(status, JSONText.encode(body), headers: headers)
    }
}

/// One answer, cut into chunks.
struct Completion: ModelWire {
    let turn: ChatTurn
    let reply: ChatScript.Reply
    let withUsage: Bool
    let thought: Int64
    let id = Sid.make("chatcmpl-")

    private var finishReason: String {
        if reply.fault == .refusal { return "content_filter" }
        return reply.toolCalls.isEmpty ? "stop" : "tool_calls"
    }

    private func callID(_ index: Int) -> String { "call_\(id.suffix(8))_\(index)" }

    var whole: JSON {
        var message: [String: JSON] = [
            "role": "assistant", "content": reply.text.isEmpty ? nil : .string(reply.text),
        ]
        if !reply.toolCalls.isEmpty {
            message["tool_calls"] = .array(
                reply.toolCalls.enumerated().map { index, call in
                    [
                        "id": .string(callID(index)), "type": "function",
                        "function": [
                            "name": .string(call.name), "arguments": .string(call.argumentsText),
                        ],
                    ]
                })
        }
        return [
            "id": .string(id), "object": "chat.completion", "created": .int(UTC.now().milliseconds / 1000),
            "model": .string(turn.model), "usage": usage,
            "choices": [["index": 0, "message": .object(message), "finish_reason": .string(finishReason)]],
        ]
    }

    /// About four characters a token; what came before the last message is taken to be cached.
    private var usage: JSON {
        let sizes = turn.messages.map { Int64(JSONText.encode($0).utf8.count / 4) }
        let prompt = sizes.reduce(0, +)
        let cached = turn.messages.count > 2 ? prompt - (sizes.last ?? 0) : 0
        let called = reply.toolCalls.reduce(0) { $0 + $1.argumentsText.utf8.count / 4 + 5 }
        let answered = Int64(ModelPlayer<Completion>.tokens(reply.text).count + called)
        return [
            "prompt_tokens": .int(prompt), "completion_tokens": .int(answered),
            "total_tokens": .int(prompt + answered + thought),
            "prompt_tokens_details": ["cached_tokens": .int(cached)],
            "completion_tokens_details": ["reasoning_tokens": .int(thought)],
        ]
    }

    func opening() -> String { delta(["role": "assistant", "content": ""]) }
    func word(_ token: String) -> String { delta(["content": .string(token)]) }

    func ending(_ reply: ChatScript.Reply) -> String {
        delta([:], finish: finishReason)
            + (withUsage ? event(chunk(choices: [], usage: usage)) : "") + "data: [DONE]\n\n"
    }

    /// The names come first, then the arguments in three pieces each, by turns as a parallel decoder gives them.
    func toolCalls(_ calls: [ChatScript.ToolCall]) -> [String] {
        var pieces = calls.enumerated().map { index, call in
            fragment(
                [
                    "index": .int(Int64(index)), "id": .string(callID(index)), "type": "function",
                    "function": ["name": .string(call.name), "arguments": ""],
                ])
        }
        let texts = calls.map { Array($0.argumentsText) }
        for part in 0..<3 {
            for (index, text) in texts.enumerated() {
                let size = max(1, (text.count + 2) / 3)
                let piece = text.dropFirst(part * size).prefix(size)
                guard !piece.isEmpty else { continue }
                pieces.append(
                    fragment([
                        "index": .int(Int64(index)), "function": ["arguments": .string(String(piece))],
                    ]))
            }
        }
        return pieces
    }

    var errorEvent: String {
        #"data: {"error":{"message":"The server had an error","type":"server_error","code":null,"param":null}}"#
            + "\n\n"
    }
    var garbage: String { "data: {\"choices\":[{\"delta\"\n\n" }
    var signOfLife: String { ": waiting\n\n" }
    var unknown: String {
        "event: hint\nid: 7\ndata: {\"object\":\"something.new\",\"choices\":[]}\n\n"
            + delta(["mood": "good", "content": nil])
    }

    private func fragment(_ call: JSON) -> String { delta(["tool_calls": [call]]) }

    private func delta(_ delta: JSON, finish: String? = nil) -> String {
        let choice: JSON = ["index": 0, "delta": delta, "finish_reason": finish.map { .string($0) } ?? nil]
        return event(chunk(choices: [choice], usage: nil))
    }

    private func chunk(choices: JSON, usage: JSON) -> JSON {
        [
            "id": .string(id), "object": "chat.completion.chunk",
            "created": .int(UTC.now().milliseconds / 1000),
            "model": .string(turn.model), "choices": choices, "usage": usage,
        ]
    }

    private func event(_ chunk: JSON) -> String { "data: \(JSONText.encode(chunk))\n\n" }
}
