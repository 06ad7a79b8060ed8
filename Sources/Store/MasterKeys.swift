package import Base
package import CallDispatch
package import Crypto
import Foundation

/// The keys that seal every tenant's data key, from `PARLEY_MASTER_KEY`: the current one, then those it replaced.
///
/// Written `BASE64[,BASE64…]`, 32 bytes each. To rotate: put the new key in front, restart, re-wrap (`Vault.rewrap`),
/// then drop the old one. API keys and cursors made under an older key keep working while it is listed.
package struct MasterKeys: Sendable {
    package static let keyBytes = 32
    /// More than a rotation in progress needs.
    package static let keysMax = 4

    package struct Key: Sendable {
        /// First 8 bytes of SHA-256 of the key, hex: names it without telling it.
        package let id: String
        package let key: SymmetricKey
    }

    package let current: Key
    package let all: [Key]

    package init(_ text: Redacted<String>) throws(Refusal) {
        let parts = text.reveal.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        guard (1...Self.keysMax).contains(parts.count) else {
            throw Refusal(
                code: "bad_master_key", message: "PARLEY_MASTER_KEY holds 1 to \(Self.keysMax) keys")
        }
        var keys: [Key] = []
        for part in parts {
            guard let bytes = Data(base64Encoded: part), bytes.count == Self.keyBytes else {
                throw Refusal(
                    code: "bad_master_key",
                    message: "PARLEY_MASTER_KEY must be 32 bytes in base64 (openssl rand -base64 32)")
            }
            let id = Hex.text(Array(SHA256.hash(data: bytes).prefix(8)))
            keys.append(Key(id: id, key: SymmetricKey(data: bytes)))
        }
        current = keys[0]
        all = keys
    }

    package func key(id: String) -> Key? { all.first { $0.id == id } }

    /// A key for one purpose, derived from each master key, current first.
    package func derived(for purpose: String) -> [SymmetricKey] {
        all.map { Self.derive($0.key, purpose) }
    }

    static func derive(_ key: SymmetricKey, _ purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key, info: Data("parley/\(purpose)".utf8), outputByteCount: keyBytes)
    }
}

/// Lower-case hexadecimal.
package enum Hex {
    /// SHA-256 of the text.
    package static func digest(_ text: String) -> [UInt8] { Array(SHA256.hash(data: Data(text.utf8))) }
    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
