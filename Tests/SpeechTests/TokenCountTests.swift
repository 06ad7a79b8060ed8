import Base
import Testing

@testable import Speech

/// What vendors say a reply took.
struct TokenCountTests {
    private static let request = ChatRequest(
        model: "m-1", messages: [.user("Hi")], tools: [], temperature: nil, maxTokens: 50)
    private static let figures: [Int64] = [.min, -1, 0, 1_000_001, .max]

    @Test(arguments: figures, figures) func aFigureBeyondAllMeasureIsCut(prompt: Int64, part: Int64) {
        var chat = ChatAssembly(Self.request)
        let chatUsage = """
            {"usage":{"prompt_tokens":\(prompt),"completion_tokens":\(part),\
            "prompt_tokens_details":{"cached_tokens":\(part),"cache_write_tokens":\(part)}}}
            """
        #expect(chat.add(Array(chatUsage.utf8)).isEmpty)
        var messages = MessagesAssembly(Self.request)
        let messagesUsage = """
            {"type":"message_delta","usage":{"input_tokens":\(prompt),"output_tokens":\(part),\
            "cache_read_input_tokens":\(part),"cache_creation_input_tokens":\(part)}}
            """
        #expect(messages.add(Array(messagesUsage.utf8)).isEmpty)
        let last = chat.toldPrompt
        let told =
            chat.usage(source: "a/b", estimating: PromptEstimate(last: last))
            + messages.usage(source: "a/b", estimating: PromptEstimate(last: last))
            + ChatAssembly(Self.request).usage(source: "a/b", estimating: PromptEstimate(last: last))
        #expect(told.allSatisfy { (1...TokenPrice.tokensMax).contains($0.quantity) }, "\(told)")
        // Once for each of a call's requests, and more.
        let sums = Array(repeating: told, count: 1000).reduce([]) { ($0 + $1).merged }
        #expect(sums.allSatisfy { (1...TokenPrice.tokensMax * 3000).contains($0.quantity) }, "\(sums)")
    }

    /// By what the vendor told of the call's last whole prompt: its letters, and what its cache has.
    @Test func whatIsCalledOffIsEstimatedByWhatWasTold() {
        var whole = ChatAssembly(Self.request)
        _ = whole.add(
            Array(#"{"usage":{"prompt_tokens":1500,"prompt_tokens_details":{"cached_tokens":1280}}}"#.utf8))
        var last = whole.toldPrompt
        #expect(last?.tokens == 1500 && last?.cached == 1280)
        last?.bytes = 6000
        let estimate = PromptEstimate(last: last)
        #expect(estimate.prompt(6400) == (320, 1280, 0))
        #expect(estimate.prompt(4000) == (0, 1000, 0))
        #expect(PromptEstimate().prompt(6400) == (1600, 0, 0))
    }

    @Test func toolsAreOfThePrompt() {
        var request = Self.request
        let before = TokenEstimate.bytes(of: request)
        request.tools = [ChatTool(name: "find", description: "Finds.", parameters: ["type": "object"])]
        #expect(TokenEstimate.bytes(of: request) == before + "findFinds.{\"type\":\"object\"}".utf8.count)
    }
}
