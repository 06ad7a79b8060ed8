import Base
import HTTPClient
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import Speech

/// The adapter against a server that answers with scripted bytes.
struct ChatTests {
    static let loop = MultiThreadedEventLoopGroup.singleton.next()
    static let request = ChatRequest(
        model: "m-1", messages: [.system("Be brief."), .user("Hi")],
        tools: ["book", "hours", "f"].map {
            ChatTool(name: $0, description: "Books.", parameters: ["type": "object"])
        },
        temperature: 0.5,
        maxTokens: 50)

    struct Outcome: Sendable {
        var lines: [String]
        var asked: String
    }

    static func run(
        _ answer: ScriptedServer.Answer, limits: ModelLimits = .init(), key: String = "sk-test"
    ) async throws -> Outcome {
        let server = try await ScriptedServer(answer)
        let http = HTTPClient(addresses: .anyAddress, logger: Logger(label: "test"))
        let model = OpenAIChatModel(
            ModelEndpoint(
                vendor: "openai", key: Redacted(key), baseURL: server.url, http: http, limits: limits))
        let recorder = Recorder<ChatEvent>()
        _ = try await on(loop) {
            _ = model.reply(to: request, on: loop) { recorder.record($0) }
        }
        _ = await recorder.first { event -> Bool? in
            switch event {
            case .finished, .failed: true
            default: nil
            }
        }
        try await server.close()
        await http.close()
        let lines = recorder.all.map(Self.line).filter { $0 != "began" }
        return Outcome(lines: lines, asked: server.asked)
    }

    static func line(_ event: ChatEvent) -> String {
        switch event {
        case .began: "began"
        case .text(let text): "text \(text)"
        case .toolCall(let call): "tool \(call.id) \(call.name) \(call.arguments)"
        case .fellBack(let next, let fault): "\(fault.code), now \(next?.source ?? "nobody")"
        case .finished(let usages):
            "finished " + usages.map { "\($0.unit) \($0.quantity)" }.joined(separator: ", ")
        case .failed(let fault): "failed \(fault.code) \(fault.retry)"
        }
    }

    static func delta(_ inner: String, finish: String = "null") -> String {
        "data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\(inner)},\"finish_reason\":\(finish)}]}\n\n"
    }
    static let usage = """
        data: {"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":7,\
        "prompt_tokens_details":{"cached_tokens":64}}}\n\n
        """
    static let done = "data: [DONE]\n\n"

