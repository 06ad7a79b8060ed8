package import Base
package import Crypto
import Foundation

/// Lets one media stream reach one call on one worker under one epoch, for `lifetime`.
///
/// Wire form: five fields and an HMAC-SHA-256 under the worker key, joined by `.`; letters, digits, `_`, `.` and `-`.
package struct MediaToken: Hashable, Sendable, Codable {
    package static let lifetime: Duration = .seconds(60)

    package var tenant: ID<Tenant>
    package var call: ID<Call>
    package var worker: ID<Worker>
    package var epoch: Int
    package var expires: Timestamp

    package init(tenant: ID<Tenant>, call: ID<Call>, worker: ID<Worker>, epoch: Int, expires: Timestamp) {
        self.tenant = tenant
        self.call = call
        self.worker = worker
        self.epoch = epoch
        self.expires = expires
    }

    package func sealed(with key: SymmetricKey) -> String {
        let text = payload
        return text + "." + Self.mac(text, key)
    }

    /// nil unless the token was sealed with `key`. Expiry is the reader's to check: it has the clock.
    package init?(_ text: String, key: SymmetricKey) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= 512, parts.count == 6,
            let mac = Self.bytes(hex: parts[5]),
            HMAC<SHA256>.isValidAuthenticationCode(
                mac, authenticating: Data(parts[0..<5].joined(separator: ".").utf8), using: key),
            let tenant = ID<Tenant>(String(parts[0])), let call = ID<Call>(String(parts[1])),
            let worker = ID<Worker>(String(parts[2])), let epoch = Int(parts[3]),
            let expires = Int64(parts[4])
        else { return nil }
        self.init(
            tenant: tenant, call: call, worker: worker, epoch: epoch,
            expires: Timestamp(milliseconds: expires))
    }

    private var payload: String { "\(tenant).\(call).\(worker).\(epoch).\(expires.milliseconds)" }

    private static func mac(_ text: String, _ key: SymmetricKey) -> String {
        HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key)
            .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func bytes(hex: Substring) -> [UInt8]? {
        let digits = Array(hex.utf8)
        guard digits.count == 64 else { return nil }
        let values = digits.map { Character(UnicodeScalar($0)).hexDigitValue }
        guard values.allSatisfy({ $0 != nil }) else { return nil }
        return stride(from: 0, to: 64, by: 2).map { UInt8(values[$0]! << 4 | values[$0 + 1]!) }
    }
}
