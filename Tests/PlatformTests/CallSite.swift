import Base
import CallDispatch
import ControlPlane
import Foundation
import HTTPClient
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Operations
import Store
import Telephony
import TestKit

/// The control plane with all routes over a bench, spoken to as carriers, workers and customers would.
struct CallSite: Sendable {
    static let workerKey = "worker-key-for-tests"

    let bench: CallBench
    let client: any TestClientProtocol
    let recordings: ScratchDirectory

    static func with(
        concurrency: Int = 100, dollars: Int64 = 100,
        _ body: @escaping @Sendable (CallSite) async throws -> Void
    ) async throws {
        try await CallBench.with(concurrency: concurrency, dollars: dollars) { bench in
            let keys = try CallBench.masterKeys()
            try await Bootstrap(database: bench.database, masterKeys: keys)(
                operatorKey: Redacted(TestPlatform.operatorKey), region: "local")
            let parts = ControlPlane.Parts(database: bench.database, masterKeys: keys)
            let http = HTTPClient(addresses: .anyAddress, logger: .quiet)
            let recordings = ScratchDirectory()
            let plane = ControlPlane(
                parts, health: HealthRoutes(checks: [], metrics: { "" }, openAPI: ""),
                keyed: CallResources.keyed(parts, bench.parts, recordings: recordings.path, http: http),
                open: CallResources.open(bench.parts, link: bench.link, workerKey: workerKey))
            let application = Application(router: plane.router, logger: .quiet)
            try await application.test(.router) { client in
                try await body(CallSite(bench: bench, client: client, recordings: recordings))
            }
            await http.close()
        }
    }

    /// As the operator, on behalf of the bench's tenant.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil, headers: [String: String] = [:]
    ) async throws -> Reply {
        var all = [
            "Authorization": "Bearer " + TestPlatform.operatorKey, "Parley-Tenant": bench.tenant.description,
        ]
        if json != nil { all["Content-Type"] = "application/json" }
        return try await raw(method, path, headers: all.merging(headers) { $1 }, body: json?.text)
    }

    /// Signed as the carrier signs, unless `signature` says otherwise.
    func carrier(_ path: String, _ form: [(String, String)], signature: String? = nil) async throws -> Reply {
        let signed = TwilioSignature(secrets: [CallBench.carrierToken]).sign(
            url: "https://parley.test" + path, form: form)
        var headers = ["Content-Type": "application/x-www-form-urlencoded"]
        if signature != "" { headers[TwilioSignature.header] = signature ?? signed }
        return try await raw(.post, path, headers: headers, body: TwilioREST.encode(form))
    }

    func raw(_ method: HTTPRequest.Method, _ path: String, headers: [String: String], body: String?)
        async throws -> Reply
    {
        var fields = HTTPFields()
        for (name, value) in headers { if let name = HTTPField.Name(name) { fields[name] = value } }
        let answer = try await client.executeRequest(
            uri: path, method: method, headers: fields, body: body.map { ByteBuffer(string: $0) })
        let text = String(buffer: answer.body)
        return Reply(
            status: answer.status.code, json: JSON(parsing: text) ?? .null, headers: answer.headers,
            text: text)
    }

    /// What the carrier sends when someone calls the bench's number.
    func inbound(_ sid: String, status: String = "ringing") -> [(String, String)] {
        [
            ("CallSid", sid), ("AccountSid", "AC1"), ("From", CallBench.otherNumber.description),
            ("To", CallBench.ownNumber.description), ("CallStatus", status), ("Direction", "inbound"),
        ]
    }

    /// The token in a TwiML answer.
    func token(in twiml: String) -> MediaToken? {
        guard let start = twiml.range(of: #"name="token" value=""#) else { return nil }
        return MediaToken(String(twiml[start.upperBound...].prefix { $0 != "\"" }), key: CallBench.workerKey)
    }
}
