package import Base

/// One line of a call's bill: what was measured, what was charged for, and at which price.
package struct CostLine: Hashable, Sendable, Codable {
    package var component: Usage.Component
    package var source: String
    package var unit: Usage.Unit
    /// As measured.
    package var quantity: Int64
    /// After minimum and increment; 0 where no rate applies.
    package var billed: Int64
    /// Price of `per` units; zero of 1 where no rate applies.
    package var price: Money
    package var per: Int64
    package var amount: Money

    package init(
        _ usage: Usage, billed: Int64, price: Money, per: Int64, amount: Money
    ) {
        component = usage.component
        source = usage.source
        unit = usage.unit
        quantity = usage.quantity
        self.billed = billed
        self.price = price
        self.per = per
        self.amount = amount
    }
}

/// What one epoch of a call used: cumulative since that epoch's media started, so the latest slice replaces
/// earlier ones.
package struct Slice: Hashable, Sendable {
    package var epoch: Int
    package var connectedMs: Int64
    package var usage: [Usage]
    package init(epoch: Int, connectedMs: Int64, usage: [Usage]) {
        self.epoch = epoch
        self.connectedMs = connectedMs
        self.usage = usage
    }
}

/// The bill of a finished call: slices of its epochs added up, rated once a component by the pinned price
/// book.
///
/// - Telephony and platform are charged on connected time, whatever else is reported.
/// - Reported usage takes its source's rate in its unit, else the component's rate for any source.
/// - Usage without a rate in its unit is charged on connected time if the book prices the component by time;
///   else it stands in the bill at nothing.
package struct Settlement: Hashable, Sendable {
    package var connectedMs: Int64
    /// In the order of `Usage.Component.allCases`, then by source and unit.
    package var lines: [CostLine]
    /// Sources of models that were used and stand in the bill at nothing because the book has no rate for them: it is
    /// another book than the one the agent was published under. In the order of the lines, each once.
    package private(set) var unpriced: [String] = []
    package var total: Money { lines.reduce(.zero) { $0 + $1.amount } }

    private struct Key: Hashable {
        var component: Usage.Component
        var source: String
        var unit: Usage.Unit
    }

    package init(slices: [Slice], prices: PriceBook) {
        var latest: [Int: Slice] = [:]
        for slice in slices { latest[slice.epoch] = slice }
        let connected = latest.values.reduce(0) { $0 + max(0, min($1.connectedMs, Rate.quantityMax / 1000)) }
        let reported = latest.sorted { $0.key < $1.key }.flatMap(\.value.usage)
        var quantities: [Key: Int64] = [:]
        var timed: Set<Usage.Component> = []
        for component in [Usage.Component.telephony, .platform] {
            // Who carried it has a price of its own, perhaps; how long is ours to say.
            let source = reported.last { $0.component == component }?.source ?? "*"
            quantities[Key(component: component, source: source, unit: .milliseconds)] = connected
        }
        for usage in reported where !Self.isConnectedTime(usage) && usage.quantity > 0 {
            let key = Self.key(of: usage, prices: prices)
            if key.unit != usage.unit {
                // Time is charged once, however many sources served it at the component's common price.
                let isCommon = prices.rate(key.component, source: key.source, unit: key.unit)?.source == "*"
                guard !isCommon || timed.insert(key.component).inserted else { continue }
                quantities[key] = connected
            } else {
                quantities[key, default: 0] += min(usage.quantity, Rate.quantityMax / 1000)
            }
        }
        connectedMs = connected
        lines = quantities.map { Self.line($0.key, quantity: $0.value, prices: prices) }.sorted(
            by: Self.isBefore)
        unpriced = Self.unpriced(lines, prices)
    }

    private static func unpriced(_ lines: [CostLine], _ prices: PriceBook) -> [String] {
        lines.reduce(into: []) { sources, line in
            let isModel = line.component == .stt || line.component == .llm || line.component == .tts
            guard isModel, line.quantity > 0, !sources.contains(line.source),
                !prices.isPriced(line.component, source: line.source, in: line.unit)
            else { return }
            sources.append(line.source)
        }
    }

    private static func isConnectedTime(_ usage: Usage) -> Bool {
        usage.component == .telephony || usage.component == .platform
    }

    private static func key(of usage: Usage, prices: PriceBook) -> Key {
        let isPricedInItsUnit = prices.rate(usage.component, source: usage.source, unit: usage.unit) != nil
        let isPricedByTime = prices.rate(usage.component, source: usage.source, unit: .milliseconds) != nil
        let unit = !isPricedInItsUnit && isPricedByTime ? Usage.Unit.milliseconds : usage.unit
        return Key(component: usage.component, source: usage.source, unit: unit)
    }

    private static func line(_ key: Key, quantity: Int64, prices: PriceBook) -> CostLine {
        let rate = prices.rate(key.component, source: key.source, unit: key.unit)
        return CostLine(
            Usage(component: key.component, source: key.source, unit: key.unit, quantity: quantity),
            billed: rate?.billable(quantity) ?? 0, price: rate?.price ?? .zero, per: rate?.per ?? 1,
            amount: rate?.charge(for: quantity) ?? .zero)
    }

    private static func isBefore(_ a: CostLine, _ b: CostLine) -> Bool {
        let order = Usage.Component.allCases
        let (first, second) = (order.firstIndex(of: a.component) ?? 0, order.firstIndex(of: b.component) ?? 0)
        if first != second { return first < second }
        return a.source != b.source ? a.source < b.source : a.unit.rawValue < b.unit.rawValue
    }
}
