package import Hummingbird
package import Metrics
package import Store

/// A resource's endpoints.
package protocol Routes: Sendable {
    func add(to router: RouterGroup<ControlRequest>)
}

/// The HTTP side of the platform: puts the frame, authentication and all routes together.
///
/// Owns: what a request looks like from outside (authentication, problems, limits, idempotency, cursors).
/// Does not own: what the platform does (`Operations`), or any SQL (`Store`).
/// Invariant: whatever happens, a client gets a document with a stable code and a request id.
package struct ControlPlane {
    /// What routes are made of.
    package struct Parts: Sendable {
        package var database: Database
        package var vault: Vault
        package var keys: APIKeyStore
        package var idempotency: Idempotency
        package var cursors: Cursors
        package init(database: Database, masterKeys: MasterKeys) {
            self.database = database
            vault = Vault(database: database, masterKeys: masterKeys)
            keys = APIKeyStore(database, masterKeys: masterKeys)
            idempotency = Idempotency(store: IdempotencyStore(database, vault: vault))
            cursors = Cursors(masterKeys)
        }
    }

    package let router: Router<ControlRequest>
    /// Everything registered, for the test that holds `api/openapi.yaml` against it.
    package let routes: [Route]

    /// - Parameters:
    ///   - keyed: further routes that need an API key (`/v1/…`).
    ///   - open: further routes that have their own authentication, or none (`/carriers/…`, `/internal/…`).
    package init(
        _ parts: Parts, health: HealthRoutes, keyed: [any Routes] = [], open: [any Routes] = [],
        metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        let table = RouteTable()
        let allowed = Box<AllowedMethods>()
        table.add(middleware: Frame(metrics: metrics) { path in allowed.value?.methods(of: path) ?? [] })
        for group in [health] + open { group.add(to: table.group()) }
        for group in Self.resources(parts) + keyed {
            group.add(to: table.group().add(middleware: Authentication(keys: parts.keys)))
        }
        router = table.router
        routes = table.routes
        allowed.set(AllowedMethods(table.routes))
    }

    private static func resources(_ parts: Parts) -> [any Routes] {
        [
            TenantRoutes(parts), APIKeyRoutes(parts), AgentRoutes(parts), PhoneNumberRoutes(parts),
            CredentialRoutes(parts), PriceBookRoutes(parts),
        ]
    }
}
