/// An amount of US dollars in nano-dollars (10⁻⁹ USD), so that the price of one token is a whole number.
///
/// Range: ±9.2 billion dollars. Arithmetic traps on overflow: amounts from outside are range-checked at the door.
package struct Money: Hashable, Comparable, Sendable, Codable {
    package var nanos: Int64

    package init(nanos: Int64) { self.nanos = nanos }
    package static let zero = Money(nanos: 0)
    package static func dollars(_ value: Int64) -> Money { Money(nanos: value * 1_000_000_000) }

    package static func < (a: Money, b: Money) -> Bool { a.nanos < b.nanos }
    package static func + (a: Money, b: Money) -> Money { Money(nanos: a.nanos + b.nanos) }
    package static func - (a: Money, b: Money) -> Money { Money(nanos: a.nanos - b.nanos) }
    package static prefix func - (a: Money) -> Money { Money(nanos: -a.nanos) }
    package static func += (a: inout Money, b: Money) { a = a + b }

    package init(from decoder: any Decoder) throws {
        nanos = try decoder.singleValueContainer().decode(Int64.self)
    }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(nanos)
    }
}

extension Money: CustomStringConvertible {
    /// Decimal dollars without the sign of the currency, exact, at least two decimals: `0.0042`, `-1.50`.
    package var description: String {
        let magnitude = nanos.magnitude
        var fraction = String(magnitude % 1_000_000_000)
        fraction = String(repeating: "0", count: 9 - fraction.count) + fraction
        while fraction.count > 2, fraction.hasSuffix("0") { fraction.removeLast() }
        return (nanos < 0 ? "-" : "") + "\(magnitude / 1_000_000_000).\(fraction)"
    }

    /// Reads what `description` prints; nil for more than nine decimals, exponents or amounts of 10⁹ dollars or more.
    package init?(decimal text: String) {
        let isNegative = text.hasPrefix("-")
        let parts = (isNegative ? text.dropFirst() : text[...]).split(
            separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty, whole.count <= 9, whole.utf8.allSatisfy(Self.isDigit),
            let dollars = Int64(whole)
        else { return nil }
        var nanos = dollars * 1_000_000_000
        if parts.count == 2 {
            guard (1...9).contains(parts[1].count), parts[1].utf8.allSatisfy(Self.isDigit),
                let fraction = Int64(parts[1] + String(repeating: "0", count: 9 - parts[1].count))
            else { return nil }
            nanos += fraction
        }
        self.init(nanos: isNegative ? -nanos : nanos)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
