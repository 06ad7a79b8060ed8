package import Base

// The only place where usage becomes money, and the only rounding: up to the increment, then up to a whole
// nano.
extension Rate {
    /// Ceiling of one charge, a million dollars: a broken meter cannot make a number that traps.
    package static let chargeMax = Money.dollars(1_000_000)
    /// Ceiling of one quantity; 10¹⁵ ms are 31,000 years.
    package static let quantityMax: Int64 = 1_000_000_000_000_000

    /// Units that are charged for `quantity`: zero for zero, else at least `minimum`, in whole increments.
    package func billable(_ quantity: Int64) -> Int64 {
        guard quantity > 0 else { return 0 }
        let step = max(1, increment)
        let units = max(min(quantity, Self.quantityMax), min(minimum, Self.quantityMax))
        let steps = (units - 1) / step + 1
        let (whole, overflow) = steps.multipliedReportingOverflow(by: step)
        return overflow ? Int64.max : whole
    }

    /// The price of `quantity` units.
    package func charge(for quantity: Int64) -> Money {
        let units = billable(quantity)
        guard units > 0, price.nanos > 0 else { return .zero }
        let divisor = UInt64(max(1, per))
        let product = UInt64(units).multipliedFullWidth(by: UInt64(price.nanos))
        guard product.high < divisor else { return Self.chargeMax }
        let (quotient, remainder) = divisor.dividingFullWidth(product)
        guard quotient < UInt64(Self.chargeMax.nanos) else { return Self.chargeMax }
        return Money(nanos: Int64(quotient) + (remainder > 0 ? 1 : 0))
    }

    /// What is wrong with a rate from outside; empty when it can be used.
    package var problems: [String] {
        var found: [String] = []
        if !(0...1_000_000_000_000).contains(price.nanos) { found.append("price must be 0 to 1000 dollars") }
        if !(1...1_000_000_000_000).contains(per) { found.append("per must be 1 to 10^12 units") }
        if !(1...86_400_000).contains(increment) { found.append("increment must be 1 to 86400000 units") }
        if !(0...86_400_000).contains(minimum) { found.append("minimum must be 0 to 86400000 units") }
        if source.isEmpty || source.utf8.count > 100 { found.append("source must have 1 to 100 bytes") }
        return found
    }
}

extension PriceBook {
    /// The rate of a source, of its model in whichever account (`compatible:groq/m` is `compatible/m` too), or the
    /// component's rate for any source. Tokens that touch a vendor's cache are input
    /// tokens where they have no rate of their own.
    package func rate(_ component: Usage.Component, source: String, unit: Usage.Unit) -> Rate? {
        let units = unit == .cachedTokens || unit == .cacheWriteTokens ? [unit, .inputTokens] : [unit]
        for source in [source, Self.common(source), "*"] {
            for unit in units {
                let found = rates.first {
                    $0.component == component && $0.unit == unit && $0.source == source
                }
                if let found { return found }
            }
        }
        return nil
    }

    /// Without the name of a credential.
    private static func common(_ source: String) -> String {
        let parts = source.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return source }
        return ModelChoice(vendor: String(parts[0]), model: String(parts[1])).commonSource
    }

    /// Used where neither the tenant nor anyone above it has a book: every component per minute, second by
    /// second.
    package static let standard = PriceBook(
        id: ID(high: 0x7000, low: 0x8000_0000_0000_0001),
        rates: [
            perMinute(.telephony, nanos: 14_000_000),
            perMinute(.stt, nanos: 6_000_000),
            perMinute(.llm, nanos: 10_000_000),
            perMinute(.tts, nanos: 8_000_000),
            perMinute(.platform, nanos: 20_000_000),
        ])

    private static func perMinute(_ component: Usage.Component, nanos: Int64) -> Rate {
        Rate(
            component: component, unit: .milliseconds, price: Money(nanos: nanos), per: 60_000,
            increment: 1000)
    }
}
