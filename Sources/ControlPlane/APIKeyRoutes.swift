import Base
import HTTPTypes
import Hummingbird
import Store

/// `/v1/api-keys`: shown once, at creation.
struct APIKeyRoutes: Routes {
    static let scopesMax = 50

    private let parts: ControlPlane.Parts
    private var keys: APIKeyStore { parts.keys }

    init(_ parts: ControlPlane.Parts) { self.parts = parts }

    func add(to router: RouterGroup<ControlRequest>) {
        router.post("/v1/api-keys", use: create)
        router.get("/v1/api-keys", use: list)
        router.get("/v1/api-keys/{id}", use: get)
        router.delete("/v1/api-keys/{id}", use: revoke)
    }

    private func create(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.keysWrite)
        let body = try await Convert.body(request, context)
        let fields = try body.fields()
        let name = fields.string("name")
        let scopes = Self.scopes(fields)
        let expires = fields.optionalTime("expires_at")
        if let expires, expires <= .current { fields.fail("expires_at", "lies in the past") }
        try fields.finish()
        if let more = scopes.first(where: { !access.allows($0) }) {
            throw Problem(
                .forbidden, "missing_scope", "a key cannot give what it lacks: the scope \(more.rawValue)")
        }
        var random = SystemRandomNumberGenerator()
        let token = APIKeyToken.make(using: &random)
        let row = APIKeyRow(
            id: .new(), tenant: access.tenant, name: name, last4: String(token.reveal.suffix(4)),
            scopes: scopes.map(\.rawValue), expires: expires)
        return try await parts.idempotency.create(request, context, body) { [keys] sql in
            try await keys.insert(row, token: token, in: sql)
            var members = Self.json(row).object ?? [:]
            members["key"] = .string(token.reveal)
            return StoredAnswer(
                status: 201, location: "/v1/api-keys/\(row.id)", body: JSON.object(members).text)
        }
    }

    private func list(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.keysRead)
        let page = try parts.cursors.page(request, list: "api-keys", tenant: access.tenant, APIKey.self)
        let found = try await keys.list(access.tenant, page)
        return Answer.list(
            found.rows.map(Self.json),
            nextCursor: parts.cursors.text(found.next, list: "api-keys", tenant: access.tenant))
    }

    private func get(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.keysRead)
        guard let row = try await keys.find(access.tenant, id: try context.id("id")) else {
            throw Problem.notFound("key")
        }
        return Answer.json(Self.json(row))
    }

    private func revoke(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.keysWrite)
        guard try await keys.revoke(access.tenant, id: try context.id("id")) else {
            throw Problem.notFound("key")
        }
        return Answer.noContent()
    }

    private static func scopes(_ fields: Fields) -> [Scope] {
        let known = Scope.allCases.map(\.rawValue)
        let found = fields.optionalStrings(
            "scopes", count: 1...scopesMax, "scopes: " + known.joined(separator: ", ")
        ) { known.contains($0) }
        return fields.required("scopes", found, or: []).compactMap(Scope.init(rawValue:))
    }

    static func json(_ row: APIKeyRow) -> JSON {
        [
            "id": .id(row.id), "object": "api_key", "name": .string(row.name), "last4": .string(row.last4),
            "scopes": .strings(row.scopes), "created_at": .time(row.created),
            "expires_at": .time(row.expires),
            "revoked_at": .time(row.revoked), "last_used_at": .time(row.lastUsed),
        ]
    }
}
