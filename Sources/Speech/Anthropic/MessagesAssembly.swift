import Base

/// The events of a Messages stream. Unknown events, blocks and deltas (thinking, citations) are passed over.
struct MessagesAssembly: ReplyAssembly {
    private(set) var isFinished = false
    private(set) var hasBegun = false
    private(set) var bytesOut = 0
    private var calls: ToolCallAssembly
    /// Of the request, to estimate its tokens from when the vendor does not tell.
    private let bytesIn: Int
    private var hasText = false
    /// The newest figure of each kind: those of a stream are cumulative.
    private var figures: [String: Int64] = [:]

    init(_ request: ChatRequest) {
        bytesIn = TokenEstimate.bytes(of: request)
        calls = ToolCallAssembly(offered: Set(request.tools.map(\.name)))
    }

    mutating func add(_ data: [UInt8]) -> [ReplyPart] {
        guard let event = JSON(data), let type = event["type"]?.string else {
            return [.failed(ModelFaults.garbled)]
        }
        switch type {
        case "message_start": count(event["message"]?["usage"])
        case "content_block_start": return begin(event["content_block"], at: event["index"]?.int)
        case "content_block_delta": return go(on: event["delta"], at: event["index"]?.int)
        case "message_delta":
            count(event["usage"])
            if let reason = event["delta"]?["stop_reason"]?.string { return finish(reason) }
        case "message_stop": return [.end]
        case "error":
            return [.failed(ModelFaults.stream(event["error"]?["type"]?.string ?? "error"))]
        default: break  // `ping`, and whatever may come.
        }
        return []
    }

    private mutating func begin(_ block: JSON?, at index: Int64?) -> [ReplyPart] {
        switch block?["type"]?.string {
        case "text": return tell(block?["text"]?.string ?? "")
        case "tool_use":
            hasBegun = true
            // An input that is there at once: not sent by the vendor itself, but by servers that imitate it.
            let whole = block?["input"].flatMap { $0.object?.isEmpty == false ? $0.text : nil }
            return add(to: index, id: block?["id"]?.string, name: block?["name"]?.string, whole)
        default: return []
        }
    }

    private mutating func go(on delta: JSON?, at index: Int64?) -> [ReplyPart] {
        switch delta?["type"]?.string {
        case "text_delta": tell(delta?["text"]?.string ?? "")
        case "input_json_delta":
            add(to: index, id: nil, name: nil, delta?["partial_json"]?.string)
        default: []
        }
    }

    private mutating func add(to index: Int64?, id: String?, name: String?, _ arguments: String?)
        -> [ReplyPart]
    {
        bytesOut += arguments?.utf8.count ?? 0
        let isTaken = calls.add(
            index: index.map { Int(clamping: $0) }, id: id, name: name, arguments: arguments)
        return isTaken ? [] : [.failed(ModelFaults.garbled)]
    }

    private mutating func tell(_ text: String) -> [ReplyPart] {
        guard !text.isEmpty else { return [] }
        hasBegun = true
        hasText = true
        bytesOut += text.utf8.count
        return [.text(text)]
    }

    private mutating func finish(_ reason: String) -> [ReplyPart] {
        guard !isFinished else { return [] }
        isFinished = true
        // What was said before has been heard; without a word or a call there is no reply.
        if !hasText, calls.isEmpty {
            if reason == "refusal" { return [.failed(ModelFaults.refused)] }
            if reason == "model_context_window_exceeded" { return [.failed(ModelFaults.tooLong)] }
        }
        return calls.finished()
    }

    private mutating func count(_ usage: JSON?) {
        for (name, value) in usage?.object ?? [:] {
            if let number = value.tokens { figures[name] = number }
        }
    }

    var hasCalls: Bool { !calls.isEmpty }

    /// Of the cache: what was there, and what was put there.
    private var cache: (read: Int64, written: Int64) {
        (figures["cache_read_input_tokens"] ?? 0, figures["cache_creation_input_tokens"] ?? 0)
    }

    var toldPrompt: PromptEstimate.Told? {
        guard let input = figures["input_tokens"] else { return nil }
        let cached = cache.read + cache.written
        return .init(bytes: bytesIn, tokens: input + cached, cached: cached)
    }

    func usage(source: String, estimating estimate: PromptEstimate) -> [Usage] {
        // Before the end the vendor's own figure of what was put out is that of the first token.
        let estimated = TokenEstimate.tokens(bytesOut)
        let told = figures["output_tokens"]
        let (input, cached, written) =
            figures["input_tokens"].map { ($0, cache.read, cache.written) } ?? estimate.prompt(bytesIn)
        return TokenEstimate.usage(
            source: source, input: input, cached: cached, written: written,
            output: isFinished ? told ?? estimated : max(estimated, told ?? 0))
    }

    static func problem(_ body: [UInt8]) -> String? { JSON(body)?["error"]?["type"]?.string }
}
