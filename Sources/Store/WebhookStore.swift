package import Base
package import Postgres

package struct WebhookEndpointRow: Sendable {
    package var id: ID<WebhookEndpoint>
    package var url: String
    /// `call.started`, `call.ended`, or `*`.
    package var events: [String]
    package var isEnabled: Bool
    package var created: Timestamp
    package var sealedSecret: [UInt8]

    package init(
        id: ID<WebhookEndpoint>, url: String, events: [String], isEnabled: Bool = true,
        created: Timestamp = .current,
        sealedSecret: [UInt8]
    ) {
        self.id = id
        self.url = url
        self.events = events
        self.isEnabled = isEnabled
        self.created = created
        self.sealedSecret = sealedSecret
    }
}

/// Endpoints of tenants, and the messages that wait for them.
package struct WebhookStore: Sendable {
    /// Endpoints a tenant may have.
    package static let endpointsMax = 20
    package static let secretColumn = "webhook_endpoints.sealed_secret"

    let database: Database
    package init(_ database: Database) { self.database = database }

    private static let columns =
        "id, url, to_json(events) AS events, is_enabled, parley_ms(created_at) AS created, sealed_secret"

    /// Queues a message for every endpoint that wants its type, in the SQL transaction of what it tells.
    /// One message of a type about a subject: repeating changes nothing.
    package static func queue(
        _ tenant: ID<Tenant>, _ type: String, about subject: ID<Call>, _ body: JSON,
        in sql: PostgresTransaction
    ) async throws {
        _ = try await sql.query(
            """
            WITH wanted AS (SELECT id FROM webhook_endpoints
                WHERE tenant_id = $1 AND is_enabled AND ($4 = ANY (events) OR '*' = ANY (events))),
            message AS (INSERT INTO webhook_messages (tenant_id, id, subject_id, type, body)
                SELECT $1, $2, $3, $4, $5 WHERE EXISTS (SELECT FROM wanted) ON CONFLICT DO NOTHING
                    RETURNING id)
            INSERT INTO webhook_deliveries (tenant_id, message_id, endpoint_id)
            SELECT $1, message.id, wanted.id FROM message CROSS JOIN wanted
            """,
            [.id(tenant), .id(ID<WebhookMessage>.new()), .id(subject), .text(type), .text(body.text)])
    }

    /// - Throws: `Refusal`-free; the caller has checked `endpointsMax`.
    package static func insert(
        _ tenant: ID<Tenant>, _ endpoint: WebhookEndpointRow, in sql: PostgresTransaction
    ) async throws {
        _ = try await sql.query(
            """
            INSERT INTO webhook_endpoints (tenant_id, id, url, events, sealed_secret, is_enabled)
            VALUES ($1, $2, $3, $4::text[], $5, $6)
            """,
            [
                .id(tenant), .id(endpoint.id), .text(endpoint.url), .texts(endpoint.events),
                .bytes(endpoint.sealedSecret),
                .bool(endpoint.isEnabled),
            ])
    }

    package static func count(_ tenant: ID<Tenant>, in sql: PostgresTransaction) async throws -> Int {
        Int(
            try await sql.query(
                "SELECT count(*) AS n FROM webhook_endpoints WHERE tenant_id = $1", [.id(tenant)]
            )
            .rows[0].int("n"))
    }

    package func find(_ tenant: ID<Tenant>, _ id: ID<WebhookEndpoint>) async throws -> WebhookEndpointRow? {
        try await database.tenant(
            tenant, "SELECT \(Self.columns) FROM webhook_endpoints WHERE id = $1", [.id(id)]
        )
        .rows.first.map(Self.read)
    }

    package func list(
        _ tenant: ID<Tenant>, _ page: Page<WebhookEndpoint>
    ) async throws -> Listed<WebhookEndpointRow, WebhookEndpoint> {
        try await database.list(
            tenant, page, "SELECT \(Self.columns) FROM webhook_endpoints WHERE true", [], id: \.id,
            Self.read)
    }

    /// nil fields stay as they are; nil: there is no such endpoint.
    package func update(
        _ tenant: ID<Tenant>, _ id: ID<WebhookEndpoint>, url: String?, events: [String]?, isEnabled: Bool?
    ) async throws -> WebhookEndpointRow? {
        try await database.tenant(
            tenant,
            """
            UPDATE webhook_endpoints SET url = coalesce($2, url), events = coalesce($3::text[], events),
                is_enabled = coalesce($4::boolean, is_enabled) WHERE id = $1 RETURNING \(Self.columns)
            """, [.id(id), .maybe(url), events.map { .texts($0) } ?? .null, .maybe(isEnabled)]
        ).rows.first.map(Self.read)
    }

    /// False: there was none. What waits for it is forgotten.
    package func delete(_ tenant: ID<Tenant>, _ id: ID<WebhookEndpoint>) async throws -> Bool {
        try await database.tenant(tenant, "DELETE FROM webhook_endpoints WHERE id = $1", [.id(id)]).affected
            == 1
    }

    private static func read(_ row: PostgresRow) throws -> WebhookEndpointRow {
        WebhookEndpointRow(
            id: try row.id("id"), url: try row.text("url"), events: try row.texts("events"),
            isEnabled: try row.bool("is_enabled"), created: try row.time("created"),
            sealedSecret: try row.bytes("sealed_secret"))
    }
}
