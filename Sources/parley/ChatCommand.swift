import Agents
import ArgumentParser
import Base
import Conversation
import Foundation
import HTTPClient
import Logging
import MediaWorker
import NIOCore
import NIOPosix
import Speech
import Store
import WebSockets

/// Talks to an agent in text: the same conversation as on a call, without ear, voice and line.
struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Talk to an agent in text.",
        discussion: """
            AGENT is a file with an agent's JSON (as in docs/examples) or an agent's id, which needs --url and --key.
            Type what the caller says; `#123` presses keys; an empty line is silence; end of input hangs up.
            A prompt agent asks the model that it names, and its fallbacks, at the accounts of OPENAI_API_KEY, \
            ANTHROPIC_API_KEY and COMPATIBLE_API_KEY, with …_BASE_URL for any other endpoint. It is not routed to a cheaper \
            model.
            """)

    @Argument(help: "A JSON file or an agent's id.") var agent: String
    @OptionGroup var remote: RemoteOptions
    @Option(help: "Variables of the call, name=value.") var variable: [String] = []
    @Option(help: "Private networks that tools may reach, CIDRs by comma.") var allowPrivate = ""

    func run() async throws {
        let logger = LogSetup.bootstrap(verbose: false, level: .error)
        let definition = try await definition(logger)
        let problems = definition.problems()
        guard problems.isEmpty else {
            throw ValidationError(
                "the agent cannot be published:\n"
                    + problems.map { "  \($0.path): \($0.message)" }.joined(separator: "\n"))
        }
        let outside = HTTPClient(
            addresses: try .publicOnly(allowing: allowPrivate.split(separator: ",").map(String.init)),
            logger: logger)
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        var partner = ChatPartner(
            chat: Chat(definition: definition, variables: try variables(), call: "chat"),
            definition: definition,
            model: try model(for: definition, logger), http: outside, loop: loop)
        try await partner.start()
        while !partner.hasEnded {
            print("> ", terminator: "")
            guard let line = readLine() else {
                try await partner.hangUp()
                break
            }
            try await partner.say(line)
        }
        await outside.close()
    }

    private func definition(_ logger: Logger) async throws -> AgentDefinition {
        let data: Data
        if FileManager.default.fileExists(atPath: agent) {
            data = try GivenFile.read(agent)
        } else if ID<Agent>(agent) != nil {
            let http = HTTPClient(addresses: .anyAddress, logger: logger)
            data = Data(try await remote.api(http).bytes("/v1/agents/\(agent)"))
            await http.close()
        } else {
            throw ValidationError("\(agent) is neither a file nor an agent's id")
        }
        struct Body: Decodable { var definition: AgentDefinition }
        if let body = try? JSONDecoder().decode(Body.self, from: data) { return body.definition }
        do {
            // A file may hold the bare definition; its error is the one worth reading.
            let members = try JSONDecoder().decode([String: JSON].self, from: data)
            if members["definition"] != nil {
                return try JSONDecoder().decode(Body.self, from: data).definition
            }
            return try JSONDecoder().decode(AgentDefinition.self, from: data)
        } catch let error as DecodingError {
            let place = error.path.isEmpty ? "" : error.path + ": "
            throw ValidationError("\(agent) is not an agent: \(place)\(error.reason)")
        }
    }

    private func variables() throws -> [String: String] {
        try variable.reduce(into: [:]) { result, text in
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw ValidationError("--variable takes name=value") }
            result[parts[0]] = parts[1]
        }
    }

    /// The prompt's own model with its fallbacks, as far as there are accounts; what is left out is said.
    private func model(for definition: AgentDefinition, _ logger: Logger) throws -> (any LanguageModel)? {
        guard let prompt = definition.prompt else { return nil }
        var accounts: [SpeechRegistry.ModelAccount] = []
        var leftOut: [String] = []
        for choice in prompt.choices {
            if let account = ModelAccount(vendor: choice.vendor) {
                accounts.append(.init(choice: choice, key: account.key, baseURL: account.baseURL))
            } else {
                leftOut.append("\(choice.source) (no \(ModelAccount.keyName(choice.vendor)))")
            }
        }
        guard !accounts.isEmpty else { throw ValidationError(ModelAccount.isNeeded(for: prompt.choices[0])) }
        if let cheap = prompt.routing?.cheap { leftOut.append("routing to \(cheap.source)") }
        if !leftOut.isEmpty { print("  [left out here: \(leftOut.joined(separator: ", "))]") }
        let registry = SpeechRegistry(
            recognizers: [:], synthesizers: [:], http: HTTPClient(addresses: .anyAddress, logger: logger),
            reach: .anywhere)
        return registry.languageModel(accounts, tenant: .new(), cacheKey: "chat")
    }
}

