import Base
import Foundation
import HTTPClient

/// The REST API as a customer's program sees it.
struct APIClient: Sendable {
    let client: HTTPClient
    let baseURL: String
    var key: String
    /// Acts for this tenant (`Parley-Tenant`).
    var tenant: String?

    func get(_ path: String) async throws -> JSON { try await call("GET", path, nil) }

    func post(_ path: String, _ body: JSON, idempotencyKey: String? = nil) async throws -> JSON {
        try await call("POST", path, body, idempotencyKey: idempotencyKey)
    }

    func bytes(_ path: String) async throws -> [UInt8] {
        let response = try await client.send(request("GET", path, nil, nil))
        guard response.status == 200 else { throw failure("GET", path, response) }
        return response.body
    }

    /// A file of a call; nil when there is none.
    func file(_ path: String) async throws -> Data? {
        let response = try await client.send(request("GET", path, nil, nil))
        if response.status == 404 { return nil }
        guard response.status == 200 else { throw failure("GET", path, response) }
        return Data(response.body)
    }

    private func call(_ method: String, _ path: String, _ body: JSON?, idempotencyKey: String? = nil)
        async throws -> JSON
    {
        let response = try await client.send(request(method, path, body, idempotencyKey))
        guard (200..<300).contains(response.status) else { throw failure(method, path, response) }
        return try JSONDecoder().decode(JSON.self, from: Data(response.body))
    }

    private func request(_ method: String, _ path: String, _ body: JSON?, _ idempotencyKey: String?) throws
        -> HTTPRequest
    {
        var headers = [("Authorization", "Bearer \(key)")]
        if let tenant { headers.append(("Parley-Tenant", tenant)) }
        if let idempotencyKey { headers.append(("Idempotency-Key", idempotencyKey)) }
        var bytes: [UInt8] = []
        if let body {
            headers.append(("Content-Type", "application/json"))
            bytes = Array(try JSONEncoder().encode(body))
        }
        var limits = HTTPLimits()
        limits.responseBytesMax = 64 << 20  // A recording of half an hour.
        limits.total = .seconds(30)
        return HTTPRequest(method: method, url: baseURL + path, headers: headers, body: bytes, limits: limits)
    }

    private func failure(_ method: String, _ path: String, _ response: HTTPResponse) -> DemoFailure {
        DemoFailure(
            "\(method) \(path) answered \(response.status): \(String(decoding: response.body.prefix(600), as: UTF8.self))"
        )
    }
}
