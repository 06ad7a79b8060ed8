import Base

/// Puts a streamed reply together: text as it comes, tool calls once they are whole, tokens at the end.
struct ChatAssembly {
    enum Output {
        case text(String)
        case toolCall(ChatToolCall)
        case failed(Fault)
    }

    /// A reply has a few tool calls; a server that never stops is cut.
    static let toolCallsMax = 32

    private struct Open {
        var index: Int
        var call: ChatToolCall
    }
    private var open: Open?
    private var toolCalls = 0
    private(set) var isFinished = false
    private(set) var hasOutput = false
    private var tokens: ChatWire.Chunk.Tokens?
    private var charactersIn: Int
    private var charactersOut = 0

    /// `charactersIn`: of the request, to estimate its tokens from when the server does not tell.
    init(charactersIn: Int) { self.charactersIn = charactersIn }

    mutating func add(_ chunk: ChatWire.Chunk) -> [Output] {
        if let problem = chunk.error { return [.failed(ChatFaults.stream(problem))] }
        if let usage = chunk.usage { tokens = usage }
        guard let choice = chunk.choices?.first else { return [] }
        var outputs: [Output] = []
        for text in [choice.delta?.content, choice.delta?.refusal] {
            guard let text, !text.isEmpty else { continue }
            charactersOut += text.utf8.count
            outputs.append(.text(text))
        }
        for fragment in choice.delta?.tool_calls ?? [] { add(fragment, to: &outputs) }
        if choice.finish_reason != nil {
            close(&outputs)
            isFinished = true
        }
        if !outputs.isEmpty || open != nil { hasOutput = true }
        return outputs
    }

    private mutating func add(_ fragment: ChatWire.Chunk.ToolFragment, to outputs: inout [Output]) {
        let index = fragment.index ?? open?.index ?? 0
        // Some servers send every call as index 0, whole, with an id of its own.
        let isNew = open.map { $0.index != index || (fragment.id ?? $0.call.id) != $0.call.id } ?? true
        if isNew {
            close(&outputs)
            toolCalls += 1
            guard toolCalls <= Self.toolCallsMax else {
                outputs.append(.failed(ChatFaults.garbled))
                return
            }
            let id = fragment.id.flatMap { $0.isEmpty ? nil : $0 } ?? "call_\(toolCalls)"
            open = Open(index: index, call: ChatToolCall(id: id, name: "", arguments: ""))
        }
        open?.call.name += fragment.function?.name ?? ""
        open?.call.arguments += fragment.function?.arguments ?? ""
        charactersOut += fragment.function?.arguments?.utf8.count ?? 0
    }

    private mutating func close(_ outputs: inout [Output]) {
        guard var call = open?.call else { return }
        open = nil
        if call.arguments.isEmpty { call.arguments = "{}" }
        outputs.append(.toolCall(call))
    }

    /// What the reply cost so far: as the server told, else estimated from the letters.
    func usage(source: String) -> [Usage] {
        let cached = max(0, tokens?.prompt_tokens_details?.cached_tokens ?? 0)
        let input = max(cached, tokens?.prompt_tokens ?? Self.estimate(charactersIn))
        let output = max(0, tokens?.completion_tokens ?? Self.estimate(charactersOut))
        let parts: [(Usage.Unit, Int64)] = [
            (.inputTokens, input - cached), (.cachedTokens, cached), (.outputTokens, output),
        ]
        return parts.filter { $0.1 > 0 }.map {
            Usage(component: .llm, source: source, unit: $0.0, quantity: $0.1)
        }
    }

    /// Four letters a token, rounded up: right to about a third for English.
    private static func estimate(_ characters: Int) -> Int64 { Int64((characters + 3) / 4) }
}
