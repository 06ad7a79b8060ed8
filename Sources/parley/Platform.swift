import Base
import CallDispatch
import CallQueue
import ControlPlane
import Crypto
import Foundation
import Logging
import Metrics
import Operations
import Redis
import ServiceLifecycle
import Store
import UnixSignals

/// Joins the parts of one process: the roles it was given, and what they share.
struct Platform {
    let configuration: Configuration
    let logger: Logger

    init(_ configuration: Configuration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    func run() async throws {
        let metrics = Prometheus()
        MetricsSystem.bootstrap(metrics)
        let redis = RedisClient(url: configuration.redisURL, logger: logger)
        let queue = CallQueue(redis: redis, region: configuration.region)
        let base = try await usesDatabase ? ground() : nil
        var services: [any Service] = []
        if let base, configuration.roles.contains(.control) {
            services.append(try control(base, queue: queue, metrics: metrics))
        }
        if let base, configuration.roles.contains(.dialer) { services.append(try dialer(base, queue: queue)) }
        if configuration.roles.contains(.worker) {
            services.append(try worker(base, queue: queue, metrics: metrics))
        }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger))
        try await group.run()
        await redis.close()
        if let base { await base.database.close() }
    }

    private var usesDatabase: Bool {
        configuration.roles.contains(.control) || configuration.roles.contains(.dialer)
    }

    /// What control plane and dialer share; the operator and a first price book exist afterwards.
    struct Ground {
        let database: Database
        let masterKeys: MasterKeys
        let parts: ControlPlane.Parts
        let calls: CallParts
    }

    private func ground() async throws -> Ground {
        guard let masterKeys = configuration.masterKeys else {
            throw Refusal(code: "not_configured", message: "PARLEY_MASTER_KEY is not set")
        }
        let database = Database(Database.Settings(url: configuration.databaseURL), logger: logger)
        try await Bootstrap(database: database, masterKeys: masterKeys)(
            operatorKey: configuration.operatorKey.map { Redacted($0) }, region: configuration.region,
            models: try ListPrices.rates())
        let parts = ControlPlane.Parts(database: database, masterKeys: masterKeys)
        let calls = CallParts(
            database: database, vault: parts.vault, urls: CarrierURLs(publicURL: configuration.publicURL),
            workerKey: workerKey)
        return Ground(database: database, masterKeys: masterKeys, parts: parts, calls: calls)
    }

    var workerKey: SymmetricKey { SymmetricKey(data: Data(configuration.workerKey.utf8)) }
}
