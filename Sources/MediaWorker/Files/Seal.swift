import Crypto
import Foundation

/// AES-GCM with a random nonce, in front of the text.
enum Seal {
    static func close(_ bytes: [UInt8], with key: SymmetricKey) throws -> [UInt8] {
        // `combined` is nil only for a nonce of another size than the default.
        Array(try AES.GCM.seal(Data(bytes), using: key).combined ?? Data())
    }

    /// nil for bytes that were not closed with `key`, or were changed.
    static func open(_ bytes: [UInt8], with key: SymmetricKey) -> [UInt8]? {
        guard let box = try? AES.GCM.SealedBox(combined: Data(bytes)) else { return nil }
        return (try? AES.GCM.open(box, using: key)).map { Array($0) }
    }

    /// A key for one purpose, derived from the worker key.
    static func key(from worker: SymmetricKey, for purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: worker, info: Data(purpose.utf8), outputByteCount: 32)
    }
}
