import Base
import HTTPClient
import Logging
import NIOCore
import NIOPosix
import Testing
import VendorSim

@testable import Speech

/// What every language model adapter must do, tried against the simulated vendor that speaks its wire format.
enum ModelVendor: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case openai, anthropic
    var testDescription: String { rawValue }
}

/// One simulated vendor with the adapter that belongs to it.
struct ModelRig: Sendable {
    static let loop = MultiThreadedEventLoopGroup.singleton.next()
    static let key = "sk-rig"

    let model: any LanguageModel
    let fail: @Sendable ([ChatScript.Fault]) -> Void
    let requests: @Sendable () -> [JSON]
    let stop: @Sendable () async -> Void

    static func start(
        _ vendor: ModelVendor, key: String = ModelRig.key, limits: ModelLimits = .init(),
        http: HTTPClient, _ change: (inout ModelSettings) -> Void = { _ in }
    ) async throws -> ModelRig {
        var settings = ModelSettings()
        settings.key = Self.key
        settings.firstToken = .milliseconds(1)
        settings.tokensPerSecond = 0
        settings.script = ChatScript([], otherwise: ChatScript.Reply("Grüße aus Köln, bis Tuesday"))
        change(&settings)
        let logger = Logger(label: "rig") { _ in SwiftLogNoOpLogHandler() }
        settings.api = vendor == .anthropic ? .messages : .chat
        let server = try await SimulatedModel.start(settings, logger: logger)
        let endpoint = ModelEndpoint(
            vendor: vendor.rawValue, key: Redacted(key), baseURL: server.url, http: http, limits: limits)
        return ModelRig(
            model: vendor == .anthropic ? AnthropicModel(endpoint) : OpenAIChatModel(endpoint),
            fail: { server.fail($0) }, requests: { server.requests }, stop: { await server.stop() })
    }

    static func request(_ text: String = "hello", tools: [String] = ["book", "hours"]) -> ChatRequest {
        ChatRequest(
            model: "m-1", messages: [.system("Be brief."), .user(text)],
            tools: tools.map { ChatTool(name: $0, description: "Does it.", parameters: ["type": "object"]) },
            temperature: nil, maxTokens: 200)
    }

    /// Every event of one reply, to its end.
    func reply(to request: ChatRequest = ModelRig.request()) async throws -> [ChatEvent] {
        let recorder = Recorder<ChatEvent>()
        let stream = try await on(Self.loop) { [model] in
            NIOLoopBound(
                model.reply(to: request, on: Self.loop) { recorder.record($0) }, eventLoop: Self.loop)
        }
        _ = await recorder.first { event -> Bool? in
            switch event {
            case .finished, .failed: true
            default: nil
            }
        }
        withExtendedLifetime(stream) {}
        return recorder.all
    }

    func summary(to request: ChatRequest = ModelRig.request()) async throws -> ReplySummary {
        ReplySummary(try await reply(to: request))
    }
}

extension ModelRig {
    func expectsNoFault(_ request: ChatRequest, _ place: SourceLocation = #_sourceLocation) async throws {
        let fault = try await summary(to: request).fault
        #expect(fault == nil, sourceLocation: place)
    }
}

/// A reply's text, tool calls and end.
struct ReplySummary: Equatable {
    var text = ""
    var calls: [String] = []
    var usage: [Usage] = []
    var fault: Fault?
    /// Of a chain, who took over after which fault.
    var troubles: [String] = []
    var began = 0

    init(_ events: [ChatEvent]) {
        for event in events {
            switch event {
            case .began: began += 1
            case .text(let more): text += more
            case .toolCall(let call): calls.append("\(call.name) \(call.arguments)")
            case .fellBack(let next, let fault):
                troubles.append("\(fault.code), now \(next?.source ?? "nobody")")
            case .finished(let usage): self.usage = usage
            case .failed(let fault): self.fault = fault
            }
        }
    }
    func tokens(_ unit: Usage.Unit) -> Int64 { usage.first { $0.unit == unit }?.quantity ?? 0 }
}

