package import Base
package import Postgres
package import Routing

package enum TenantKind: String, Sendable, CaseIterable { case `operator`, reseller, client }
package enum TenantStatus: String, Sendable, CaseIterable { case active, suspended }

package struct TenantRow: Sendable {
    package var id: ID<Tenant>
    package var parent: ID<Tenant>?
    package var kind: TenantKind
    package var name: String
    /// From the operator down to the tenant itself.
    package var path: [ID<Tenant>]
    package var status: TenantStatus
    package var concurrencyLimit: Int
    package var weight: Int
    package var region: String
    package var destinations: DestinationPolicy
    package var routing = RoutingRules()
    /// From a call's end, what was said in it is kept so long; 0: for good. At most `retentionDaysMax`.
    package var retentionDays: Int
    package static let retentionDaysMax = 3650
    package var created: Timestamp

    package init(
        id: ID<Tenant>, under parent: TenantRow?, kind: TenantKind, name: String, limits: TenantLimits,
        destinations: DestinationPolicy = DestinationPolicy()
    ) {
        self.id = id
        self.parent = parent?.id
        self.kind = kind
        self.name = name
        path = (parent?.path ?? []) + [id]
        status = .active
        concurrencyLimit = limits.concurrency
        weight = limits.weight
        region = limits.region
        self.destinations = destinations
        retentionDays = parent?.retentionDays ?? 0
        created = .current
    }
}

package struct TenantLimits: Sendable {
    /// Calls at once.
    package var concurrency: Int
    /// Share of free slots against other tenants, 1...1000.
    package var weight = 1
    package var region: String
    package init(concurrency: Int, weight: Int = 1, region: String) {
        self.concurrency = concurrency
        self.weight = weight
        self.region = region
    }
}

/// Where a tenant may call, by prefix of E.164. The longest matching prefix decides; an empty `allowed` allows all
/// that is not denied. Emergency and premium prefixes are denied beside this, unless `allowed` names them.
package struct DestinationPolicy: Hashable, Sendable, Codable {
    package static let prefixesMax = 500
    package var allowed: [String] = []
    package var denied: [String] = []
    package init(allowed: [String] = [], denied: [String] = []) {
        self.allowed = allowed
        self.denied = denied
    }

    init(json: JSON) {
        allowed = json["allowed_prefixes"]?.array?.compactMap(\.string) ?? []
        denied = json["denied_prefixes"]?.array?.compactMap(\.string) ?? []
    }
    package var json: JSON {
        [
            "allowed_prefixes": .array(allowed.map(JSON.string)),
            "denied_prefixes": .array(denied.map(JSON.string)),
        ]
    }
}

extension RoutingRules {
    init(json: JSON) {
        self.init()
        floor = json["floor"]?.string.flatMap { Floor(rawValue: $0) } ?? floor
        dayBudget = json["day_budget"]?.string.flatMap { Money(decimal: $0) }
    }
    package var json: JSON {
        [
            "floor": .string(floor.rawValue),
            "day_budget": dayBudget.map { .string($0.description) } ?? .null,
        ]
    }
}

/// Changes to a tenant; nil leaves a field as it is.
package struct TenantChange: Sendable {
    package var name: String?
    package var status: TenantStatus?
    package var concurrencyLimit: Int?
    package var weight: Int?
    package var region: String?
    package var destinations: DestinationPolicy?
    package var routing: RoutingRules?
    package var retentionDays: Int?
    package init() {}
}

