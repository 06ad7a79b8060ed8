package import Base

/// The form of an API key: `parley_live_`, 32 base-62 characters (190 random bits), 6 of checksum.
///
/// The checksum lets a typing error or a foreign key be refused without asking the database, and lets scanners of
/// source code know a leaked key for certain.
package enum APIKeyToken {
    package static let prefix = "parley_live_"
    static let secretLength = 32
    static let checksumLength = 6
    /// Longer credentials are not looked up at all.
    package static let lengthMax = 200
    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    package static func make(using random: inout some RandomNumberGenerator) -> Redacted<String> {
        let body =
            prefix + String((0..<secretLength).map { _ in alphabet.randomElement(using: &random) ?? "0" })
        return Redacted(body + checksum(body))
    }

    /// True when the text is one of ours as far as form and checksum tell.
    package static func isWellFormed(_ text: String) -> Bool {
        guard text.hasPrefix(prefix), text.utf8.count == prefix.utf8.count + secretLength + checksumLength
        else { return false }
        return checksum(String(text.dropLast(checksumLength))) == text.suffix(checksumLength)
    }

    static func checksum(_ text: String) -> String {
        var value = crc32(Array(text.utf8))
        var digits: [Character] = []
        for _ in 0..<checksumLength {
            digits.append(alphabet[Int(value % 62)])
            value /= 62
        }
        return String(digits.reversed())
    }

    /// Source: ISO 3309 (the CRC-32 of PNG and gzip), bit by bit: keys are short.
    static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }
}
