package import Base
import HummingbirdCore
package import Logging
import NIOCore
import Synchronization

/// An OpenAI-compatible `/v1/chat/completions` with scripted replies, a delay to the first token and a token
/// rate.
/// Source: reference/providers/openai-chat.md.
package final class SimulatedChat: Sendable {
    package struct Configuration: Sendable {
        /// 0 takes a free port.
        package var port = 0
        /// nil: any key is good.
        package var key: String?
        package var script = ChatScript.appointmentDesk()
        package var firstToken: Duration = .milliseconds(150)
        /// Words a second; zero: all at once.
        package var tokensPerSecond = 80
        package init() {}
    }

    /// How long a model that has fallen silent keeps the connection.
    package static let silenceMax: Duration = .seconds(60)
    static let requestsMax = 10_000

    package let port: Int
    /// The base URL as clients are given it.
    package var url: String { "http://127.0.0.1:\(port)/v1" }
    private let server: LocalServer
    private let desk: ChatDesk

    package static func start(_ configuration: Configuration = Configuration(), logger: Logger) async throws
        -> SimulatedChat
    {
        let desk = ChatDesk(configuration)
        let server = try await LocalServer.start(port: configuration.port, logger: logger) {
            await desk.answer($0)
        }
        return SimulatedChat(server: server, desk: desk)
    }

    private init(server: LocalServer, desk: ChatDesk) {
        self.server = server
        self.desk = desk
        port = server.port
    }

    package func stop() async { await server.stop() }

    /// Takes effect with the next request.
    package func use(_ script: ChatScript) { desk.state.withLock { $0.script = script } }
    /// The next requests meet these faults, one each, whatever the script says.
    package func fail(_ faults: [ChatScript.Fault]) { desk.state.withLock { $0.faults += faults } }
    /// Every request body so far, oldest first.
    package var requests: [JSON] { desk.state.withLock { $0.requests } }
}

final class ChatDesk: Sendable {
    struct State {
        var script: ChatScript
        var faults: [ChatScript.Fault] = []
        var requests: [JSON] = []
    }

    let configuration: SimulatedChat.Configuration
    let state: Mutex<State>

    init(_ configuration: SimulatedChat.Configuration) {
        self.configuration = configuration
        state = Mutex(State(script: configuration.script))
    }

    func answer(_ request: LocalRequest) async -> LocalResponse {
        guard request.path.suffix(2) == ["chat", "completions"], request.method == "POST" else {
            return Self.error(404, "not found", code: "not_found")
        }
        if let key = configuration.key, request.header("Authorization") != "Bearer \(key)" {
            return Self.error(401, "Incorrect API key provided", code: "invalid_api_key")
        }
        guard let body = JSONText.decode(request.body), let messages = body["messages"]?.array,
            !messages.isEmpty,
            let model = body["model"]?.string
        else { return Self.error(400, "model and messages are required", code: "invalid_request") }
        let tools = (body["tools"]?.array ?? []).compactMap { $0["function"]?["name"]?.string }
        let turn = ChatTurn(model: model, messages: messages, tools: tools)
        var reply = state.withLock { state in
            if state.requests.count < SimulatedChat.requestsMax { state.requests.append(body) }
            var reply = state.script.reply(to: turn)
            if !state.faults.isEmpty { reply.fault = state.faults.removeFirst() }
            return reply
        }
        if let refusal = Self.refusal(reply.fault) { return refusal }
        // A tool nobody offered cannot be called.
        reply.toolCalls.removeAll { !tools.contains($0.name) }
        let completion = Completion(
            turn: turn, reply: reply, withUsage: body["stream_options"]?["include_usage"]?.bool == true)
        guard body["stream"]?.bool == true else {
            try? await Task.sleep(for: configuration.firstToken)
            return .json(200, JSONText.encode(completion.whole))
        }
        let configuration = configuration
        return LocalResponse(
            status: 200, headers: [("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache")],
            body: .stream { writer in try await completion.stream(to: &writer, configuration) })
    }

    private static func refusal(_ fault: ChatScript.Fault?) -> LocalResponse? {
        switch fault {
        case .unauthorized: error(401, "Incorrect API key provided", code: "invalid_api_key")
        case .rateLimited(let seconds):
            error(
                429, "Rate limit reached", code: "rate_limit_exceeded",
                headers: [("Retry-After", String(seconds))])
        case .insufficientQuota: error(429, "You exceeded your current quota", code: "insufficient_quota")
        case .serverError: error(500, "The server had an error", code: "server_error")
        case .silence, .cut, .malformed, .errorEvent, nil: nil
        }
    }

    static func error(_ status: Int, _ message: String, code: String, headers: [(String, String)] = [])
        -> LocalResponse
    {
        let body: JSON = [
            "error": [
                "message": .string(message), "type": "invalid_request_error", "param": nil,
                "code": .string(code),
            ]
        ]
        return .json(status, JSONText.encode(body), headers: headers)
    }
}

