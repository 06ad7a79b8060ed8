import Base
import CallDispatch
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Operations
import Store
import Telephony

/// Reads a carrier's form and believes it only with a signature of the account it speaks for.
struct SignedForm: Sendable {
    struct Read: Sendable {
        let fields: [(String, String)]
        /// The call named in the URL.
        var call: CallRow?
        /// The number of ours it is about.
        var number: OwnNumber?
        let carrierCallID: String
        subscript(name: String) -> String? { fields.first { $0.0 == name }?.1 }
    }

    /// The same for a missing, a wrong and an unjudgeable signature.
    static let refused = Problem(
        .forbidden, "bad_signature", "the request is not signed as the carrier signs")

    private let calls: CallParts
    private let credentials: CredentialStore

    init(_ calls: CallParts) {
        self.calls = calls
        credentials = CredentialStore(calls.database, vault: calls.vault)
    }

    /// - Throws: 403 `bad_signature`, after one log line without numbers.
    func form(_ request: Request, _ context: ControlRequest) async throws -> Read {
        let bytes = try await Convert.bytes(
            request, type: "application/x-www-form-urlencoded", limit: CarrierRoutes.bodyBytesMax)
        let fields = Self.decode(String(decoding: bytes, as: UTF8.self))
        let callSid = fields.first { $0.0 == "CallSid" }?.1 ?? ""
        var read = Read(fields: fields, carrierCallID: callSid)
        guard let signature = request.headers[Self.signatureHeader], (1...100).contains(callSid.utf8.count)
        else {
            throw refuse(context, "unsigned")
        }
        guard let (tenant, credential) = try await account(&read, request) else {
            throw refuse(context, "unknown")
        }
        guard let algorithm = TwilioSignature.algorithm(settings: request.headers[Self.settingsHeader]),
            let secret = try await credentials.reveal(tenant, id: credential)?.secret.reveal,
            TwilioSignature(secrets: [secret], algorithm: algorithm).isValid(
                signature, url: url(request), form: fields)
        else { throw refuse(context, "wrong") }
        return read
    }

    /// Whose token must have signed: that of the call in the URL, or of the number of ours in the form.
    private func account(_ read: inout Read, _ request: Request) async throws -> (ID<Tenant>, ID<Credential>)?
    {
        if let text = request.uri.queryParameters["call"] {
            let store = CallStore(calls.database)
            guard let id = ID<Call>(String(text)), let tenant = try await store.tenant(of: id),
                let call = try await store.find(tenant, id), let credential = call.credential
            else { return nil }
            read.call = call
            return (tenant, credential)
        }
        let plans = PlanStore(calls.database)
        for name in ["To", "From", "Called"] {
            guard let text = read[name], E164(text) != nil, let number = try await plans.owner(of: text)
            else { continue }
            read.number = number
            return (number.tenant, number.credential)
        }
        return nil
    }

    /// As the carrier called it: behind a proxy `Host` is not to be trusted.
    private func url(_ request: Request) -> String {
        let query = request.uri.query.map { "?" + $0 } ?? ""
        return calls.urls.publicURL + request.uri.path + query
    }

    private func refuse(_ context: ControlRequest, _ why: String) -> Problem {
        context.logger.warning("carrier request refused", metadata: ["signature": .string(why)])
        return Self.refused
    }

    private static let signatureHeader = header(TwilioSignature.header)
    private static let settingsHeader = header(TwilioSignature.settingsHeader)
    private static func header(_ name: String) -> HTTPField.Name {
        guard let field = HTTPField.Name(name) else { preconditionFailure("\(name) is not a header's name") }
        return field
    }

    /// application/x-www-form-urlencoded, order kept.
    static func decode(_ text: String) -> [(String, String)] {
        text.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            func plain(_ part: Substring?) -> String {
                let spaced = (part ?? "").replacing("+", with: " ")
                return spaced.removingPercentEncoding ?? String(spaced)
            }
            return (plain(parts.first), plain(parts.dropFirst().first))
        }
    }
}
