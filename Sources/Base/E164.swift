/// A telephone number in international form: `+`, then 7 to 15 ASCII digits, the first not 0.
///
/// Emergency and other short codes are not E.164 and cannot be written down.
/// Source: ITU-T E.164 §6.
package struct E164: Hashable, Sendable, LosslessStringConvertible, Codable {
    package let description: String

    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard (8...16).contains(bytes.count), bytes[0] == 0x2B, (0x31...0x39).contains(bytes[1]),
            bytes.dropFirst().allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        description = text
    }

    /// The digits without `+`.
    package var digits: Substring { description.dropFirst() }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let number = E164(text) else {
            throw decoder.unreadable("expected an E.164 number like +14155550100")
        }
        self = number
    }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
