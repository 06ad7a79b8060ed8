/// What the tokens of one model cost, by kind, in nano-dollars for a million of them: a token alone may cost less than a
/// nano-dollar's whole number. For weighing one model against another; bills are made by `Rate`.
package struct TokenPrice: Hashable, Sendable, Codable {
    /// Tokens a price is for.
    package static let per: Int64 = 1_000_000
    /// Of one kind, in one estimate; keeps the product in range.
    package static let tokensMax: Int64 = 1_000_000_000

    package var input: Money
    /// Read from the vendor's cache, and read and written there.
    package var cached: Money
    package var cacheWrite: Money
    package var output: Money

    package init(input: Money, cached: Money, cacheWrite: Money, output: Money) {
        self.input = input
        self.cached = cached
        self.cacheWrite = cacheWrite
        self.output = output
    }

    /// What so many tokens cost, rounded up to a whole nano-dollar. `input` counts those that touch no cache.
    package func cost(input: Int64, cached: Int64 = 0, cacheWrite: Int64 = 0, output: Int64) -> Money {
        let parts = [
            (self.input, input), (self.cached, cached), (self.cacheWrite, cacheWrite),
            (self.output, output),
        ]
        let sum = parts.reduce(into: UInt64(0)) { sum, part in
            let tokens = UInt64(max(0, min(part.1, Self.tokensMax)))
            let product = tokens.multipliedFullWidth(by: UInt64(max(0, part.0.nanos)))
            let limit = UInt64(Self.per)
            guard product.high < limit else { return sum = UInt64(Int64.max) }
            let (quotient, remainder) = limit.dividingFullWidth(product)
            let (next, hasOverflown) = sum.addingReportingOverflow(quotient + (remainder > 0 ? 1 : 0))
            sum = hasOverflown ? UInt64(Int64.max) : next
        }
        return Money(nanos: Int64(min(sum, UInt64(Int64.max))))
    }
}
