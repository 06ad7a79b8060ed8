import Base
import CallDispatch
import Hummingbird
import Operations
import Store

/// `/v1/webhook-endpoints`: where a tenant is told what happens. The secret is shown once.
struct WebhookEndpointRoutes: Routes {
    static let events = ["*", "call.started", "call.ended"]

    private let parts: ControlPlane.Parts
    private let endpoints: WebhookStore

    init(_ parts: ControlPlane.Parts) {
        self.parts = parts
        endpoints = WebhookStore(parts.database)
    }

    func add(to router: RouterGroup<ControlRequest>) {
        router.post("/v1/webhook-endpoints", use: create)
        router.get("/v1/webhook-endpoints", use: list)
        router.get("/v1/webhook-endpoints/{id}", use: get)
        router.patch("/v1/webhook-endpoints/{id}", use: update)
        router.delete("/v1/webhook-endpoints/{id}", use: delete)
    }

    private func create(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.webhooksWrite)
        let body = try await Convert.body(request, context)
        let fields = try body.fields()
        let url = fields.required("url", fields.optionalURL("url"), or: "")
        let events = Self.events(fields) ?? ["*"]
        try fields.finish()
        let id = ID<WebhookEndpoint>.new()
        let (key, secret) = WebhookSignature.makeSecret()
        let sealed = try await parts.vault.seal(for: access.tenant).seal(
            key, column: WebhookStore.secretColumn, row: id.description)
        let row = WebhookEndpointRow(
            id: id, url: url, events: events, sealedSecret: sealed)
        return try await parts.idempotency.create(request, context, body) { sql in
            guard try await WebhookStore.count(access.tenant, in: sql) < WebhookStore.endpointsMax else {
                throw Refusal(
                    code: "too_many_endpoints",
                    message: "a tenant has at most \(WebhookStore.endpointsMax) endpoints")
            }
            try await WebhookStore.insert(access.tenant, row, in: sql)
            var members = Self.json(row).object ?? [:]
            members["secret"] = .string(secret.reveal)
            return StoredAnswer(
                status: 201, location: "/v1/webhook-endpoints/\(id)", body: JSON.object(members).text)
        }
    }

    private func list(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.webhooksRead)
        let page = try parts.cursors.page(
            request, list: "webhook-endpoints", tenant: access.tenant, WebhookEndpoint.self)
        let found = try await endpoints.list(access.tenant, page)
        return Answer.list(
            found.rows.map(Self.json),
            nextCursor: parts.cursors.text(found.next, list: "webhook-endpoints", tenant: access.tenant))
    }

    private func get(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.webhooksRead)
        guard let row = try await endpoints.find(access.tenant, try context.id("id")) else {
            throw Problem.notFound("endpoint")
        }
        return Answer.json(Self.json(row))
    }

    private func update(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.webhooksWrite)
        let id = try context.id("id", WebhookEndpoint.self)
        let fields = try await Convert.body(request, context).fields()
        let url = fields.optionalURL("url")
        let events = Self.events(fields)
        let isEnabled = fields.optionalBool("enabled")
        try fields.finish()
        guard
            let row = try await endpoints.update(
                access.tenant, id, url: url, events: events, isEnabled: isEnabled)
        else { throw Problem.notFound("endpoint") }
        return Answer.json(Self.json(row))
    }

    private func delete(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.webhooksWrite)
        guard try await endpoints.delete(access.tenant, try context.id("id")) else {
            throw Problem.notFound("endpoint")
        }
        return Answer.noContent()
    }

    private static func events(_ fields: Fields) -> [String]? {
        fields.optionalStrings("events", count: 1...events.count, events.joined(separator: ", ")) {
            events.contains($0)
        }
    }

    private static func json(_ row: WebhookEndpointRow) -> JSON {
        [
            "id": .id(row.id), "object": "webhook_endpoint", "url": .string(row.url),
            "events": .strings(row.events),
            "enabled": .bool(row.isEnabled), "created_at": .time(row.created),
        ]
    }
}
