package import Base
import CallDispatch
package import Store

/// Makes a tenant below another: a reseller's client, an operator's reseller or client.
package struct CreateTenant: Sendable {
    private let tenants: TenantStore
    package init(tenants: TenantStore) { self.tenants = tenants }

    /// Checks the rules and gives the row to insert; what is left out comes from the parent.
    /// - Throws: `Refusal` `forbidden` (clients have none below them, only the operator makes resellers),
    ///   `limit_exceeded` (more calls at once than the parent has).
    package func prepare(
        under parent: ID<Tenant>, kind: TenantKind, name: String,
        limits: (concurrency: Int?, weight: Int, region: String?), destinations: DestinationPolicy
    ) async throws -> TenantRow {
        guard let parent = try await tenants.find(parent, id: parent) else {
            throw Refusal(code: "not_found", message: "there is no such tenant")
        }
        switch (parent.kind, kind) {
        case (.operator, .reseller), (.operator, .client), (.reseller, .client): break
        case (.reseller, _): throw Refusal(code: "forbidden", message: "a reseller's tenants are clients")
        default: throw Refusal(code: "forbidden", message: "a client has no tenants below it")
        }
        let concurrency = limits.concurrency ?? parent.concurrencyLimit
        guard concurrency <= parent.concurrencyLimit else { throw UpdateTenant.tooMany(parent) }
        return TenantRow(
            id: .new(), under: parent, kind: kind, name: name,
            limits: TenantLimits(
                concurrency: concurrency, weight: limits.weight, region: limits.region ?? parent.region),
            destinations: destinations)
    }
}

/// Changes a tenant below the caller.
package struct UpdateTenant: Sendable {
    private let tenants: TenantStore
    package init(tenants: TenantStore) { self.tenants = tenants }

    /// - Throws: `Refusal` `not_found`, `forbidden` (one's own limits are for the tenant above to set),
    ///   `limit_exceeded`.
    package func callAsFunction(
        _ tenant: ID<Tenant>, id: ID<Tenant>, _ change: TenantChange
    ) async throws -> TenantRow {
        guard id != tenant else {
            throw Refusal(code: "forbidden", message: "a tenant is changed by the one above it")
        }
        if let concurrency = change.concurrencyLimit, let row = try await tenants.find(tenant, id: id),
            let parentID = row.parent, let parent = try await tenants.find(tenant, id: parentID),
            concurrency > parent.concurrencyLimit
        {
            throw Self.tooMany(parent)
        }
        guard let changed = try await tenants.update(tenant, id: id, change) else {
            throw Refusal(code: "not_found", message: "there is no such tenant")
        }
        return changed
    }

    static func tooMany(_ parent: TenantRow) -> Refusal {
        Refusal(
            code: "limit_exceeded",
            message: "concurrency_limit may be at most \(parent.concurrencyLimit), that of the tenant above")
    }
}
