package import Base
import Foundation
package import HTTPClient

/// The bodies of `/internal/v1/…`, both ways as JSON by `Codable`. `renew` takes a `WorkerStatus`, `report` `[Report]`.
package enum ControlWire {
    package struct Claim: Sendable, Codable {
        package var call: ID<Call>
        package var tenant: ID<Tenant>
        package var worker: ID<Worker>
        package init(call: ID<Call>, tenant: ID<Tenant>, worker: ID<Worker>) {
            self.call = call
            self.tenant = tenant
            self.worker = worker
        }
    }

    /// `plan` is null when the call is not waiting any more.
    package struct ClaimAnswer: Sendable, Codable {
        package var plan: Plan?
        package init(plan: Plan?) { self.plan = plan }
    }

    package struct Attach: Sendable, Codable {
        package var token: MediaToken
        package var worker: ID<Worker>
        package var carrierCallID: String
        package init(token: MediaToken, worker: ID<Worker>, carrierCallID: String) {
            self.token = token
            self.worker = worker
            self.carrierCallID = carrierCallID
        }
    }

    package struct ExtendHold: Sendable, Codable {
        package var call: ID<Call>
        package var tenant: ID<Tenant>
        package var epoch: Int
        package var number: Int
        package init(call: ID<Call>, tenant: ID<Tenant>, epoch: Int, number: Int) {
            self.call = call
            self.tenant = tenant
            self.epoch = epoch
            self.number = number
        }
    }

    /// What is read of a problem document when the rules say no.
    package struct Problem: Sendable, Codable {
        package var code: String?
        package var detail: String?
    }
}

/// The control plane of another process, over HTTP with the worker key as bearer.
///
/// 403 and 409 with a problem document are a `Refusal`; everything else that is not 2xx is a `Fault`.
package struct HTTPControlLink: ControlLink {
    package static let connectLimit: Duration = .seconds(2)
    /// A lease lasts two seconds: a later answer is of no use.
    package static let renewLimit: Duration = .milliseconds(1500)
    package static let claimLimit: Duration = .seconds(5)
    /// The caller hears nothing meanwhile.
    package static let attachLimit: Duration = .seconds(3)
    package static let holdLimit: Duration = .seconds(3)
    package static let reportLimit: Duration = .seconds(10)
    private static let answerBytesMax = 1 << 21

    private let baseURL: String
    private let key: Redacted<String>
    private let http: HTTPClient

    /// `baseURL` without a trailing slash; `key` is `PARLEY_WORKER_KEY` as written.
    package init(baseURL: String, key: Redacted<String>, http: HTTPClient) {
        self.baseURL = baseURL
        self.key = key
        self.http = http
    }

    package func renew(_ status: WorkerStatus) async throws -> LeaseAnswer {
        try await post("renew", status, within: Self.renewLimit)
    }

    package func claim(_ call: ID<Call>, tenant: ID<Tenant>, worker: ID<Worker>) async throws -> Plan? {
        let answer: ControlWire.ClaimAnswer = try await post(
            "claim", ControlWire.Claim(call: call, tenant: tenant, worker: worker), within: Self.claimLimit)
        return answer.plan
    }

    package func attach(_ token: MediaToken, worker: ID<Worker>, carrierCallID: String) async throws -> Plan {
        try await post(
            "attach", ControlWire.Attach(token: token, worker: worker, carrierCallID: carrierCallID),
            within: Self.attachLimit)
    }

    package func extendHold(
        _ call: ID<Call>, tenant: ID<Tenant>, epoch: Int, number: Int
    ) async throws -> HoldAnswer {
        try await post(
            "extend-hold", ControlWire.ExtendHold(call: call, tenant: tenant, epoch: epoch, number: number),
            within: Self.holdLimit)
    }

    package func report(_ reports: [Report]) async throws -> ReportReceipt {
        try await post("report", reports, within: Self.reportLimit)
    }

    private func post<Answer: Decodable>(
        _ path: String, _ body: some Encodable, within limit: Duration
    ) async throws -> Answer {
        let request = HTTPRequest(
            method: "POST", url: "\(baseURL)/internal/v1/\(path)",
            headers: [("Authorization", "Bearer " + key.reveal), ("Content-Type", "application/json")],
            body: Array(try JSONEncoder().encode(body)),
            limits: HTTPLimits(
                connect: Self.connectLimit, total: limit, responseBytesMax: Self.answerBytesMax))
        let response: HTTPResponse
        do {
            response = try await http.send(request)
        } catch let error as HTTPError {
            throw Fault(
                code: "control.unreachable", retry: .after(.milliseconds(100)), cause: error.fault.cause)
        }
        return try Self.answer(status: response.status, body: response.body)
    }

    /// - Throws: `Refusal` with the control plane's code; `Fault` control.failed, control.unauthorized
    package static func answer<Answer: Decodable>(status: Int, body: [UInt8]) throws -> Answer {
        let text = Data(body)
        switch status {
        case 200..<300:
            do {
                return try JSONDecoder().decode(Answer.self, from: text)
            } catch {
                throw Fault(code: "control.failed", retry: .never, cause: "the answer cannot be read")
            }
        case 403, 409:
            if let problem = try? JSONDecoder().decode(ControlWire.Problem.self, from: text),
                let code = problem.code
            {
                throw Refusal(code: code, message: problem.detail ?? "")
            }
            throw Fault(code: "control.failed", retry: .never, cause: "status \(status) without a code")
        case 401:
            throw Fault(code: "control.unauthorized", retry: .never, cause: "the worker key is not accepted")
        default:
            let retry: Fault.Retry =
                (500..<600).contains(status) || status == 429 ? .after(.milliseconds(200)) : .never
            throw Fault(code: "control.failed", retry: retry, cause: "status \(status)")
        }
    }
}