/// The tree of tenants. A tenant sees itself and what is below it.
package struct TenantStore: Sendable {
    private let database: Database
    package init(_ database: Database) { self.database = database }

    private static let columns = """
        id, parent_id, kind, name, to_json(path) AS path, status, concurrency_limit, weight, region,
        destination_policy, routing, retention_days, parley_ms(created_at) AS created
        """

    package func find(_ tenant: ID<Tenant>, id: ID<Tenant>) async throws -> TenantRow? {
        try await database.tenant(tenant, "SELECT \(Self.columns) FROM tenants WHERE id = $1", [.id(id)])
            .rows.first.map(Self.read)
    }

    package func list(_ tenant: ID<Tenant>, _ page: Page<Tenant>) async throws -> Listed<TenantRow, Tenant> {
        try await database.list(
            tenant, page, "SELECT \(Self.columns) FROM tenants WHERE true", [], id: \.id,
            Self.read)
    }

    /// Under the platform role. nil before the first start.
    package static func operatorID(in sql: PostgresTransaction) async throws -> ID<Tenant>? {
        try await sql.query("SELECT id FROM tenants WHERE kind = 'operator'").rows.first.map {
            try $0.id("id")
        }
    }

    /// Any tenant, for the roles that serve all of them.
    package func findForPlatform(_ id: ID<Tenant>) async throws -> TenantRow? {
        try await database.platform("SELECT \(Self.columns) FROM tenants WHERE id = $1", [.id(id)])
            .rows.first.map(Self.read)
    }

    package static func insert(_ tenant: TenantRow, in sql: PostgresTransaction) async throws {
        _ = try await sql.query(
            """
            INSERT INTO tenants (id, parent_id, kind, name, path, concurrency_limit, weight, region,
                destination_policy, routing, retention_days)
            VALUES ($1, $2, $3, $4, $5::uuid[], $6, $7, $8, $9::jsonb, $10::jsonb, $11)
            """,
            [
                .id(tenant.id), .maybe(tenant.parent), .text(tenant.kind.rawValue), .text(tenant.name),
                .ids(tenant.path), .maybe(tenant.concurrencyLimit), .maybe(tenant.weight),
                .text(tenant.region),
                .json(tenant.destinations.json), .json(tenant.routing.json), .maybe(tenant.retentionDays),
            ])
    }

    /// nil: no such tenant below `tenant`.
    package func update(
        _ tenant: ID<Tenant>, id: ID<Tenant>, _ change: TenantChange
    ) async throws -> TenantRow? {
        try await database.tenant(
            tenant,
            """
            UPDATE tenants SET name = coalesce($2, name), status = coalesce($3, status),
                concurrency_limit = coalesce($4::int, concurrency_limit), weight = coalesce($5::int, weight),
                region = coalesce($6, region), destination_policy = coalesce($7::jsonb, destination_policy),
                routing = coalesce($8::jsonb, routing), retention_days = coalesce($9::int, retention_days),
                updated_at = now()
            WHERE id = $1 RETURNING \(Self.columns)
            """,
            [
                .id(id), .maybe(change.name), .maybe(change.status?.rawValue),
                .maybe(change.concurrencyLimit),
                .maybe(change.weight), .maybe(change.region), .maybe(change.destinations?.json.text),
                .maybe(change.routing?.json.text), .maybe(change.retentionDays),
            ]
        ).rows.first.map(Self.read)
    }

    private static func read(_ row: PostgresRow) throws -> TenantRow { try TenantRow(row) }
}

extension TenantRow {
    init(_ row: PostgresRow) throws {
        id = try row.id("id")
        parent = try row.optionalID("parent_id")
        guard let kind = TenantKind(rawValue: try row.text("kind")),
            let status = TenantStatus(rawValue: try row.text("status"))
        else { throw Fault(code: "store.unreadable_row", retry: .never, cause: "tenants") }
        self.kind = kind
        self.status = status
        name = try row.text("name")
        path = try row.texts("path").compactMap { ID<Tenant>(uuid: $0) }
        concurrencyLimit = Int(try row.int("concurrency_limit"))
        weight = Int(try row.int("weight"))
        region = try row.text("region")
        destinations = DestinationPolicy(json: try row.json("destination_policy"))
        routing = RoutingRules(json: try row.json("routing"))
        retentionDays = Int(try row.int("retention_days"))
        created = try row.time("created")
    }
}
