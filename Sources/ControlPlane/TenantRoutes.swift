import Base
import HTTPTypes
import Hummingbird
import Operations
import Routing
import Store

/// `/v1/tenants`: the tree below the caller.
struct TenantRoutes: Routes {
    static let concurrencyMax = 100_000

    private let parts: ControlPlane.Parts
    private let tenants: TenantStore

    init(_ parts: ControlPlane.Parts) {
        self.parts = parts
        tenants = TenantStore(parts.database)
    }

    func add(to router: RouterGroup<ControlRequest>) {
        router.post("/v1/tenants", use: create)
        router.get("/v1/tenants", use: list)
        router.get("/v1/tenants/{id}", use: get)
        router.patch("/v1/tenants/{id}", use: update)
    }

    private func create(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.tenantsWrite)
        let body = try await Convert.body(request, context)
        let fields = try body.fields()
        let name = fields.string("name")
        let kind = fields.optionalChoice("kind", NewKind.self) ?? .client
        let concurrency = fields.optionalInt("concurrency_limit", 0...Self.concurrencyMax)
        let weight = fields.optionalInt("weight", 1...1000) ?? 1
        let region = Self.region(fields)
        let destinations = Self.destinations(fields)
        let routing = Self.routing(fields)
        let retention = fields.optionalInt("retention_days", 0...TenantRow.retentionDaysMax)
        try fields.finish()
        let createTenant = CreateTenant(tenants: tenants)
        var tenant = try await createTenant.prepare(
            under: access.tenant, kind: kind.kind, name: name,
            limits: (concurrency, weight, region), destinations: destinations ?? DestinationPolicy())
        tenant.routing = routing ?? tenant.routing
        tenant.retentionDays = retention ?? tenant.retentionDays
        return try await parts.idempotency.create(request, context, body) { [tenant] sql in
            try await TenantStore.insert(tenant, in: sql)
            return StoredAnswer(
                status: 201, location: "/v1/tenants/\(tenant.id)", body: Self.json(tenant).text)
        }
    }

    private func list(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.tenantsRead)
        let page = try parts.cursors.page(request, list: "tenants", tenant: access.tenant, Tenant.self)
        let found = try await tenants.list(access.tenant, page)
        return Answer.list(
            found.rows.map(Self.json),
            nextCursor: parts.cursors.text(found.next, list: "tenants", tenant: access.tenant))
    }

    private func get(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.tenantsRead)
        guard let tenant = try await tenants.find(access.tenant, id: try context.id("id")) else {
            throw Problem.notFound("tenant")
        }
        return Answer.json(Self.json(tenant))
    }

    private func update(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.tenantsWrite)
        let id = try context.id("id", Tenant.self)
        let fields = try await Convert.body(request, context).fields()
        var change = TenantChange()
        change.name = fields.optionalString("name")
        change.status = fields.optionalChoice("status")
        change.concurrencyLimit = fields.optionalInt("concurrency_limit", 0...Self.concurrencyMax)
        change.weight = fields.optionalInt("weight", 1...1000)
        change.region = Self.region(fields)
        change.destinations = Self.destinations(fields)
        change.routing = Self.routing(fields)
        change.retentionDays = fields.optionalInt("retention_days", 0...TenantRow.retentionDaysMax)
        try fields.finish()
        let tenant = try await UpdateTenant(tenants: tenants)(access.tenant, id: id, change)
        return Answer.json(Self.json(tenant))
    }

    /// A new tenant is never an operator: there is one.
    private enum NewKind: String, CaseIterable {
        case reseller, client
        var kind: TenantKind { self == .reseller ? .reseller : .client }
    }

    private static func region(_ fields: Fields) -> String? {
        fields.optional("region", "lower-case letters, digits and -, at most 32") { json in
            json.string.flatMap { text in
                let isValid = text.utf8.allSatisfy { byte in
                    (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D
                }
                return isValid && (1...32).contains(text.utf8.count) ? text : nil
            }
        }
    }

    private static func destinations(_ fields: Fields) -> DestinationPolicy? {
        guard let policy = fields.optionalObject("destination_policy") else { return nil }
        let expected = "prefixes like +1 or +4420"
        func prefixes(_ name: String) -> [String] {
            policy.optionalStrings(name, count: 0...DestinationPolicy.prefixesMax, expected) { text in
                (2...16).contains(text.utf8.count) && text.hasPrefix("+")
                    && text.utf8.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
            } ?? []
        }
        return DestinationPolicy(allowed: prefixes("allowed_prefixes"), denied: prefixes("denied_prefixes"))
    }

    /// As a whole: what is left out is as if it had never been set.
    private static func routing(_ fields: Fields) -> RoutingRules? {
        guard let given = fields.optionalObject("routing") else { return nil }
        var rules = RoutingRules()
        rules.floor = given.optionalChoice("floor") ?? rules.floor
        rules.dayBudget = given.optionalMoney("day_budget")
        do throws(RoutingProblem) { try rules.check() } catch {
            given.fail("day_budget", error.message)
        }
        return rules
    }

    static func json(_ tenant: TenantRow) -> JSON {
        [
            "id": .id(tenant.id), "object": "tenant", "parent_id": .maybe(tenant.parent),
            "kind": .string(tenant.kind.rawValue), "name": .string(tenant.name),
            "status": .string(tenant.status.rawValue), "concurrency_limit": .number(tenant.concurrencyLimit),
            "weight": .number(tenant.weight), "region": .string(tenant.region),
            "destination_policy": tenant.destinations.json, "routing": tenant.routing.json,
            "retention_days": .number(tenant.retentionDays),
            "created_at": .time(tenant.created),
        ]
    }
}
