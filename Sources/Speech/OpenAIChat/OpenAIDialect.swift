/// What a host of the chat completions API takes beyond the core. What else one refuses is learned from its answers
/// (`ModelAsking`).
struct OpenAIDialect: Hashable, Sendable {
    /// OpenAI's newer models refuse `max_tokens`; most compatible servers know nothing else.
    var limitName = Self.usualLimitName
    var takesCacheKey = false
    /// OpenAI's own models.
    var isOpenAI = false

    static let usualLimitName = "max_tokens"
    static let newLimitName = "max_completion_tokens"
    /// Families that do not reason, by how their names begin.
    private static let plainFamilies = ["gpt-4", "gpt-3", "chatgpt-"]

    init(baseURL: String) {
        let host = baseURL.split(separator: "/", omittingEmptySubsequences: true).dropFirst().first ?? ""
        isOpenAI = host == "api.openai.com" || host.hasSuffix(".api.openai.com")
        if isOpenAI || host == "api.cerebras.ai" {
            limitName = Self.newLimitName
            takesCacheKey = true
        }
    }

    /// OpenAI's reasoning models take a temperature only where they do not reason.
    func takesTemperature(_ model: String, reasons: Bool) -> Bool {
        let name = model.hasPrefix("ft:") ? model.dropFirst(3) : model[...]
        return !isOpenAI || !reasons || Self.plainFamilies.contains { name.hasPrefix($0) }
    }
}