/// Performs what a `Chat` leaves to be done: shows lines, asks the model, runs tools.
struct ChatPartner {
    var chat: Chat
    let definition: AgentDefinition
    let model: (any LanguageModel)?
    let http: HTTPClient
    let loop: any EventLoop
    private var requests = ChatRequests()
    private(set) var hasEnded = false

    init(
        chat: Chat, definition: AgentDefinition, model: (any LanguageModel)?, http: HTTPClient,
        loop: any EventLoop
    ) {
        self.chat = chat
        self.definition = definition
        self.model = model
        self.http = http
        self.loop = loop
    }

    mutating func start() async throws { try await perform(chat.start()) }
    mutating func say(_ line: String) async throws {
        try await perform(line.isEmpty ? chat.saySilence() : chat.say(line))
    }
    mutating func hangUp() async throws { try await perform(chat.hangUp()) }

    private mutating func perform(_ effects: [Chat.Effect]) async throws {
        var queue = effects
        while !queue.isEmpty {
            switch queue.removeFirst() {
            case .said(let text): print("  \(text)")
            case .record(.tool(let tool)):
                print("  [\(tool.name) \(tool.succeeded ? "succeeded" : "failed")]")
            case .record, .cancelReply: break
            case .ended(let reason):
                print("  [ended: \(reason.rawValue)]")
                hasEnded = true
            case .callTool(let call): queue += await run(call)
            case .startReply(let id, let request): queue += await ask(id, request)
            }
        }
    }

    private mutating func run(_ call: Dialogue.ToolCall) async -> [Chat.Effect] {
        guard let tool = definition.tools.first(where: { $0.name == call.name }) else {
            return chat.handle(.toolFailed(key: call.key, code: "tool.unknown"))
        }
        print("  [\(call.name) \(call.arguments.text)]")
        return switch await ToolRequest.run(call, of: tool, over: http) {
        case .finished(let result): chat.handle(.toolFinished(key: call.key, result: result))
        case .failed(let code): chat.handle(.toolFailed(key: call.key, code: code))
        }
    }

    private mutating func ask(_ id: Dialogue.ReplyID, _ request: Dialogue.ModelRequest) async -> [Chat.Effect]
    {
        guard let model else { return chat.handle(.replyFailed(id, code: "llm.not_configured")) }
        let (events, continuation) = AsyncStream.makeStream(of: ChatEvent.self)
        let loop = loop
        let chatRequest = requests.next(request)
        let held = HeldStream()
        loop.execute {
            let stream = model.reply(to: chatRequest, on: loop) { event in
                continuation.yield(event)
                switch event {
                case .finished, .failed: continuation.finish()
                case .began, .text, .toolCall, .fellBack: break
                }
            }
            held.stream = stream
        }
        var effects: [Chat.Effect] = []
        for await event in events {
            switch event {
            case .began: break
            case .text(let text): effects += chat.handle(.replyText(id, text))
            case .toolCall(let call):
                effects += chat.handle(
                    .replyToolCall(id, id: call.id, name: call.name, arguments: call.arguments))
            case .fellBack(let next, let fault):
                print("  [model failed: \(fault.code), now \(next?.source ?? "nobody")]")
            case .finished(let usage): effects += chat.handle(.replyFinished(id, usage))
            case .failed(let fault):
                print("  [model failed: \(fault)]")
                effects += chat.handle(.replyFailed(id, code: fault.code))
            }
        }
        withExtendedLifetime(held) {}
        return effects
    }
}

/// Keeps a model's stream alive until its last event; set once, on the loop.
final class HeldStream: @unchecked Sendable {
    var stream: (any ChatStream)?
}
