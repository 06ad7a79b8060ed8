package import Base
import Foundation
package import HTTPClient

/// An account at the carrier and where its API is.
package struct TwilioAccount: Hashable, Sendable {
    package var sid: String
    package var authToken: Redacted<String>
    /// Without a trailing slash, `https://api.twilio.com`.
    package var baseURL: String
    package init(sid: String, authToken: Redacted<String>, baseURL: String) {
        self.sid = sid
        self.authToken = authToken
        self.baseURL = baseURL
    }
}

/// The carrier's calls: place one, end one, send one elsewhere.
package struct TwilioREST: Sendable {
    package static let connectLimit: Duration = .seconds(3)
    package static let answerLimit: Duration = .seconds(10)
    private static let responseBytesMax = 1 << 18

    /// What an outbound call needs.
    package struct Dial: Hashable, Sendable {
        package var to: Redacted<E164>
        package var from: Redacted<E164>
        /// Asked for instructions when the call is answered.
        package var url: String
        package var statusURL: String
        /// Seconds it may ring, 5...600.
        package var ringSeconds: Int
        /// Seconds it may last: the carrier's own cut if all of us is lost.
        package var limitSeconds: Int
        package init(
            to: Redacted<E164>, from: Redacted<E164>, url: String, statusURL: String, ringSeconds: Int,
            limitSeconds: Int
        ) {
            self.to = to
            self.from = from
            self.url = url
            self.statusURL = statusURL
            self.ringSeconds = ringSeconds
            self.limitSeconds = limitSeconds
        }
    }

    private let account: TwilioAccount
    private let http: HTTPClient

    package init(account: TwilioAccount, http: HTTPClient) {
        self.account = account
        self.http = http
    }

    /// Places a call and returns the carrier's id of it.
    ///
    /// - Throws: `Fault` carrier.unreachable (unsafe: it may ring), carrier.rate_limited, carrier.refused,
    ///   carrier.unauthorized, carrier.failed
    package func createCall(_ dial: Dial) async throws -> String {
        let body = try await post("/Calls.json", Self.form(dial), isRepeatable: false)
        struct Created: Decodable { var sid: String }
        guard let created = try? JSONDecoder().decode(Created.self, from: Data(body)), !created.sid.isEmpty
        else {
            throw Fault(code: "carrier.failed", retry: .unsafe, cause: "the carrier's answer has no sid")
        }
        return created.sid
    }

    /// Ends a live call; a call that is over already is a success.
    package func hangUp(_ callSid: String) async throws {
        try await update(callSid, [("Status", "completed")])
    }

    /// Sends a live call to other instructions; its media stream ends.
    package func redirect(_ callSid: String, to url: String) async throws {
        try await update(callSid, [("Url", url), ("Method", "POST")])
    }

    private func update(_ callSid: String, _ form: [(String, String)]) async throws {
        guard
            callSid.utf8.allSatisfy({
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
            }),
            !callSid.isEmpty
        else { throw Fault(code: "carrier.refused", retry: .never, cause: "not a carrier call id") }
        _ = try await post("/Calls/\(callSid).json", form, isRepeatable: true)
    }

    private func post(_ path: String, _ form: [(String, String)], isRepeatable: Bool) async throws -> [UInt8]
    {
        let credentials = Data("\(account.sid):\(account.authToken.reveal)".utf8).base64EncodedString()
        let request = HTTPRequest(
            method: "POST", url: "\(account.baseURL)/2010-04-01/Accounts/\(account.sid)\(path)",
            headers: [
                ("Authorization", "Basic " + credentials),
                ("Content-Type", "application/x-www-form-urlencoded"),
            ],
            body: Array(Self.encode(form).utf8),
            limits: HTTPLimits(
                connect: Self.connectLimit, total: Self.answerLimit, responseBytesMax: Self.responseBytesMax))
        let response: HTTPResponse
        do {
            response = try await http.send(request)
        } catch let error as HTTPError {
            throw Self.fault(error, isRepeatable: isRepeatable)
        }
        if let fault = Self.fault(status: response.status, body: response.body, isRepeatable: isRepeatable) {
            throw fault
        }
        return response.body
    }
}

/// Wire forms and the one table of the carrier's errors: pure, so tests need no carrier.
extension TwilioREST {
    package static func form(_ dial: Dial) -> [(String, String)] {
        [
            ("To", dial.to.reveal.description), ("From", dial.from.reveal.description), ("Url", dial.url),
            ("Method", "POST"), ("StatusCallback", dial.statusURL), ("StatusCallbackMethod", "POST"),
        ] + ["initiated", "ringing", "answered", "completed"].map { ("StatusCallbackEvent", $0) }
            + [("Timeout", String(dial.ringSeconds)), ("TimeLimit", String(dial.limitSeconds))]
    }

    package static func encode(_ form: [(String, String)]) -> String {
        form.map { escape($0.0) + "=" + escape($0.1) }.joined(separator: "&")
    }

    private static func escape(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F:
                escaped.unicodeScalars.append(UnicodeScalar(byte))
            default: escaped += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return escaped
    }

    /// nil when the carrier did as asked. 20404 and 21220 on an update mean that the call is over already.
    package static func fault(status: Int, body: [UInt8], isRepeatable: Bool) -> Fault? {
        guard !(200..<300).contains(status) else { return nil }
        struct Problem: Decodable { var code: Int? }
        let code = (try? JSONDecoder().decode(Problem.self, from: Data(body)))?.code ?? 0
        if isRepeatable, code == 20404 || code == 21220 || status == 404 { return nil }
        let cause = "carrier answered \(status), code \(code)"
        switch status {
        case 429: return Fault(code: "carrier.rate_limited", retry: .after(.seconds(1)), cause: cause)
        case 401, 403: return Fault(code: "carrier.unauthorized", retry: .never, cause: cause)
        case 400..<500: return Fault(code: "carrier.refused", retry: .never, cause: cause)
        case 503: return Fault(code: "carrier.failed", retry: .after(.seconds(1)), cause: cause)
        default:
            return Fault(
                code: "carrier.failed", retry: isRepeatable ? .after(.seconds(1)) : .unsafe, cause: cause)
        }
    }

    private static func fault(_ error: HTTPError, isRepeatable: Bool) -> Fault {
        let mayRepeat: Bool =
            switch error {
            case .connect, .refusedAddress, .badURL: true
            default: isRepeatable
            }
        return Fault(
            code: "carrier.unreachable", retry: mayRepeat ? .after(.milliseconds(500)) : .unsafe,
            cause: error.fault.cause)
    }
}
