import Base
import Billing
import Testing

private func usage(
    _ component: Usage.Component, _ unit: Usage.Unit, _ quantity: Int64, _ source: String = "offline"
) -> Usage {
    Usage(component: component, source: source, unit: unit, quantity: quantity)
}

private func bill(_ slices: [Slice], prices: PriceBook = .standard) -> [String] {
    let settlement = Settlement(slices: slices, prices: prices)
    return settlement.lines.map {
        "\($0.component) \($0.source) \($0.quantity) \($0.unit) → \($0.billed) = \($0.amount)"
    }
        + ["total \(settlement.total) for \(settlement.connectedMs) ms"]
}

@Test func aMinuteWithAFlowAgent() {
    let slice = Slice(
        epoch: 1, connectedMs: 60_000,
        usage: [
            usage(.stt, .milliseconds, 20_500), usage(.tts, .milliseconds, 30_000),
            usage(.telephony, .milliseconds, 99, "twilio"),
        ])
    #expect(
        bill([slice]) == [
            "telephony twilio 60000 milliseconds → 60000 = 0.014",
            "stt offline 20500 milliseconds → 21000 = 0.0021",
            "tts offline 30000 milliseconds → 30000 = 0.004",
            "platform * 60000 milliseconds → 60000 = 0.02",
            "total 0.0401 for 60000 ms",
        ])
}

@Test func usageWithoutARateInItsUnitIsChargedByTime() {
    let slice = Slice(
        epoch: 1, connectedMs: 30_000,
        usage: [
            usage(.llm, .inputTokens, 900, "openai/m"), usage(.llm, .outputTokens, 90, "openai/m"),
            usage(.tts, .characters, 0),
        ])
    #expect(
        bill([slice]) == [
            "telephony * 30000 milliseconds → 30000 = 0.007",
            "llm openai/m 30000 milliseconds → 30000 = 0.005",
            "platform * 30000 milliseconds → 30000 = 0.01",
            "total 0.022 for 30000 ms",
        ])
}

@Test func aComponentPricedByTimeIsChargedOnceWhoeverServedIt() {
    let slice = Slice(
        epoch: 1, connectedMs: 30_000,
        usage: [
            usage(.llm, .inputTokens, 900, "openai/m"), usage(.llm, .inputTokens, 90, "anthropic/h"),
        ])
    #expect(bill([slice]).filter { $0.hasPrefix("llm") }.count == 1)
}

@Test func usageNoRateCoversStandsInTheBillAtNothing() {
    let book = PriceBook(id: PriceBook.standard.id, rates: [])
    let slice = Slice(epoch: 1, connectedMs: 10, usage: [usage(.llm, .inputTokens, 900)])
    #expect(
        bill([slice], prices: book) == [
            "telephony * 10 milliseconds → 0 = 0.00", "llm offline 900 inputTokens → 0 = 0.00",
            "platform * 10 milliseconds → 0 = 0.00", "total 0.00 for 10 ms",
        ])
}

@Test func modelsThatServedWithoutAPriceAreNamed() {
    let book = PriceBook(
        id: PriceBook.standard.id,
        rates: [Rate(component: .llm, source: "openai/m", unit: .inputTokens, price: .zero, per: 1)])
    let slice = Slice(
        epoch: 1, connectedMs: 10,
        usage: [
            usage(.stt, .milliseconds, 900, "deepgram/nova-3"), usage(.llm, .inputTokens, 9, "openai/m"),
            usage(.llm, .outputTokens, 9, "openai/n"), usage(.tts, .characters, 9, "offline"),
            usage(.tts, .characters, 0, "cartesia/sonic-3.5"),
        ])
    #expect(Settlement(slices: [slice], prices: book).unpriced == ["deepgram/nova-3", "openai/n"])
    #expect(Settlement(slices: [slice], prices: .standard).unpriced == [])
}

@Test func epochsAddUpAndARepeatedSliceReplacesItsEpoch() {
    let first = Slice(epoch: 1, connectedMs: 20_000, usage: [usage(.stt, .milliseconds, 10_000)])
    let second = Slice(epoch: 2, connectedMs: 40_000, usage: [usage(.stt, .milliseconds, 5000)])
    let both = Settlement(slices: [first, second], prices: .standard)
    #expect(both.connectedMs == 60_000)
    #expect(both.lines.first { $0.component == .stt }?.quantity == 15_000)
    #expect(Settlement(slices: [first, second, second, first], prices: .standard) == both)
}

@Test func anUnansweredCallIsFree() {
    #expect(Settlement(slices: [], prices: .standard).total == .zero)
    #expect(
        Settlement(slices: [Slice(epoch: 1, connectedMs: 0, usage: [])], prices: .standard).total == .zero)
}

@Test(arguments: 0..<UInt64(200))
func aHoldCoversWhatAFlowCallCanCost(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let components: Set<Usage.Component> = [.telephony, .stt, .tts, .platform]
    let book = PriceBook(
        id: PriceBook.standard.id,
        rates: components.map {
            Rate(
                component: $0, unit: .milliseconds,
                price: Money(nanos: .random(in: 0...50_000_000, using: &random)), per: 60_000,
                increment: [1, 1000, 6000, 60_000].randomElement(using: &random)!,
                minimum: .random(in: 0...60_000, using: &random))
        })
    var hold = Hold(amount: book.worstCase(connectedMs: 60_000, components: components))
    let connected = Int64.random(in: 1...600_000, using: &random)
    while Int64(hold.fundedMs) < connected {
        try hold.extend(by: book.required(for: hold, used: .zero, components: components) - hold.amount)
    }
    let usage = [usage(.stt, .milliseconds, connected), usage(.tts, .milliseconds, connected / 2)]
    let total = Settlement(slices: [Slice(epoch: 1, connectedMs: connected, usage: usage)], prices: book)
        .total
    #expect(total <= hold.amount, "seed \(seed)")
}

@Test func anExtensionNeverFallsBehindWhatHasBeenUsed() {
    let hold = Hold(amount: Money(nanos: 58_000_000))
    let minute = PriceBook.standard.worstCase(connectedMs: 60_000, components: Set(Usage.Component.allCases))
    #expect(minute.nanos == 58_000_000)
    let required = PriceBook.standard.required(
        for: hold, used: .dollars(1), components: Set(Usage.Component.allCases))
    #expect(required == .dollars(1) + minute)
}