@Suite(.timeLimit(.minutes(2))) struct ModelSuite {
    private func with(
        _ vendor: ModelVendor, key: String = ModelRig.key, limits: ModelLimits = .init(),
        _ change: (inout ModelSettings) -> Void = { _ in }, _ body: (ModelRig) async throws -> Void
    ) async throws {
        let http = HTTPClient(addresses: .anyAddress, logger: Logger(label: "suite"))
        let rig = try await ModelRig.start(vendor, key: key, limits: limits, http: http, change)
        let result: Result<Void, any Error>
        do { result = .success(try await body(rig)) } catch { result = .failure(error) }
        await http.close()
        await rig.stop()
        try result.get()
    }

    private static func quick(firstToken: Int = 10_000, stall: Int = 10_000) -> ModelLimits {
        var limits = ModelLimits()
        limits.firstToken = .milliseconds(firstToken)
        limits.stall = .milliseconds(stall)
        return limits
    }

    @Test(arguments: ModelVendor.allCases)
    func aReplyComesWordByWordWithItsCost(vendor: ModelVendor) async throws {
        try await with(vendor) { rig in
            let events = try await rig.reply()
            let reply = ReplySummary(events)
            #expect(reply.text == "Grüße aus Köln, bis Tuesday" && reply.fault == nil)
            #expect(reply.began == 1)
            if case .began = events.first {} else { Issue.record("the first token is not told first") }
            #expect(events.count == 7)
            #expect(reply.tokens(.outputTokens) == 5 && reply.tokens(.inputTokens) > 0)
            #expect(reply.usage.allSatisfy { $0.source == "\(vendor.rawValue)/m-1" })
        }
    }

    @Test(arguments: ModelVendor.allCases)
    func parallelToolCallsAreAssembledFromTheirPieces(vendor: ModelVendor) async throws {
        let calls = [
            ChatScript.ToolCall(name: "book", arguments: ["day": "tuesday", "n": 2]),
            ChatScript.ToolCall(name: "hours", arguments: [:]),
            ChatScript.ToolCall(name: "book", arguments: ["day": "mittwoch"]),
        ]
        let script = ChatScript([], otherwise: ChatScript.Reply("One moment.", toolCalls: calls))
        try await with(vendor, { $0.script = script }) { rig in
            let reply = try await rig.summary()
            #expect(reply.text == "One moment." && reply.fault == nil)
            #expect(
                reply.calls == [
                    #"book {"day":"tuesday","n":2}"#, "hours {}", #"book {"day":"mittwoch"}"#,
                ])
        }
    }

    @Test(arguments: ModelVendor.allCases)
    func aConversationWithToolsIsOneTheVendorAccepts(vendor: ModelVendor) async throws {
        try await with(vendor) { rig in
            var request = ModelRig.request()
            let call = ChatToolCall(id: "call/1.x", name: "book", arguments: #"{"n":1}"#)
            let other = ChatToolCall(id: "call/2.x", name: "hours", arguments: "{}")
            request.messages = [
                .system("Be brief."), .assistant("Hello, this is the desk."), .user("Book"), .user("please"),
                .toolCalls([call, other], text: ""), .toolResult(id: "call/1.x", content: "{}"),
                .toolResult(id: "call/2.x", content: "{}"), .system("The caller cut in."), .user("wait"),
                .assistant(""), .assistant("Yes?"),
            ]
            request.turn = 3
            let reply = try await rig.summary(to: request)
            #expect(reply.fault == nil)
        }
    }

    @Test(arguments: ModelVendor.allCases)
    func theStartOfAConversationIsReadFromTheVendorsCache(vendor: ModelVendor) async throws {
        try await with(vendor) { rig in
            var request = ModelRig.request()
            request.messages += [.assistant("Which day?"), .user("tuesday"), .assistant("Which hour?")]
            request.messages.append(.user("nine"))
            let reply = try await rig.summary(to: request)
            #expect(reply.tokens(.cachedTokens) > 0)
            if vendor == .anthropic { #expect(reply.tokens(.cacheWriteTokens) > 0) }
            let first = rig.requests().last
            request.messages += [.assistant("Done."), .user("thanks")]
            _ = try await rig.reply(to: request)
            #expect(first?["system"] == rig.requests().last?["system"])
            #expect(first?["tools"] == rig.requests().last?["tools"])
        }
    }

    @Test(arguments: ModelVendor.allCases)
    func aStrictToolIsAskedForInTheVendorsWay(vendor: ModelVendor) async throws {
        try await with(vendor) { rig in
            var request = ModelRig.request()
            let schema: JSON = ["type": "object", "additionalProperties": false]
            request.tools[0] = ChatTool(
                name: "book", description: "Books.", parameters: schema, isStrict: true)
            try await rig.expectsNoFault(request)
            let tools = rig.requests().last?["tools"]?.array?.map { $0["function"] ?? $0 }
            #expect(tools?.map { $0["strict"] } == [true, nil])
            #expect((tools?.first?["parameters"] ?? tools?.first?["input_schema"]) == schema)
        }
    }

    @Test(arguments: [
        (ModelVendor.openai, ReasoningEffort.none, RequestMember.effort, JSON.string("none")),
        (.openai, .high, .effort, "high"),
        (.anthropic, .minimal, .thinking, JSON.object(["type": "disabled"])),
        (.anthropic, .low, .outputConfig, JSON.object(["effort": "low"])),
    ])
    func howMuchToThinkIsSaidInTheVendorsWay(
        vendor: ModelVendor, effort: ReasoningEffort, member: RequestMember, value: JSON
    ) async throws {
        try await with(vendor) { rig in
            var request = ModelRig.request()
            try await rig.expectsNoFault(request)
            #expect(rig.requests().last?[member.rawValue] == nil)
            request.effort = effort
            try await rig.expectsNoFault(request)
            #expect(rig.requests().last?[member.rawValue] == value)
        }
    }

    @Test(arguments: ModelVendor.allCases)
    func whatAServerDoesNotTakeIsLeftOutFromThenOn(vendor: ModelVendor) async throws {
        let members: Set<RequestMember> =
            vendor == .openai
            ? [.streamOptions, .temperature, .effort, .strict] : [.outputConfig, .strict]
        // One at a time, as servers tell it; the fourth is more than one request is written again for.
        let refused = Set(members.map(\.rawValue))
        try await with(vendor, { $0.refusedMembers = refused }) { rig in
            var request = ModelRig.request()
            request.temperature = 0.5
            request.effort = .low
            request.tools[0].isStrict = true
            let first = try await rig.summary(to: request)
            #expect(first.fault?.code == (vendor == .openai ? "llm.bad_request" : nil))
            request.temperature = nil
            try await rig.expectsNoFault(request)
            let asked = rig.requests().count
            let again = try await rig.summary(to: request)
            #expect(again.fault == nil && again.text == "Grüße aus Köln, bis Tuesday")
            #expect(rig.requests().count == asked + 1, "it is known")
            // Of another model nothing is known.
            request.model = "m-2"
            try await rig.expectsNoFault(request)
            #expect(rig.requests().count > asked + 2)
        }
    }

    @Test func aRefusalThatNamesNothingThatWasSentIsNotAskedAgain() async throws {
        try await with(.openai) { rig in
            rig.fail([.status(400), .status(400)])
            let reply = try await rig.summary()
            #expect(reply.fault?.code == "llm.bad_request")
            #expect(rig.requests().count == 1)
        }
    }

    @Test(arguments: ModelVendor.allCases)
    func aDateToAskAgainAtIsRead(vendor: ModelVendor) async throws {
        try await with(vendor, { $0.retriesAtDate = true }) { rig in
            rig.fail([.rateLimited(retryAfterSeconds: 9)])
            guard case .after(let pause)? = try await rig.summary().fault?.retry else {
                Issue.record("no pause")
                return
            }
            #expect(pause > .seconds(7) && pause <= .seconds(10), "\(pause)")
        }
    }

    @Test func whatWasThoughtIsBilledWhereverTheVendorCountsIt() async throws {
        try await with(.openai, { $0.thoughtTokens = 40 }) { rig in
            let reply = try await rig.summary()
            #expect(reply.tokens(.outputTokens) == 45)
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var vendor: ModelVendor
        var fault: ChatScript.Fault
        var code: String
        /// Repeating is safe and may help.
        var isRepeatable: Bool
        var testDescription: String { "\(vendor.rawValue) \(fault)" }
    }
    static let faults: [(ChatScript.Fault, String, Bool)] = [
        (.unauthorized, "llm.unauthorized", false), (.status(402), "llm.quota", false),
        (.status(403), "llm.forbidden", false), (.insufficientQuota, "llm.quota", false),
        (.status(404), "llm.not_found", false), (.status(400), "llm.bad_request", false),
        (.status(413), "llm.too_long", false), (.rateLimited(retryAfterSeconds: 3), "llm.rate_limited", true),
        (.serverError, "llm.unavailable", true), (.status(503), "llm.unavailable", true),
        (.status(504), "llm.unavailable", true), (.silence, "llm.first_token_timeout", true),
        (.late(.seconds(30)), "llm.first_token_timeout", true), (.cut(afterTokens: 2), "llm.transport", true),
        (.cutInFrame(afterTokens: 2), "llm.transport", true),
        (.malformed(afterTokens: 1), "llm.garbled", true),
        (.errorEvent(afterTokens: 1), "llm.stream_failed", true), (.endless, "llm.endless", false),
        (.trickle, "llm.stalled", true), (.badToolArguments, "llm.bad_tool_call", true),
        (.unknownTool, "llm.unknown_tool", true), (.refusal, "llm.refused", false),
    ]
    static let cases = ModelVendor.allCases.flatMap { vendor in
        faults.map { Case(vendor: vendor, fault: $0.0, code: $0.1, isRepeatable: $0.2) }
    }

    @Test(arguments: cases)
    func whatGoesWrongIsTypedAndSaysIfRepeatingHelps(_ test: Case) async throws {
        try await with(test.vendor, limits: Self.quick(firstToken: 400, stall: 400)) { rig in
            rig.fail([test.fault])
            let reply = try await rig.summary()
            #expect(reply.fault?.code == test.code)
            #expect((reply.fault?.retry != .never) == test.isRepeatable)
            #expect(reply.fault?.retry != .unsafe)
            if case .rateLimited = test.fault { #expect(reply.fault?.retry == .after(.seconds(3))) }
            // The next request is none the worse for it.
            #expect(try await rig.summary().fault == nil)
        }
    }

    @Test(arguments: ModelVendor.allCases)
    func aWrongKeyIsTold(vendor: ModelVendor) async throws {
        try await with(vendor, key: "sk-other") { rig in
            let reply = try await rig.summary()
            #expect(reply.fault?.code == "llm.unauthorized")
        }
    }

    @Test(arguments: ModelVendor.allCases, [ChatScript.Fault.bytewise, .unknownEvents])
    func howBytesAreSplitAndWhatIsUnknownDoesNotMatter(vendor: ModelVendor, fault: ChatScript.Fault)
        async throws
    {
        try await with(vendor) { rig in
            rig.fail([fault])
            let reply = try await rig.summary()
            #expect(reply.text == "Grüße aus Köln, bis Tuesday" && reply.fault == nil)
        }
    }

    @Test(arguments: ModelVendor.allCases)
    func aCancelledReplyIsSilentAndHasItsCost(vendor: ModelVendor) async throws {
        try await with(vendor) { rig in
            rig.fail([.trickle])
            let recorder = Recorder<ChatEvent>()
            let stream = try await on(ModelRig.loop) {
                NIOLoopBound(
                    rig.model.reply(to: ModelRig.request(), on: ModelRig.loop) { recorder.record($0) },
                    eventLoop: ModelRig.loop)
            }
            _ = await recorder.first { if case .text(" aus") = $0 { true } else { nil } }
            let (used, told) = try await on(ModelRig.loop) {
                stream.value.cancel()
                return (stream.value.usageSoFar, recorder.all.count)
            }
            #expect(used.contains { $0.unit == .outputTokens && $0.quantity > 0 })
            #expect(used.contains { $0.unit == .inputTokens || $0.unit == .cachedTokens })
            // Whatever came after was not told.
            _ = try await rig.reply()
            #expect(recorder.all.count == told)
        }
    }
}
