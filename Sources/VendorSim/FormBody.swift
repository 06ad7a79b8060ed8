/// `application/x-www-form-urlencoded`: fields in the order written, names may repeat.
package struct FormBody: Sendable {
    package var fields: [(String, String)]
    package init(_ fields: [(String, String)]) { self.fields = fields }

    /// nil for a bad percent escape or text that is not UTF-8.
    package init?(_ bytes: some Sequence<UInt8>) {
        fields = []
        for pair in Array(bytes).split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(
                separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decode(parts[0]), let value = parts.count == 2 ? Self.decode(parts[1]) : ""
            else { return nil }
            fields.append((name, value))
        }
    }

    package subscript(name name: String) -> String? { fields.first { $0.0 == name }?.1 }
    package func all(_ name: String) -> [String] { fields.filter { $0.0 == name }.map(\.1) }

    package var encoded: [UInt8] {
        Array(fields.map { Self.encode($0.0) + "=" + Self.encode($0.1) }.joined(separator: "&").utf8)
    }

    private static func encode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F:
                result.unicodeScalars.append(.init(byte))
            case 0x20: result += "+"
            default: result += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }

    private static func decode(_ bytes: ArraySlice<UInt8>) -> String? {
        var result: [UInt8] = []
        var at = bytes.startIndex
        while at < bytes.endIndex {
            switch bytes[at] {
            case UInt8(ascii: "+"): result.append(0x20)
            case UInt8(ascii: "%"):
                guard at + 2 < bytes.endIndex,
                    let high = Character(UnicodeScalar(bytes[at + 1])).hexDigitValue,
                    let low = Character(UnicodeScalar(bytes[at + 2])).hexDigitValue
                else { return nil }
                result.append(UInt8(high << 4 | low))
                at += 2
            default: result.append(bytes[at])
            }
            at += 1
        }
        return String(validating: result, as: UTF8.self)
    }
}