/// One answer, cut into chunks.
struct Completion: Sendable {
    struct Cut: Error {}

    let turn: ChatTurn
    let reply: ChatScript.Reply
    let withUsage: Bool
    let id = Sid.make("chatcmpl-")

    /// Every word keeps the space before it.
    var tokens: [String] {
        reply.text.split(separator: " ").enumerated().map { ($0.offset == 0 ? "" : " ") + $0.element }
    }

    private var finishReason: String { reply.toolCalls.isEmpty ? "stop" : "tool_calls" }

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
                            "name": .string(call.name), "arguments": .string(JSONText.encode(call.arguments)),
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

    /// About four characters a token.
    private var usage: JSON {
        let prompt = Int64(turn.messages.reduce(0) { $0 + JSONText.encode($1).utf8.count } / 4)
        let called = reply.toolCalls.reduce(0) { $0 + JSONText.encode($1.arguments).utf8.count / 4 + 5 }
        let answered = Int64(tokens.count + called)
        return [
            "prompt_tokens": .int(prompt), "completion_tokens": .int(answered),
            "total_tokens": .int(prompt + answered),
            "prompt_tokens_details": ["cached_tokens": 0],
            "completion_tokens_details": ["reasoning_tokens": 0],
        ]
    }

    func stream(to writer: inout any ResponseBodyWriter, _ configuration: SimulatedChat.Configuration)
        async throws
    {
        if reply.fault == .silence {
            try await writer.write(ByteBuffer(string: ": waiting\n\n"))
            return try await Task.sleep(for: SimulatedChat.silenceMax)
        }
        try await Task.sleep(for: configuration.firstToken)
        try await write(["role": "assistant", "content": ""], to: &writer)
        let gap =
            configuration.tokensPerSecond > 0 ? Duration.seconds(1) / configuration.tokensPerSecond : .zero
        // On a schedule, so that slow writes do not lower the rate.
        let start = ContinuousClock.now
        for (index, token) in tokens.enumerated() {
            try await misbehave(after: index, to: &writer)
            if gap > .zero { try await Task.sleep(until: start + gap * index) }
            try await write(["content": .string(token)], to: &writer)
        }
        try await misbehave(after: tokens.count, to: &writer)
        try await writeCalls(to: &writer)
        try await write([:], finish: finishReason, to: &writer)
        if withUsage { try await send(chunk(choices: [], usage: usage), to: &writer) }
        try await writer.write(ByteBuffer(string: "data: [DONE]\n\n"))
        try await writer.finish(nil)
    }

    private func misbehave(after tokens: Int, to writer: inout any ResponseBodyWriter) async throws {
        switch reply.fault {
        case .cut(tokens): throw Cut()
        case .malformed(tokens):
            try await writer.write(ByteBuffer(string: "data: {\"choices\":[{\"delta\"\n\n"))
        case .errorEvent(tokens):
            let text =
                #"data: {"error":{"message":"The server had an error","type":"server_error","code":null,"param":null}}"#
            try await writer.write(ByteBuffer(string: text + "\n\n"))
            throw Cut()
        default: break
        }
    }

    /// The name comes first, the arguments in three pieces.
    private func writeCalls(to writer: inout any ResponseBodyWriter) async throws {
        for (index, call) in reply.toolCalls.enumerated() {
            let head: JSON = [
                "index": .int(Int64(index)), "id": .string(callID(index)), "type": "function",
                "function": ["name": .string(call.name), "arguments": ""],
            ]
            try await write(["tool_calls": [head]], to: &writer)
            let text = Array(JSONText.encode(call.arguments))
            let size = max(1, (text.count + 2) / 3)
            for start in stride(from: 0, to: text.count, by: size) {
                let piece = String(text[start..<min(text.count, start + size)])
                let delta: JSON = ["index": .int(Int64(index)), "function": ["arguments": .string(piece)]]
                try await write(["tool_calls": [delta]], to: &writer)
            }
        }
    }

    private func write(_ delta: JSON, finish: String? = nil, to writer: inout any ResponseBodyWriter)
        async throws
    {
        let choice: JSON = ["index": 0, "delta": delta, "finish_reason": finish.map { .string($0) } ?? nil]
        try await send(chunk(choices: [choice], usage: nil), to: &writer)
    }

    private func chunk(choices: JSON, usage: JSON) -> JSON {
        [
            "id": .string(id), "object": "chat.completion.chunk",
            "created": .int(UTC.now().milliseconds / 1000),
            "model": .string(turn.model), "choices": choices, "usage": usage,
        ]
    }

    private func send(_ chunk: JSON, to writer: inout any ResponseBodyWriter) async throws {
        try await writer.write(ByteBuffer(string: "data: \(JSONText.encode(chunk))\n\n"))
    }
}
