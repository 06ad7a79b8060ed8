import Base
import Synchronization

/// Tokens where a vendor does not tell: four letters each, rounded up; right to about a third for English.
enum TokenEstimate {
    static func tokens(_ bytes: Int) -> Int64 { Int64((bytes + 3) / 4) }

    /// Messages and tools.
    static func bytes(of request: ChatRequest) -> Int {
        let messages = request.messages.reduce(0) { sum, message in
            switch message {
            case .system(let text), .user(let text), .assistant(let text), .toolResult(_, let text):
                sum + text.utf8.count
            case .toolCalls(let calls, let text):
                sum + text.utf8.count + calls.reduce(0) { $0 + $1.name.utf8.count + $1.arguments.utf8.count }
            }
        }
        return request.tools.reduce(messages) {
            $0 + $1.name.utf8.count + $1.description.utf8.count + $1.parameters.text.utf8.count
        }
    }

    /// The parts of a bill that are not zero.
    static func usage(
        source: String, input: Int64, cached: Int64, written: Int64, output: Int64
    ) -> [Usage] {
        let parts: [(Usage.Unit, Int64)] = [
            (.inputTokens, input), (.cachedTokens, cached), (.cacheWriteTokens, written),
            (.outputTokens, output),
        ]
        return parts.filter { $0.1 > 0 }.map {
            Usage(component: .llm, source: source, unit: $0.0, quantity: $0.1)
        }
    }
}

/// What the prompt of a request that was called off costs, whose vendor tells only at the end: by what it told of the
/// call's last whole request. Pure.
struct PromptEstimate: Hashable, Sendable {
    /// A vendor's figures of one prompt: all its tokens, and those that its cache had or took.
    struct Told: Hashable, Sendable {
        var bytes: Int
        var tokens: Int64
        var cached: Int64
    }

    /// nil: nothing was told yet, and four letters are a token.
    var last: Told?

    /// Tokens of `bytes`, those of the cache apart: it has what it had then, as conversations only grow.
    func prompt(_ bytes: Int) -> (input: Int64, cached: Int64, written: Int64) {
        guard let last, last.bytes > 0, last.tokens > 0 else { return (TokenEstimate.tokens(bytes), 0, 0) }
        let perByte = Double(last.tokens) / Double(last.bytes)
        let tokens = Int64(min((Double(bytes) * perByte).rounded(.up), Double(TokenPrice.tokensMax)))
        let cached = min(tokens, last.cached)
        return (tokens - cached, cached, 0)
    }
}

/// What the vendors of one call told of its prompts, by source.
final class PromptsTold: Sendable {
    private let told = Mutex<[String: PromptEstimate.Told]>([:])

    func note(_ prompt: PromptEstimate.Told, of source: String) {
        told.withLock { $0[source] = prompt }
    }

    func last(_ source: String) -> PromptEstimate { PromptEstimate(last: told.withLock { $0[source] }) }
}
