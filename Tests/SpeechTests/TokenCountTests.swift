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
        let told = chat.usage(source: "a/b") + messages.usage(source: "a/b")
        #expect(told.allSatisfy { (1...TokenPrice.tokensMax).contains($0.quantity) }, "\(told)")
        // Once for each of a call's requests, and more.
        let sums = Array(repeating: told, count: 1000).reduce([]) { ($0 + $1).merged }
        #expect(sums.allSatisfy { (1...TokenPrice.tokensMax * 2000).contains($0.quantity) }, "\(sums)")
    }
}
