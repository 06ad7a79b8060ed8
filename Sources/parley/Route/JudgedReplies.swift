import ArgumentParser
import Base
import Foundation
import HTTPClient
import Logging
import NIOCore
import NIOPosix
import Routing
import Speech

/// What the cheap and the strong model answer to the requests of a stored call, and which answer a third one prefers.
///
/// The cheap one is asked as a probe where the agent allows probes. Each request costs two of the agent's models and two of
/// the judge's.
struct JudgedReplies {
    static let limitMax = 1000

    private let routes: JournalRoutes
    private let judge: ModelChoice
    private let http: HTTPClient
    private let models: [ModelChoice: any LanguageModel]
    private let loop = MultiThreadedEventLoopGroup.singleton.any()

    /// - Throws: `ValidationError` where there is no account at a vendor.
    init(_ routes: JournalRoutes, judge: ModelChoice) throws {
        self.routes = routes
        self.judge = judge
        let http = HTTPClient(
            addresses: .anyAddress, logger: LogSetup.bootstrap(verbose: false, level: .error))
        self.http = http
        let all = Set([routes.choices.cheap, routes.choices.strong, judge])
        models = try Dictionary(uniqueKeysWithValues: all.map { ($0, try Self.model($0, http)) })
    }

    private static func model(_ choice: ModelChoice, _ http: HTTPClient) throws -> any LanguageModel {
        guard let account = ModelAccount(vendor: choice.account.vendor) else {
            throw ValidationError(ModelAccount.isNeeded(for: choice))
        }
        let endpoint = ModelEndpoint(
            vendor: choice.vendor, key: account.key, baseURL: account.baseURL, http: http)
        return choice.account.vendor == "anthropic" ? AnthropicModel(endpoint) : OpenAIChatModel(endpoint)
    }

    enum Verdict: Hashable {
        case compared(ReplyComparison.Verdict)
        /// The cheap model left the turn to the strong one, at once or after words: it is not held against it.
        case handedOver
        case unjudged
    }

    /// How one request was judged.
    struct Row {
        var verdict: Verdict
        var cheap = ""
        var strong = ""
        /// Why it was not judged.
        var problem: String?
    }

    /// Rows are told as they come, with how many there are in all.
    func run(limit: Int, tell: (JournalRoutes.Decided, Row, Int) -> Void) async throws -> [Row] {
        let asked = routes.decided().prefix(limit)
        var rows: [Row] = []
        for decided in asked {
            let row = await judged(decided.chat)
            rows.append(row)
            tell(decided, row, asked.count)
        }
        await http.close()
        let problems = rows.compactMap(\.problem)
        if let problem = problems.first, problems.count == rows.count {
            throw DemoFailure("no reply could be judged: \(problem)")
        }
        return rows
    }

    private func judged(_ request: ChatRequest) async -> Row {
        var cheapest = request
        let isProbe = routes.router.policy.allowsProbe
        if isProbe { cheapest.tools = [HandOver.tool(for: request.tools)] }
        do {
            let cheap = try await reply(of: routes.choices.cheap, to: cheapest)
            // Whatever a probe calls, it has nothing but the hand-over.
            guard !isProbe || !cheap.callsTool && !HandOver.isWritten(in: cheap.text) else {
                return Row(verdict: .handedOver, cheap: cheap.text)
            }
            let strong = try await reply(of: routes.choices.strong, to: request)
            let comparison = ReplyComparison(
                dialogue: Self.text(request), cheap: cheap.text, strong: strong.text)
            let first = try await answer(comparison.question(cheapFirst: true))
            let second = try await answer(comparison.question(cheapFirst: false))
            let verdict = ReplyComparison.verdict(cheapFirst: first, strongFirst: second)
            return Row(verdict: .compared(verdict), cheap: cheap.text, strong: strong.text)
        } catch {
            return Row(verdict: .unjudged, problem: (error as? Fault)?.code ?? "\(error)")
        }
    }

    /// - Throws: `Fault` where the judge says none of what was asked for.
    private func answer(_ question: String) async throws -> ReplyComparison.Answer {
        let request = ChatRequest(
            model: judge.model, messages: [.system(ReplyComparison.instructions), .user(question)], tools: [],
            temperature: nil, maxTokens: Self.answerTokensMax)
        let text = try await reply(of: judge, to: request).text
        guard let answer = ReplyComparison.Answer(text) else {
            throw Fault(code: "judge.unreadable", retry: .never, cause: "neither A, B nor SAME")
        }
        return answer
    }

    /// A judge may think before its word.
    private static let answerTokensMax = 1000

    private struct Reply {
        var text = ""
        var callsTool = false
    }

    private func reply(of choice: ModelChoice, to request: ChatRequest) async throws -> Reply {
        guard let model = models[choice] else { return Reply() }
        var request = request
        request.model = choice.model
        let (events, continuation) = AsyncStream.makeStream(of: ChatEvent.self)
        let held = HeldStream()
        loop.execute { [loop, request] in
            held.stream = model.reply(to: request, on: loop) { continuation.yield($0) }
        }
        var reply = Reply()
        for await event in events {
            switch event {
            case .began, .fellBack: break
            case .text(let text): reply.text += text
            case .toolCall(let call):
                reply.callsTool = true
                reply.text += (reply.text.isEmpty ? "" : "\n") + Self.text(call)
            case .finished: return reply
            case .failed(let fault): throw fault
            }
        }
        return reply
    }

    private static func text(_ call: ChatToolCall) -> String { "(calls \(call.name) with \(call.arguments))" }

    private static func text(_ request: ChatRequest) -> String {
        (request.dialogue ?? request.messages).map { message in
            switch message {
            case .system(let text): "INSTRUCTIONS: \(text)"
            case .user(let text): "CALLER: \(text)"
            case .assistant(let text): "AGENT: \(text)"
            case .toolCalls(let calls, let text):
                "AGENT: \(text)" + calls.map { " " + Self.text($0) }.joined()
            case .toolResult(_, let content): "TOOL: \(content)"
            }
        }.joined(separator: "\n")
    }
}
