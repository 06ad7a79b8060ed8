import Base
import Billing
import Testing

private func book(_ rates: [(String, Usage.Unit, Int64)]) -> PriceBook {
    PriceBook(
        id: PriceBook.standard.id,
        rates: rates.map {
            Rate(
                component: .llm, source: $0.0, unit: $0.1, price: Money(nanos: $0.2), per: TokenPrice.per)
        })
}
private let luna = ModelChoice(vendor: "openai", model: "luna")
private let haiku = ModelChoice(vendor: "anthropic", model: "haiku")

@Test func aModelIsPricedWhenAllItsTokensAre() {
    #expect(!book([("openai/luna", .inputTokens, 1)]).isPriced(luna))
    let whole = book([("openai/luna", .inputTokens, 1), ("openai/luna", .outputTokens, 5)])
    #expect(whole.isPriced(luna) && !whole.isPriced(haiku))
    #expect(book([("*", .inputTokens, 1), ("*", .outputTokens, 5)]).isPriced(haiku))
    #expect(PriceBook.standard.isPriced(haiku), "priced by time")
}

@Test func aModelOfANamedAccountHasItsOwnPriceOrThatOfItsVendor() {
    let groq = ModelChoice(vendor: "compatible:groq", model: "oss/120b")
    let together = ModelChoice(vendor: "compatible:together", model: "oss/120b")
    let prices = book([
        ("compatible/oss/120b", .inputTokens, 3), ("compatible/oss/120b", .outputTokens, 6),
        ("compatible:groq/oss/120b", .inputTokens, 1), ("compatible:groq/oss/120b", .outputTokens, 2),
    ])
    #expect(prices.tokenPrice(groq)?.input == Money(nanos: 1))
    #expect(prices.tokenPrice(together)?.input == Money(nanos: 3))
    #expect(prices.narrowed(to: [together]).rates.count == 2)
    #expect(prices.narrowed(to: [groq]).rates.count == 4)
    #expect(!prices.isPriced(ModelChoice(vendor: "openai:groq", model: "oss/120b")))
}

@Test func whoHearsAndSpeaksIsPricedInItsUnitOrByTime() {
    let tokens = book([("*", .inputTokens, 1), ("*", .outputTokens, 5)])
    #expect(!tokens.isPriced(.stt, source: "deepgram/nova-3", in: .milliseconds))
    #expect(!tokens.isPriced(.tts, source: "cartesia/sonic-3.5", in: .characters))
    #expect(tokens.isPriced(.tts, source: "offline", in: .characters))
    #expect(PriceBook.standard.isPriced(.tts, source: "cartesia/sonic-3.5", in: .characters))
    var own = tokens
    own.rates.append(
        Rate(component: .tts, source: "cartesia/sonic-3.5", unit: .characters, price: .zero, per: 1))
    #expect(own.isPriced(.tts, source: "cartesia/sonic-3.5", in: .characters))
    #expect(!own.isPriced(.tts, source: "cartesia/sonic-9", in: .characters))
}

@Test func tokensThatTouchACacheCostAsInputUnlessTheyHaveARate() {
    let prices = book([
        ("openai/luna", .inputTokens, 100_000_000), ("openai/luna", .outputTokens, 500_000_000),
        ("openai/luna", .cachedTokens, 10_000_000), ("*", .cacheWriteTokens, 1),
    ])
    let price = prices.tokenPrice(luna)
    #expect(price?.cached == Money(nanos: 10_000_000))
    #expect(price?.cacheWrite == Money(nanos: 100_000_000), "its own input, not another's write")
    #expect(price?.cost(input: 1000, cached: 9000, output: 100) == Money(nanos: 100_000 + 90_000 + 50_000))
    let usage = [
        Usage(component: .llm, source: "openai/luna", unit: .cacheWriteTokens, quantity: 1000)
    ]
    let bill = Settlement(slices: [Slice(epoch: 1, connectedMs: 0, usage: usage)], prices: prices)
    #expect(bill.total == Money(nanos: 100_000))
}

@Test func aCallsHoldReckonsWithItsOwnModels() {
    let prices = book([
        ("openai/luna", .inputTokens, 100_000_000), ("openai/opus", .inputTokens, 9_000_000_000),
    ])
    let minute = { (book: PriceBook) in book.worstCase(connectedMs: 60_000, components: [.llm]) }
    #expect(minute(prices.narrowed(to: [luna])) < minute(prices))
    #expect(prices.narrowed(to: []).rates.isEmpty)
}

@Test(arguments: [
    (Int64(1), Int64(1), Int64(1)), (0, 5, 0), (-4, 5, 0), (.max, .max, .max),
])
func anEstimateIsRoundedUpAndNeverTraps(tokens: Int64, nanos: Int64, cost: Int64) {
    let price = TokenPrice(
        input: Money(nanos: nanos), cached: .zero, cacheWrite: .zero, output: Money(nanos: nanos))
    let found = price.cost(input: tokens, output: 0).nanos
    #expect(tokens == .max ? found > 1_000_000_000_000 : found == cost)
}
