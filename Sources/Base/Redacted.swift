/// A value that must not reach a log: a phone number, spoken words, a secret.
///
/// Printing or interpolating it gives `[redacted]`; `reveal` is the one, searchable way to the value.
package struct Redacted<Value: Sendable>: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    package let reveal: Value
    package init(_ value: Value) { reveal = value }
    package var description: String { "[redacted]" }
    package var debugDescription: String { "[redacted]" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension Redacted: Equatable where Value: Equatable {}
extension Redacted: Hashable where Value: Hashable {}
extension Redacted: Codable where Value: Codable {
    package init(from decoder: any Decoder) throws { self.init(try Value(from: decoder)) }
    package func encode(to encoder: any Encoder) throws { try reveal.encode(to: encoder) }
}
