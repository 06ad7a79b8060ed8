import Base

/// The chunks of an OpenAI-compatible stream.
struct ChatAssembly: ReplyAssembly {
    private(set) var isFinished = false
    private(set) var hasBegun = false
    private(set) var bytesOut = 0
    private var calls: ToolCallAssembly
    private var reasoning = ReasoningMarks()
    /// The server's usage object.
    private var tokens = JSON.null
    /// Of the request, to estimate its tokens from when the vendor does not tell.
    private let bytesIn: Int
    private var hasText = false

    init(_ request: ChatRequest) {
        bytesIn = TokenEstimate.bytes(of: request)
        calls = ToolCallAssembly(offered: Set(request.tools.map(\.name)))
    }

    mutating func add(_ data: [UInt8]) -> [ReplyPart] {
        if data.elementsEqual("[DONE]".utf8) { return [.end] }
        guard let chunk = JSON(data), chunk.object != nil else { return [.failed(ModelFaults.garbled)] }
        if let problem = ChatWire.problem(chunk) { return [.failed(ModelFaults.stream(problem))] }
        // Groq tells it in a member of its own.
        if let usage = chunk["usage"] ?? chunk["x_groq"]?["usage"], usage != .null { tokens = usage }
        guard let choice = chunk["choices"]?.array?.first, !isFinished else { return [] }
        var parts: [ReplyPart] = []
        for member in ["content", "refusal"] {
            guard let text = choice["delta"]?[member]?.string, !text.isEmpty else { continue }
            bytesOut += text.utf8.count
            tell(reasoning.push(text), &parts)
        }
        for fragment in choice["delta"]?["tool_calls"]?.array ?? [] {
            guard add(fragment) else { return [.failed(ModelFaults.garbled)] }
        }
        if let reason = choice["finish_reason"]?.string { finish(reason, &parts) }
        return parts
    }

    private mutating func add(_ fragment: JSON) -> Bool {
        let function = fragment["function"]
        var arguments = function?["arguments"]?.string
        // Some servers send the object itself.
        if let whole = function?["arguments"], whole.object != nil { arguments = whole.text }
        bytesOut += arguments?.utf8.count ?? 0
        hasBegun = true
        return calls.add(
            index: fragment["index"]?.int.map { Int(clamping: $0) }, id: fragment["id"]?.string,
            name: function?["name"]?.string, arguments: arguments)
    }

    private mutating func tell(_ text: String, _ parts: inout [ReplyPart]) {
        guard !text.isEmpty else { return }
        hasBegun = true
        hasText = true
        parts.append(.text(text))
    }

    private mutating func finish(_ reason: String, _ parts: inout [ReplyPart]) {
        tell(reasoning.finish(), &parts)
        parts += calls.finished()
        isFinished = true
        // What was said before the filter struck has been heard; without a word there is no reply.
        if reason == "content_filter", !hasText, calls.isEmpty { parts.append(.failed(ModelFaults.refused)) }
    }

    var hasCalls: Bool { !calls.isEmpty }

    /// Of the cache: what was there, and what was put there.
    private var cache: (read: Int64, written: Int64) {
        let details = tokens["prompt_tokens_details"]
        return (details?["cached_tokens"]?.tokens ?? 0, details?["cache_write_tokens"]?.tokens ?? 0)
    }

    var toldPrompt: PromptEstimate.Told? {
        guard let prompt = tokens["prompt_tokens"]?.tokens else { return nil }
        return .init(bytes: bytesIn, tokens: prompt, cached: cache.read + cache.written)
    }

    func usage(source: String, estimating estimate: PromptEstimate) -> [Usage] {
        // The prompt's tokens include those of the cache.
        let (input, cached, written) =
            toldPrompt.map { (max(0, $0.tokens - $0.cached), cache.read, cache.written) }
            ?? estimate.prompt(bytesIn)
        return TokenEstimate.usage(
            source: source, input: input, cached: cached, written: written,
            output: output ?? TokenEstimate.tokens(bytesOut))
    }

    /// Some vendors (xAI) leave what a model thought out of `completion_tokens`: the total tells, as all of it is billed.
    private var output: Int64? {
        guard let answered = tokens["completion_tokens"]?.tokens else { return nil }
        guard let total = tokens["total_tokens"]?.tokens, let prompt = tokens["prompt_tokens"]?.tokens else {
            return answered
        }
        return max(answered, total - prompt)
    }

    static func problem(_ body: [UInt8]) -> String? { JSON(body).flatMap(ChatWire.problem) }
}

/// Takes a model's thinking out of its text: some servers send it inline, as `<think>…</think>` before the answer.
struct ReasoningMarks {
    private static let open = "<think>"
    private static let close = "</think>"

    private enum State { case start, thinking, answering }
    private var state = State.start
    private var held = ""

    /// What of the answer is known now.
    mutating func push(_ text: String) -> String {
        if state == .answering { return text }
        held += text
        if state == .start {
            let begun = held.drop(while: \.isWhitespace)
            if begun.hasPrefix(Self.open) {
                state = .thinking
            } else if Self.open.hasPrefix(begun) {
                return ""
            } else {
                state = .answering
                return take()
            }
        }
        guard let end = held.firstRange(of: Self.close) else {
            // The mark may be split: its length is kept, the thoughts are not.
            held = String(held.suffix(Self.open.count + Self.close.count))
            return ""
        }
        held = String(held[end.upperBound...].drop(while: \.isWhitespace))
        state = .answering
        return take()
    }

    /// What was held back for a mark that did not come.
    mutating func finish() -> String {
        defer { state = .answering }
        return state == .start ? take() : ""
    }

    private mutating func take() -> String {
        defer { held = "" }
        return held
    }
}
