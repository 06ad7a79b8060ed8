package import Base
package import Logging
package import Postgres

/// Every statement of the platform goes through here, and every one says on whose behalf.
///
/// Owns: which role and pool a statement runs under. Does not own: any statement. Three pools, so that a heavy list
/// never delays a call: `admission` (the tenant's own work, short time-out), `admin` (lists and sums, few
/// connections, long time-out) and `platform` (the second role).
/// Invariant: a statement of role `parley_app` always carries its tenant, and sees no other's rows.
package struct Database: Sendable {
    package struct Settings: Sendable {
        /// `postgresql://…`; the login user is a member of both roles.
        package var url: String
        package var admissionConnections = 8
        package var adminConnections = 2
        package var platformConnections = 6
        package var admissionTimeout: Duration = .seconds(3)
        package var adminTimeout: Duration = .seconds(30)
        package var platformTimeout: Duration = .seconds(10)
        /// How long a statement waits for a connection while the server is away or all are busy.
        package var waitLimit: Duration = .seconds(5)
        package init(url: String) { self.url = url }
    }

    private let admission: PostgresPool
    private let admin: PostgresPool
    private let platformPool: PostgresPool

    package init(_ settings: Settings, logger: Logger) {
        func pool(_ name: String, _ role: String, _ connections: Int, _ timeout: Duration) -> PostgresPool {
            var configuration = PostgresPool.Configuration(url: settings.url)
            configuration.connections = connections
            configuration.role = role
            configuration.statementTimeout = timeout
            configuration.applicationName = "parley-\(name)"
            configuration.waitLimit = settings.waitLimit
            return PostgresPool(configuration, logger: logger)
        }
        admission = pool("admission", "parley_app", settings.admissionConnections, settings.admissionTimeout)
        admin = pool("admin", "parley_app", settings.adminConnections, settings.adminTimeout)
        platformPool = pool(
            "platform", "parley_platform", settings.platformConnections, settings.platformTimeout)
    }

    /// What each pool is doing, for metrics.
    package var pools: [(name: String, status: PostgresPool.Status)] {
        [("admission", admission.status), ("admin", admin.status), ("platform", platformPool.status)]
    }

    package func close() async {
        await admission.close()
        await admin.close()
        await platformPool.close()
    }
}

extension Database {
    /// One statement that sees the rows of `tenant` and no others.
    package func tenant(
        _ tenant: ID<Tenant>, _ sql: String, _ parameters: [PostgresValue] = []
    ) async throws -> PostgresRows {
        try await admission.query(sql, parameters, settings: Self.acting(for: tenant))
    }

    /// One SQL transaction for `tenant`. `body` may run again after a serialization failure or deadlock.
    package func tenantTransaction<T: Sendable>(
        _ tenant: ID<Tenant>, _ body: @Sendable (PostgresTransaction) async throws -> T
    ) async throws -> T {
        try await admission.transaction(settings: Self.acting(for: tenant), body)
    }

    /// Lists and sums for `tenant`: the slow pool, so that they cannot delay a call.
    package func adminQuery(
        _ tenant: ID<Tenant>, _ sql: String, _ parameters: [PostgresValue] = []
    ) async throws -> PostgresRows {
        try await admin.query(sql, parameters, settings: Self.acting(for: tenant))
    }

    /// One statement over all tenants, under the second role: only tables with a policy for it.
    package func platform(_ sql: String, _ parameters: [PostgresValue] = []) async throws -> PostgresRows {
        try await platformPool.query(sql, parameters)
    }

    package func platformTransaction<T: Sendable>(
        _ body: @Sendable (PostgresTransaction) async throws -> T
    ) async throws -> T {
        try await platformPool.transaction(body)
    }

    /// Notifications on `channel`; reconnects by itself, so what is sent meanwhile is lost.
    package func listen(_ channel: String) -> AsyncStream<String> { platformPool.listen(channel) }

    private static func acting(for tenant: ID<Tenant>) -> [LocalSetting] {
        [LocalSetting(name: "parley.tenant", value: tenant.uuidString)]
    }
}
