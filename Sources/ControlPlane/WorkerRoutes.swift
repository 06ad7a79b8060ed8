import Base
import CallDispatch
import Crypto
import Foundation
import HTTPTypes
import Hummingbird

/// `/internal/v1/…`: the control link for workers in other processes. Bearer `PARLEY_WORKER_KEY`.
struct WorkerRoutes: Routes {
    /// A full batch of reports with words.
    static let bodyBytesMax = 8 << 20

    private let link: any ControlLink
    private let keyDigest: [UInt8]

    init(link: any ControlLink, key: String) {
        self.link = link
        keyDigest = Array(SHA256.hash(data: Data(key.utf8)))
    }

    func add(to router: RouterGroup<ControlRequest>) {
        router.post("/internal/v1/renew") { request, context in
            try await answer(request, context) { try await link.renew($0 as WorkerStatus) }
        }
        router.post("/internal/v1/claim") { request, context in
            try await answer(request, context) { (body: ControlWire.Claim) in
                ControlWire.ClaimAnswer(
                    plan: try await link.claim(body.call, tenant: body.tenant, worker: body.worker))
            }
        }
        router.post("/internal/v1/attach") { request, context in
            try await answer(request, context) { (body: ControlWire.Attach) in
                try await link.attach(body.token, worker: body.worker, carrierCallID: body.carrierCallID)
            }
        }
        router.post("/internal/v1/extend-hold") { request, context in
            try await answer(request, context) { (body: ControlWire.ExtendHold) in
                try await link.extendHold(
                    body.call, tenant: body.tenant, epoch: body.epoch, number: body.number)
            }
        }
        router.post("/internal/v1/report") { request, context in
            try await answer(request, context) { try await link.report($0 as [Report]) }
        }
    }

    private func answer<Body: Decodable, Result: Encodable>(
        _ request: Request, _ context: ControlRequest, _ act: (Body) async throws -> Result
    ) async throws -> Response {
        try authenticate(request)
        let bytes = try await Convert.bytes(request, type: "application/json", limit: Self.bodyBytesMax)
        let body: Body
        do {
            body = try JSONDecoder().decode(Body.self, from: Data(bytes))
        } catch {
            throw Problem(.badRequest, "bad_json", "the body is not what this route takes")
        }
        do {
            let text = String(decoding: try JSONEncoder().encode(try await act(body)), as: UTF8.self)
            return Answer.text(text, type: "application/json")
        } catch let refusal as Refusal {
            // Workers read a refusal from 409, whatever it is.
            throw Problem(.conflict, refusal.code, refusal.message)
        }
    }

    /// Compares digests, so the time taken says nothing about the key.
    private func authenticate(_ request: Request) throws {
        let given = request.headers[.authorization] ?? ""
        let digest = Array(SHA256.hash(data: Data(given.utf8.dropFirst("Bearer ".utf8.count))))
        let isRight = zip(digest, keyDigest).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
        guard given.hasPrefix("Bearer "), isRight else {
            throw Problem(.unauthorized, "unauthorized", "this needs the worker key")
        }
    }
}
