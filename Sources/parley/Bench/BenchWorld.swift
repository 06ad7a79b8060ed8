import Base
import HTTPClient
import Logging
import VendorSim

/// A platform of processes, a simulated outside and one tenant: what every measurement starts with.
struct BenchWorld {
    let outside: SimulatedWorld
    let platform: DemoPlatform
    let tenant: DemoTenant
    let operatorAPI: APIClient

    struct Needs {
        var name: String
        var workers = 1
        var capacity: Int
        var keepsAudio = true
        /// The only cores that workers and all else may run on; nil: any.
        var cores: (workers: Int, others: Int)?
        /// Of control plane and workers.
        var environment: [String: String] = [:]
        /// Bodies of `POST /v1/credentials`, beside the carrier's.
        var credentials: [JSON] = []
        var agent: @Sendable (SimulatedWorld) throws -> JSON
    }

    /// - Parameter directory: relative to the current one; receives logs, keys and recordings.
    static func start(_ needs: Needs, directory: String) async throws -> BenchWorld {
        let logger = LogSetup.bootstrap(verbose: false, level: .critical)
        let http = HTTPClient(addresses: .anyAddress, logger: logger)
        var configuration = SimulatedWorld.Configuration()
        configuration.carrier.keepsAudio = needs.keepsAudio
        let outside = try await SimulatedWorld.start(configuration, logger: logger)
        let path = DemoPlatform.absolute(directory)
        let layout = DemoPlatform.Layout(
            controlPort: try DemoPlatform.freePort(),
            mediaPorts: try (0..<needs.workers).map { _ in try DemoPlatform.freePort() }, directory: path,
            capacity: needs.capacity, cores: needs.cores, environment: needs.environment)
        let platform = try DemoPlatform(layout: layout, http: http)
        do {
            try await platform.start()
            let operatorAPI = APIClient(
                client: http, baseURL: platform.controlURL, key: platform.secrets.operatorKey, tenant: nil)
            let plan = DemoTenant.Plan(
                name: needs.name, agent: try needs.agent(outside), number: DemoTenant.freshNumber(),
                credit: "10000.00",
                concurrencyLimit: needs.capacity)
            let tenant = try await DemoTenant.create(
                plan, operatorAPI: operatorAPI, carrier: outside.carrier, publicURL: platform.controlURL)
            for body in needs.credentials { _ = try await tenant.api.post("/v1/credentials", body) }
            return BenchWorld(outside: outside, platform: platform, tenant: tenant, operatorAPI: operatorAPI)
        } catch {
            await platform.stop()
            throw error
        }
    }

    func stop() async {
        await platform.stop()
        await outside.stop()
    }

    /// Of the first worker. - Throws: `DemoFailure` when it is gone.
    func workerUsage() async throws -> ProcessUsage {
        guard let usage = ProcessUsage(of: await platform.processID(ofWorker: 0)) else {
            throw DemoFailure("the worker is gone")
        }
        return usage
    }

    static func progress(_ text: String) {
        StandardError.write("\r\u{1B}[K\(text)")
    }

    /// The call of `from`, once the platform knows it.
    func call(from: String) async throws -> String {
        let limit = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < limit {
            if let call = try await tenant.calls(from: from).first { return try call.text("id") }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw DemoFailure("the call never reached the platform")
    }

    /// Waits until the call's row says that it has ended. Returns it.
    func ended(_ callID: String, within limit: Duration) async throws -> JSON? {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            let call = try await tenant.api.get("/v1/calls/\(callID)")
            if call["state"]?.string == "ended" { return call }
            try await Task.sleep(for: .milliseconds(50))
        }
        return nil
    }
}
