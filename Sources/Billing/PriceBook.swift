package import Base

/// What each component costs the tenant: immutable, effective-dated, pinned to a call at admission.
package struct PriceBook: Hashable, Sendable, Codable {
    package var id: ID<PriceBookEntity>
    package var rates: [Rate]

    package init(id: ID<PriceBookEntity>, rates: [Rate]) {
        self.id = id
        self.rates = rates
    }
}

/// The price of one component per unit, with the pulse it is counted in.
package struct Rate: Hashable, Sendable, Codable {
    package var component: Usage.Component
    /// Which product of the component: `offline`, `openai/gpt-6-luna`; `*` for any without a rate of its own.
    package var source: String
    package var unit: Usage.Unit
    /// Price of `per` units.
    package var price: Money
    /// Units the price is for: 60000 for a price per minute, 1000000 for one per million tokens. At least 1.
    package var per: Int64
    /// Usage is counted in whole increments, at least `minimum`, unless it is zero. Units; at least 1.
    package var increment: Int64
    package var minimum: Int64

    package init(
        component: Usage.Component, source: String = "*", unit: Usage.Unit, price: Money, per: Int64,
        increment: Int64 = 1,
        minimum: Int64 = 0
    ) {
        self.component = component
        self.source = source
        self.unit = unit
        self.price = price
        self.per = per
        self.increment = increment
        self.minimum = minimum
    }
}
