import Base
import ControlPlane
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Operations
import Postgres
import Store
import TestKit

/// A whole control plane over a database of its own, spoken to as a client would.
struct TestPlatform: Sendable {
    static let operatorKey = "operator-key-for-tests-0123456789"
    static let masterKey = Data(repeating: 7, count: 32).base64EncodedString()

    let database: Database
    let parts: ControlPlane.Parts
    let raw: TestDatabase
    let routes: [Route]
    let client: any TestClientProtocol
    let metrics: Prometheus

    /// `setup`: `.router` calls the router directly, `.live` goes over a socket.
    static func with<T: Sendable>(
        _ setup: TestingSetup = .router,
        keyed: @escaping @Sendable (ControlPlane.Parts) -> [any Routes] = { _ in [] },
        _ body: @escaping @Sendable (TestPlatform) async throws -> T
    ) async throws -> T {
        try await TestDatabase.with { raw in
            let database = Database(Database.Settings(url: raw.url), logger: .quiet)
            let result: Result<T, any Error>
            do {
                result = .success(try await run(setup, raw, database, keyed, body))
            } catch {
                result = .failure(error)
            }
            await database.close()
            return try result.get()
        }
    }

    private static func run<T: Sendable>(
        _ setup: TestingSetup, _ raw: TestDatabase, _ database: Database,
        _ keyed: @Sendable (ControlPlane.Parts) -> [any Routes],
        _ body: @escaping @Sendable (TestPlatform) async throws -> T
    ) async throws -> T {
        let keys = try MasterKeys(Redacted(masterKey))
        try await Bootstrap(database: database, masterKeys: keys)(
            operatorKey: Redacted(operatorKey), region: "eu")
        let parts = ControlPlane.Parts(database: database, masterKeys: keys)
        let metrics = Prometheus()
        let health = HealthRoutes(
            checks: [.database(database)], metrics: { metrics.text + PoolMetrics.text(database) },
            openAPI: try openAPI())
        let plane = ControlPlane(parts, health: health, keyed: keyed(parts), metrics: metrics)
        let routes = plane.routes
        let application = Application(
            router: plane.router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            logger: .quiet)
        return try await application.test(setup) { client in
            try await body(
                TestPlatform(
                    database: database, parts: parts, raw: raw, routes: routes, client: client,
                    metrics: metrics))
        }
    }

    static func openAPI() throws -> String {
        try String(contentsOfFile: try ProgramFiles.locate("api/openapi.yaml", given: nil), encoding: .utf8)
    }
}

/// An answer, read.
struct Reply: Sendable {
    let status: Int
    let json: JSON
    let headers: HTTPFields
    let text: String
    var code: String? { json["code"]?.string }
    var id: String { json["id"]?.string ?? "" }
    /// Paths of `errors`.
    var paths: [String] { json["errors"]?.array?.compactMap { $0["path"]?.string } ?? [] }

    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }
}

extension TestPlatform {
    func send(
        _ method: HTTPRequest.Method, _ path: String, key: String? = TestPlatform.operatorKey,
        tenant: String? = nil,
        headers: [String: String] = [:], text: String?
    ) async throws -> Reply {
        var fields = HTTPFields()
        if let key { fields[.authorization] = "Bearer \(key)" }
        if let tenant { fields[.parleyTenant] = tenant }
        if text != nil { fields[.contentType] = "application/json" }
        for (name, value) in headers { if let name = HTTPField.Name(name) { fields[name] = value } }
        let answer = try await client.executeRequest(
            uri: path, method: method, headers: fields, body: text.map { ByteBuffer(string: $0) })
        let body = String(buffer: answer.body)
        return Reply(
            status: answer.status.code, json: JSON(parsing: body) ?? .null, headers: answer.headers,
            text: body)
    }

    func post(
        _ path: String, _ json: JSON, key: String? = TestPlatform.operatorKey, tenant: String? = nil,
        headers: [String: String] = [:]
    ) async throws -> Reply {
        try await send(.post, path, key: key, tenant: tenant, headers: headers, text: json.text)
    }
    func patch(_ path: String, _ json: JSON, key: String? = TestPlatform.operatorKey) async throws -> Reply {
        try await send(.patch, path, key: key, text: json.text)
    }
    func get(_ path: String, key: String? = TestPlatform.operatorKey, tenant: String? = nil) async throws
        -> Reply
    {
        try await send(.get, path, key: key, tenant: tenant, text: nil)
    }
    func delete(_ path: String, key: String? = TestPlatform.operatorKey) async throws -> Reply {
        try await send(.delete, path, key: key, text: nil)
    }

    /// A client tenant under the operator, and a key of its own.
    func makeTenant(
        _ name: String, scopes: [String] = ["*"], kind: String = "client"
    ) async throws -> (id: String, key: String) {
        let tenant = try await post(
            "/v1/tenants", ["name": .string(name), "kind": .string(kind), "concurrency_limit": 10])
        let key = try await makeKey(tenant: tenant.id, scopes: scopes)
        return (tenant.id, key)
    }

    func makeKey(tenant: String, scopes: [String]) async throws -> String {
        let made = try await post(
            "/v1/api-keys", ["name": "test", "scopes": .array(scopes.map(JSON.string))], tenant: tenant)
        return made.json["key"]?.string ?? ""
    }

    /// A smallest agent that passes its checks.
    static let definition: JSON = [
        "flow": ["start": "hello", "nodes": [["id": "hello", "say": "Good day.", "end": true]]]
    ]
    func makeAgent(key: String) async throws -> String {
        try await post("/v1/agents", ["name": "Desk", "definition": Self.definition], key: key).id
    }
    func makeCredential(key: String) async throws -> String {
        try await post(
            "/v1/credentials",
            ["vendor": "twilio", "account_sid": "AC123", "auth_token": "secret-token-1234"],
            key: key
        ).id
    }
}
