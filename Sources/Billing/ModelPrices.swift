package import Base

/// What a price book says of the models that hear, think and speak.
extension PriceBook {
    /// Is there a price for what the source's usage tells, in `unit` or by connected time? A rate for any source counts;
    /// what needs no vendor needs none.
    package func isPriced(_ component: Usage.Component, source: String, in unit: Usage.Unit) -> Bool {
        source == Usage.offline
            || [unit, .milliseconds].contains { rate(component, source: source, unit: $0) != nil }
    }

    /// Is there a price for everything the model's usage tells? A rate for any model counts, as somebody wrote it for
    /// that; without one of its own or such a one a model would answer for nothing.
    package func isPriced(_ model: ModelChoice) -> Bool {
        let byTokens = [Usage.Unit.inputTokens, .outputTokens].allSatisfy {
            rate(.llm, source: model.source, unit: $0) != nil
        }
        return byTokens || rate(.llm, source: model.source, unit: .milliseconds) != nil
    }

    /// The price of a model's tokens; nil for one that is priced by time, or not at all.
    package func tokenPrice(_ model: ModelChoice) -> TokenPrice? {
        func price(_ unit: Usage.Unit) -> Money? {
            rate(.llm, source: model.source, unit: unit)?.charge(for: TokenPrice.per)
        }
        guard let input = price(.inputTokens), let output = price(.outputTokens) else { return nil }
        return TokenPrice(
            input: input, cached: price(.cachedTokens) ?? input,
            cacheWrite: price(.cacheWriteTokens) ?? input,
            output: output)
    }

    /// The book without the rates of models that a call cannot use: its hold reckons with the dearest that is left.
    package func narrowed(to models: [ModelChoice]) -> PriceBook {
        let sources = Set(models.flatMap { [$0.source, $0.commonSource] } + ["*"])
        return PriceBook(id: id, rates: rates.filter { $0.component != .llm || sources.contains($0.source) })
    }
}
