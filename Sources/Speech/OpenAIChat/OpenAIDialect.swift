/// What a host of the chat completions API takes beyond the core: unknown members are answered with 400 by some.
struct OpenAIDialect: Hashable, Sendable {
    /// OpenAI's newer models refuse `max_tokens`; most compatible servers know nothing else.
    var limitName = "max_tokens"
    var takesCacheKey = false

    init(baseURL: String) {
        let host = baseURL.split(separator: "/", omittingEmptySubsequences: true).dropFirst().first ?? ""
        if host == "api.openai.com" || host.hasSuffix(".api.openai.com") {
            limitName = "max_completion_tokens"
            takesCacheKey = true
        } else if host == "api.cerebras.ai" {
            limitName = "max_completion_tokens"
            takesCacheKey = true
        }
    }
}
