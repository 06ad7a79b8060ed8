import Crypto
import Foundation

/// Judges and makes the `X-Twilio-Signature` of webhooks.
///
/// The data is the URL as the carrier called it, then for forms each name with its distinct values, both in byte
/// order; a JSON body is covered by `bodySHA256` in the URL. Source: reference/providers/twilio.md.
package struct TwilioSignature: Sendable {
    package enum Algorithm: Sendable { case sha1, sha256 }

    package static let header = "X-Twilio-Signature"
    /// `key=<id>,algorithm=HMAC_SHA256`: the account signs with a shared key instead of its token.
    package static let settingsHeader = "X-Twilio-Webhooks-Signature-Settings"

    /// Any of these may have signed: primary and secondary token while one is being changed.
    private let secrets: [String]
    private let algorithm: Algorithm

    package init(secrets: [String], algorithm: Algorithm = .sha1) {
        self.secrets = secrets
        self.algorithm = algorithm
    }

    /// The algorithm that `settings` names; nil for one we do not know, which is refused.
    package static func algorithm(settings: String?) -> Algorithm? {
        guard let settings else { return .sha1 }
        for part in settings.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            guard pair.count == 2, pair[0].lowercased() == "algorithm" else { continue }
            switch pair[1].uppercased() {
            case "HMAC_SHA1", "HMAC-SHA1": return .sha1
            case "HMAC_SHA256", "HMAC-SHA256": return .sha256
            default: return nil
            }
        }
        return nil
    }

    /// base64 of the HMAC with the first secret.
    package func sign(url: String, form: [(String, String)] = []) -> String {
        Data(mac(Self.text(url, form), secret: secrets.first ?? "")).base64EncodedString()
    }

    /// True when `signature` fits the URL in one of its spellings (with and without port and trailing slash).
    ///
    /// `body` is given for bodies that are not forms: the URL must then carry its SHA-256.
    package func isValid(
        _ signature: String, url: String, form: [(String, String)] = [], body: [UInt8]? = nil
    ) -> Bool {
        guard let given = Data(base64Encoded: signature), given.count == (algorithm == .sha1 ? 20 : 32) else {
            return false
        }
        if let body, !Self.carries(digestOf: body, url: url) { return false }
        var isValid = false
        for secret in secrets where !secret.isEmpty {
            for spelling in Self.spellings(of: url) {
                isValid =
                    Self.areEqual(mac(Self.text(spelling, form), secret: secret), Array(given)) || isValid
            }
        }
        return isValid
    }

    private func mac(_ text: String, secret: String) -> [UInt8] {
        let key = SymmetricKey(data: Data(secret.utf8))
        switch algorithm {
        case .sha1: return Array(HMAC<Insecure.SHA1>.authenticationCode(for: Data(text.utf8), using: key))
        case .sha256: return Array(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key))
        }
    }

    private static func text(_ url: String, _ form: [(String, String)]) -> String {
        let byName = Dictionary(grouping: form, by: \.0)
        let names = byName.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return names.reduce(into: url) { text, name in
            let values = Set(byName[name, default: []].map(\.1))
            for value in values.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
                text += name + value
            }
        }
    }

    /// In time that does not depend on where they differ.
    private static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        return zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func carries(digestOf body: [UInt8], url: String) -> Bool {
        guard let query = url.split(separator: "?", maxSplits: 1).dropFirst().first,
            let part = query.split(separator: "&").first(where: { $0.hasPrefix("bodySHA256=") })
        else { return false }
        let digest = SHA256.hash(data: Data(body)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            .joined()
        return areEqual(Array(digest.utf8), Array(part.dropFirst(11).lowercased().utf8))
    }

    /// The URL as given, with its default port and without any, each with and without a trailing slash.
    package static func spellings(of url: String) -> [String] {
        var all = [url]
        func add(_ text: String) { if !all.contains(text) { all.append(text) } }
        guard let parts = URLParts(url) else { return all }
        let port = parts.isSecure ? "443" : "80"
        let hosts =
            parts.port == nil
            ? [parts.host, parts.host + ":" + port] : [parts.host, parts.host + ":" + parts.port!]
        for host in hosts {
            add(parts.scheme + "://" + host + parts.path + parts.query)
            let other = parts.path.hasSuffix("/") ? String(parts.path.dropLast()) : parts.path + "/"
            add(parts.scheme + "://" + host + other + parts.query)
        }
        return all
    }

    /// A URL cut at its marks, nothing decoded.
    private struct URLParts {
        var scheme: String, host: String, port: String?, path: String, query: String
        var isSecure: Bool { scheme == "https" || scheme == "wss" }

        init?(_ url: String) {
            guard let mark = url.range(of: "://") else { return nil }
            scheme = String(url[..<mark.lowerBound])
            let rest = url[mark.upperBound...]
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            let tail = rest.dropFirst(authority.count)
            path = String(tail.prefix { $0 != "?" })
            query = String(tail.dropFirst(path.count))
            if let colon = authority.lastIndex(of: ":"),
                authority[colon...].dropFirst().allSatisfy(\.isNumber)
            {
                host = String(authority[..<colon])
                port = String(authority[authority.index(after: colon)...])
            } else {
                host = String(authority)
                port = nil
            }
        }
    }
}