    @Test func textComesAsItIsStreamedAndUsageAtTheEnd() async throws {
        let body = [
            Self.delta("\"role\":\"assistant\",\"content\":\"\""), Self.delta("\"content\":\"Sure, \""),
            Self.delta("\"content\":\"café\""), Self.delta("", finish: "\"stop\""), Self.usage, Self.done,
        ]
        let outcome = try await Self.run(.init(pieces: body))
        #expect(
            outcome.lines == [
                "text Sure, ", "text café", "finished inputTokens 36, cachedTokens 64, outputTokens 7",
            ])
        #expect(outcome.asked.hasPrefix("POST /v1/chat/completions HTTP/1.1\r\n"))
        #expect(outcome.asked.contains("Authorization: Bearer sk-test\r\n"))
        #expect(outcome.asked.contains("\"stream_options\":{\"include_usage\":true}"))
        #expect(outcome.asked.contains("\"max_tokens\":50") && outcome.asked.contains("\"temperature\":0.5"))
        #expect(outcome.asked.contains("{\"content\":\"Be brief.\",\"role\":\"system\"}"))
    }

    struct Manners: Sendable, CustomTestStringConvertible {
        var baseURL = "https://api.openai.com/v1"
        var model: String
        var effort: ReasoningEffort?
        var hasTemperature: Bool
        var limit = "max_completion_tokens"
        var testDescription: String { "\(baseURL) \(model) \(effort?.rawValue ?? "-")" }
    }

    @Test(arguments: [
        Manners(model: "gpt-5.6-luna", hasTemperature: false),
        Manners(model: "gpt-5.6-luna", effort: .low, hasTemperature: false),
        Manners(model: "gpt-5.6-luna", effort: ReasoningEffort.none, hasTemperature: true),
        Manners(model: "gpt-4.1-mini", hasTemperature: true),
        Manners(model: "ft:gpt-4o:acme::1", hasTemperature: true),
        Manners(
            baseURL: "https://api.groq.com/openai/v1", model: "gpt-5", hasTemperature: true,
            limit: "max_tokens"),
    ])
    func aModelThatReasonsIsSentNoTemperature(sample: Manners) throws {
        var request = Self.request
        request.model = sample.model
        request.effort = sample.effort
        let body = try #require(JSON(ChatWire.body(request, OpenAIDialect(baseURL: sample.baseURL))))
        #expect((body["temperature"] != nil) == sample.hasTemperature)
        #expect(body[sample.limit] == 50 && body["reasoning_effort"]?.string == sample.effort?.rawValue)
        request.temperature = nil
        let plain = try #require(JSON(ChatWire.body(request, OpenAIDialect(baseURL: sample.baseURL))))
        #expect(plain["temperature"] == nil)
        // Behind a proxy the newer name may be the only one that is taken.
        let other = try #require(
            JSON(ChatWire.body(request, OpenAIDialect(baseURL: sample.baseURL), without: [.maxTokens])))
        #expect(other["max_completion_tokens"] == 50 && other["max_tokens"] == nil)
    }

    @Test func toolCallsAreTold_whole_byTheirIndex() async throws {
        let body = [
            Self.delta(
                "\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"book\",\"arguments\":\"\"}}]"
            ),
            Self.delta("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"n\\\":\"}}]"),
            Self.delta("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"2}\"}}]"),
            Self.delta("\"tool_calls\":[{\"index\":1,\"id\":\"c2\",\"function\":{\"name\":\"hours\"}}]"),
            Self.delta("", finish: "\"tool_calls\""), Self.usage, Self.done,
        ]
        let lines = try await Self.run(.init(pieces: body)).lines
        #expect(lines.prefix(2) == ["tool c1 book {\"n\":2}", "tool c2 hours {}"])
        #expect(lines.last?.hasPrefix("finished") == true)
    }

    @Test func wholeCallsWithoutAnIndexAreToldApartByTheirIds() async throws {
        func call(_ id: String) -> String {
            "{\"id\":\"\(id)\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}"
        }
        let body = [
            Self.delta("\"tool_calls\":[\(call("a")),\(call("b"))]", finish: "\"tool_calls\""), Self.done,
        ]
        let lines = try await Self.run(.init(pieces: body)).lines
        #expect(lines.prefix(2) == ["tool a f {}", "tool b f {}"])
    }

    @Test func missingUsageIsEstimated() async throws {
        let body = [Self.delta("\"content\":\"12345678\""), Self.delta("", finish: "\"stop\""), Self.done]
        let lines = try await Self.run(.init(pieces: body), key: "").lines
        #expect(lines.last == "finished inputTokens 23, outputTokens 2")
    }

    @Test(arguments: [true, false])
    func aStreamCutBeforeItsEndFailsButAFinishedOneDoesNot(isFinished: Bool) async throws {
        var body = [Self.delta("\"content\":\"Well\"")]
        if isFinished { body.append(Self.delta("", finish: "\"stop\"")) }
        let lines = try await Self.run(.init(pieces: body)).lines
        #expect(lines.first == "text Well")
        #expect(lines.last?.hasPrefix(isFinished ? "finished" : "failed llm.cut") == true)
    }

    @Test func anErrorInTheMiddleFails() async throws {
        let body = [
            Self.delta("\"content\":\"We\""),
            "data: {\"error\":{\"message\":\"x\",\"code\":\"server_error\"}}\n\n",
        ]
        let lines = try await Self.run(.init(pieces: body)).lines
        #expect(lines == ["text We", "failed llm.stream_failed after(0.5 seconds)"])
    }

    @Test(arguments: [
        (
            "401 Unauthorized", "{\"error\":{\"code\":\"invalid_api_key\"}}", [],
            "failed llm.unauthorized never"
        ),
        ("404 Not Found", "gone", [], "failed llm.not_found never"),
        ("400 Bad Request", "{\"error\":{\"code\":400}}", [], "failed llm.bad_request never"),
        (
            "429 Too Many", "{\"error\":{\"code\":\"insufficient_quota\"}}", ["Retry-After: 3"],
            "failed llm.quota never"
        ),
        ("429 Too Many", "{}", ["Retry-After: 3"], "failed llm.rate_limited after(3.0 seconds)"),
        ("429 Too Many", "", ["retry-after-ms: 250"], "failed llm.rate_limited after(0.25 seconds)"),
        ("503 Busy", "<html>", [], "failed llm.unavailable after(0.5 seconds)"),
        ("500 Oops", "", ["x-should-retry: false"], "failed llm.unavailable never"),
        ("200 OK", "data: not json\n\n", [], "failed llm.garbled after(0.5 seconds)"),
    ])
    func errorsSayIfTryingAgainHelps(status: String, body: String, headers: [String], line: String)
        async throws
    {
        let answer = ScriptedServer.Answer(status: status, headers: headers, pieces: [body])
        #expect(try await Self.run(answer).lines == [line])
    }

    @Test func aSlowFirstTokenFailsAndCloses() async throws {
        var limits = ModelLimits()
        limits.firstToken = .milliseconds(80)
        let answer = ScriptedServer.Answer(
            pieces: [": thinking\n\n", Self.delta("\"role\":\"assistant\"")], closes: false)
        let lines = try await Self.run(answer, limits: limits).lines
        #expect(lines == ["failed llm.first_token_timeout after(0.0 seconds)"])
    }

    @Test func cancellingClosesTheConnectionAndTellsNothingMore() async throws {
        let server = try await ScriptedServer(
            .init(pieces: [Self.delta("\"content\":\"One two\"")], closes: false))
        let http = HTTPClient(addresses: .anyAddress, logger: Logger(label: "test"))
        let model = OpenAIChatModel(
            ModelEndpoint(vendor: "v", key: Redacted(""), baseURL: server.url, http: http))
        let recorder = Recorder<ChatEvent>()
        let stream = try await on(Self.loop) {
            NIOLoopBound(
                model.reply(to: Self.request, on: Self.loop) { recorder.record($0) }, eventLoop: Self.loop)
        }
        _ = await recorder.first { if case .text = $0 { true } else { nil } }
        let used = try await on(Self.loop) { () -> [Usage] in
            stream.value.cancel()
            return stream.value.usageSoFar
        }
        #expect(await server.clientLeft())
        #expect(used.contains(Usage(component: .llm, source: "v/m-1", unit: .outputTokens, quantity: 2)))
        await http.close()
        #expect(recorder.all.map(Self.line) == ["began", "text One two"])
        try await server.close()
    }

    @Test func anUnreachableServerMayBeTriedAgain() async throws {
        let http = HTTPClient(addresses: .anyAddress, logger: Logger(label: "test"))
        let model = OpenAIChatModel(
            ModelEndpoint(vendor: "v", key: Redacted(""), baseURL: "http://127.0.0.1:1", http: http))
        let recorder = Recorder<ChatEvent>()
        _ = try await on(Self.loop) {
            _ = model.reply(to: Self.request, on: Self.loop) { recorder.record($0) }
        }
        _ = await recorder.first { _ in true }
        #expect(recorder.all.map(Self.line).first?.hasPrefix("failed llm.unreachable after") == true)
        await http.close()
    }
}
