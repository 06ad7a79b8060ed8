/// A time-ordered identifier: UUIDv7, so a look-up by id prunes to one partition.
///
/// Outside it reads `call_` + 32 lower-case hex digits; in SQL it is a `uuid` (`uuidString`).
/// Source: RFC 9562 §5.7.
package struct ID<Of: Entity>: Hashable, Sendable, Comparable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 48 bits of milliseconds, 74 random bits. Ids made in one millisecond are not ordered.
    package static func make(at now: Timestamp, using random: inout some RandomNumberGenerator) -> ID {
        let milliseconds = UInt64(max(0, now.milliseconds)) & 0xFFFF_FFFF_FFFF
        let high = milliseconds << 16 | 0x7000 | (random.next() & 0x0FFF)
        let low = (random.next() & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
        return ID(high: high, low: low)
    }

    /// When the id was made, to the millisecond.
    package var timestamp: Timestamp { Timestamp(milliseconds: Int64(high >> 16)) }

    package static func < (a: ID, b: ID) -> Bool {
        a.high != b.high ? a.high < b.high : a.low < b.low
    }

    /// 8-4-4-4-12 lower-case hex, as PostgreSQL prints a `uuid`.
    package var uuidString: String {
        let digits = Array(hex)
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
    }

    /// Reads PostgreSQL's form; nil unless it is 32 hex digits with or without hyphens.
    package init?(uuid text: String) {
        self.init(hex: text.filter { $0 != "-" })
    }

    private var hex: String { Self.hex(high) + Self.hex(low) }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private init?(hex: some StringProtocol) {
        guard hex.utf8.count == 32, hex.utf8.allSatisfy(Self.isHex) else { return nil }
        let middle = hex.index(hex.startIndex, offsetBy: 16)
        guard let high = UInt64(hex[..<middle], radix: 16), let low = UInt64(hex[middle...], radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) || (0x41...0x46).contains(byte)
    }
}

extension ID: LosslessStringConvertible, Codable {
    package var description: String { Of.prefix + "_" + hex }

    /// Reads the outside form; nil for another entity's prefix.
    package init?(_ text: String) {
        guard text.hasPrefix(Of.prefix + "_") else { return nil }
        self.init(hex: text.dropFirst(Of.prefix.count + 1))
    }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let id = ID(text) else {
            throw decoder.unreadable("expected an id like \(Of.prefix)_…")
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
