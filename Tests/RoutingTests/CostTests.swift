import Base
import Routing
import Testing

/// Prompts in a vendor's cache, by hand.
@Suite struct CostTests {
    @Test func cachesHoldWholeBlocksFromAMinimumUp() {
        let caching = PromptCaching()
        #expect(caching.hit(3000, seen: 1023) == 0)
        #expect(caching.hit(3000, seen: 1024) == 1024)
        #expect(caching.hit(3000, seen: 1300) == 1280)
        #expect(caching.hit(1100, seen: 5000) == 1024)
    }

    @Test func aWriteSurchargeIsPaidOnWhatIsNew() throws {
        let prices = try TokenPrice(
            dollarsPerMillion: ["in": 3, "cached": .double(0.3), "write": .double(3.75), "out": 15])
        let caching = PromptCaching()
        #expect(prices.prompt(1000, seen: 0, caching) == 3_000_000)
        #expect(prices.prompt(2048, seen: 0, caching) == 2048 * 3750)
        #expect(prices.prompt(2048, seen: 1024, caching) == 1024 * 300 + 1024 * 3750)
    }

    @Test func anUnusedPromptIsForgotten() {
        var prompt = CachedPrompt()
        prompt.send(2000, at: .zero)
        #expect(prompt.seen(at: CallTime(.seconds(300)), PromptCaching()) == 2000)
        #expect(prompt.seen(at: CallTime(.seconds(301)), PromptCaching()) == 0)
    }

    @Test func dollarsAMillionAreAPrice() throws {
        let prices = try TokenPrice(dollarsPerMillion: ["in": 2, "cached": .double(0.5), "out": 8])
        #expect(prices == RouterTests.price(2000, 500, 8000))
    }
}
