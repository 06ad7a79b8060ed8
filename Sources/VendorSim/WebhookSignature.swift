import Crypto
import Foundation

/// How the carrier signs what it sends: base64 of an HMAC over the URL and the form's parameters.
///
/// Written a second time here on purpose: the outside world shares no code with the adapter it tests.
/// Source: reference/providers/twilio.md, vectors in test-vectors.md.
package enum WebhookSignature {
    package static let header = "X-Twilio-Signature"

    /// - Parameter parameters: form fields in any order; a name may occur several times. Empty for GET and
    /// WebSockets.
    package static func make(url: String, parameters: [(String, String)], token: String) -> String {
        let key = SymmetricKey(data: Data(token.utf8))
        let signed = signedText(url: url, parameters: parameters)
        let mac = HMAC<Insecure.SHA1>.authenticationCode(for: Data(signed.utf8), using: key)
        return Data(mac).base64EncodedString()
    }

    /// Names in byte order, each followed by its distinct values in byte order; an empty value still brings
    /// its name.
    static func signedText(url: String, parameters: [(String, String)]) -> String {
        var values: [String: Set<String>] = [:]
        for (name, value) in parameters { values[name, default: []].insert(value) }
        let names = values.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return names.reduce(into: url) { text, name in
            let sorted = (values[name] ?? []).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            for value in sorted { text += name + value }
        }
    }
}
