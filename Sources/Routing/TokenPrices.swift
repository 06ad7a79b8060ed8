package import Base

/// What a model's tokens cost. Nano-dollars a token, which is dollars a thousand million tokens.
package struct TokenPrices: Hashable, Sendable {
    package var input: Double
    /// For prompt tokens that the vendor's cache holds.
    package var cachedInput: Double
    /// For prompt tokens on their way into the cache; `input` where the vendor takes no surcharge.
    package var cacheWrite: Double
    package var output: Double

    /// - Throws: `priceOutOfRange`; `cachedAboveInput`.
    package init(
        input: Double, cachedInput: Double, cacheWrite: Double? = nil, output: Double
    ) throws(RoutingProblem) {
        let prices = [input, cachedInput, cacheWrite ?? input, output]
        guard prices.allSatisfy({ $0.isFinite && $0 >= 0 && $0 <= Self.priceMax }) else {
            throw .priceOutOfRange
        }
        guard cachedInput <= input else { throw .cachedAboveInput }
        self.input = input
        self.cachedInput = cachedInput
        self.cacheWrite = cacheWrite ?? input
        self.output = output
    }

    /// A dollar a thousand tokens; more is a mistake of units.
    static let priceMax = 1_000_000.0

    /// From dollars a million tokens: `{"in", "cached", "write"?, "out"}`.
    package init(dollarsPerMillion entry: JSON) throws(RoutingProblem) {
        guard let input = entry["in"]?.number, let cached = entry["cached"]?.number,
            let output = entry["out"]?.number
        else { throw .missingPrice }
        try self.init(
            input: input * 1000, cachedInput: cached * 1000,
            cacheWrite: entry["write"]?.number.map { $0 * 1000 }, output: output * 1000)
    }
}

extension JSON {
    var number: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
}

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

extension TokenPrices {
    /// Nano-dollars for `tokens` of prompt of which `seen` were sent before.
    package func prompt(_ tokens: Int, seen: Int, _ caching: PromptCaching) -> Double {
        let hit = caching.hit(tokens, seen: seen)
        let rest = tokens >= caching.minimumTokens ? cacheWrite : input
        return Double(hit) * cachedInput + Double(tokens - hit) * rest
    }
}
