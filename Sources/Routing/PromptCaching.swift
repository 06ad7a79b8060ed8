package import Base

/// How a vendor keeps prompts: from `minimumTokens` up, in whole blocks, for a while after the last use.
package struct PromptCaching: Hashable, Sendable {
    package var minimumTokens = 1024
    package var blockTokens = 128
    /// Unused for longer, a prompt is gone. Five minutes is the least that vendors promise.
    package var timeToLive: Duration = .seconds(300)
    package init() {}

    /// Tokens of a prompt that are billed as cached, where `seen` tokens of it were sent before.
    package func hit(_ tokens: Int, seen: Int) -> Int {
        let common = min(tokens, seen)
        return common >= minimumTokens ? common / blockTokens * blockTokens : 0
    }
}

/// What one model's cache holds of one dialogue.
package struct CachedPrompt: Hashable, Sendable {
    private var tokens = 0
    private var at = CallTime(nanoseconds: 0)
    package init() {}

    package mutating func send(_ tokens: Int, at now: CallTime) {
        self.tokens = tokens
        at = now
    }

    /// Tokens of this dialogue that the cache still holds.
    package func seen(at now: CallTime, _ caching: PromptCaching) -> Int {
        now - at <= caching.timeToLive ? tokens : 0
    }
}

extension Money {
    /// Of a price of tokens, what one of them costs: nano-dollars, in fractions, as one model is weighed against another.
    package var perToken: Double { Double(nanos) / Double(TokenPrice.per) }
}

extension TokenPrice {
    /// A dollar a thousand tokens; more is a mistake of units.
    static let priceMax = Money.dollars(1000)

    /// For `tokens` of prompt of which `seen` were sent before.
    package func prompt(_ tokens: Int, seen: Int, _ caching: PromptCaching) -> Double {
        let hit = caching.hit(tokens, seen: seen)
        let rest = tokens >= caching.minimumTokens ? cacheWrite : input
        return Double(hit) * cached.perToken + Double(tokens - hit) * rest.perToken
    }

    /// - Throws: `priceOutOfRange`; `cachedAboveInput`.
    package func check() throws(RoutingProblem) {
        guard [input, cached, cacheWrite, output].allSatisfy({ $0 >= .zero && $0 <= Self.priceMax }) else {
            throw .priceOutOfRange
        }
        guard cached <= input else { throw .cachedAboveInput }
    }

    /// From dollars a million tokens: `{"in", "cached", "write"?, "out"}`.
    package init(dollarsPerMillion entry: JSON) throws(RoutingProblem) {
        guard let input = entry["in"]?.number, let cached = entry["cached"]?.number,
            let output = entry["out"]?.number
        else { throw .missingPrice }
        let prices = [input, cached, entry["write"]?.number ?? input, output]
        guard prices.allSatisfy({ $0.isFinite && abs($0) <= 1000 }) else { throw .priceOutOfRange }
        let money = prices.map { Money(nanos: Int64(($0 * 1e9).rounded())) }
        self.init(input: money[0], cached: money[1], cacheWrite: money[2], output: money[3])
        try check()
    }
}
