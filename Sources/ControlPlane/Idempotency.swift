import Base
import Crypto
import Foundation
import HTTPTypes
package import Hummingbird
package import Postgres
package import Store

/// `Idempotency-Key` on a create; `IdempotencyStore` says how it holds.
package struct Idempotency: Sendable {
    let store: IdempotencyStore

    /// Runs `effect` in one SQL transaction of the caller's tenant and answers what it returns; a repetition with the
    /// same key and body gets the same answer with `Idempotent-Replayed: true` and causes nothing.
    ///
    /// Make ids before the call, not in `effect`, which may run again after a deadlock.
    package func create(
        _ request: Request, _ context: ControlRequest, _ body: Convert.Body,
        as role: IdempotencyStore.Role = .tenant,
        _ effect: @escaping @Sendable (PostgresTransaction) async throws -> StoredAnswer
    ) async throws -> Response {
        let tenant = try context.caller().tenant
        let key = try Self.key(request, body)
        let outcome = try await store.once(tenant, key: key, as: role, effect)
        let status = HTTPResponse.Status(code: outcome.answer.status)
        var response = Answer.text(outcome.answer.body, type: "application/json", status: status)
        if let location = outcome.answer.location { response.headers[.location] = location }
        if outcome.isReplayed { response.headers[.idempotentReplayed] = "true" }
        return response
    }

    private static func key(_ request: Request, _ body: Convert.Body) throws -> IdempotencyKey? {
        guard let key = request.headers[.idempotencyKey] else { return nil }
        guard (1...IdempotencyKey.lengthMax).contains(key.utf8.count),
            key.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else {
            throw Problem(
                .badRequest, "bad_idempotency_key",
                "Idempotency-Key has 1 to \(IdempotencyKey.lengthMax) printable ASCII characters")
        }
        var hash = SHA256()
        hash.update(data: Data("\(request.method.rawValue) \(request.uri.path)\n".utf8))
        hash.update(data: Data(body.bytes))
        return IdempotencyKey(key: key, fingerprint: Array(hash.finalize()))
    }
}
