import Base
import Billing
import CallDispatch
import CallQueue
import ControlPlane
import Crypto
import Dialer
import Foundation
import HTTPClient
import Logging
import MediaWorker
import Operations
import Redis
import Speech
import Store
import TestKit
import VendorSim
import WebSockets

/// All roles of the platform joined as separate processes are: the worker knows the control plane by its URL only, the
/// carrier and its callers are simulated outside. A database and a region of its own; one tenant, made over REST.
struct LivePlatform: Sendable {
    static let modelRates = ["openai/gpt-6-luna", "anthropic/claude-haiku-5-5"].flatMap { source in
        [Usage.Unit.inputTokens, .outputTokens].map {
            Rate(
                component: .llm, source: source, unit: $0, price: Money(nanos: 100_000_000),
                per: 1_000_000)
        }
    }
    static let operatorKey = "operator-key-for-tests-0123456789"
    static let workerKey = "worker-key-for-tests"
    static let number = "+14155550100"
    static let credit = "100.00"

    let outside: SimulatedWorld
    let control: ControlServer
    let calls: CallParts
    let http: HTTPClient
    /// Acts for the tenant with the operator's key.
    let api: RESTClient
    let tenant: ID<Tenant>
    /// The tenant's account at the simulated carrier.
    let credential: String
    let region: String
    let directory = ScratchDirectory()

    static let logger = Logger(label: "system") { _ in SwiftLogNoOpLogHandler() }

    static func with(_ body: @Sendable (LivePlatform) async throws -> Void) async throws {
        try await TestDatabase.with { raw in
            let database = Database(Database.Settings(url: raw.url), logger: logger)
            var configuration = SimulatedWorld.Configuration()
            configuration.chat.key = "model-key-for-tests"
            configuration.chat.firstToken = .milliseconds(20)
            let outside = try await SimulatedWorld.start(configuration, logger: logger)
            let result: Result<Void, any Error>
            do {
                let platform = try await LivePlatform(database, outside)
                do {
                    result = .success(try await body(platform))
                } catch {
                    result = .failure(error)
                }
                await platform.stop()
            } catch {
                result = .failure(error)
            }
            await outside.stop()
            await database.close()
            try result.get()
        }
    }

    private init(_ database: Database, _ outside: SimulatedWorld) async throws {
        self.outside = outside
        region = "t" + String(UInt64.random(in: .min ... .max), radix: 36)
        let masterKeys = try MasterKeys(Redacted(Data(repeating: 3, count: 32).base64EncodedString()))
        try await Bootstrap(database: database, masterKeys: masterKeys)(
            operatorKey: Redacted(Self.operatorKey), region: region, models: Self.modelRates)
        let port = try await ControlServer.freePort()
        let url = "http://127.0.0.1:\(port)"
        let parts = ControlPlane.Parts(database: database, masterKeys: masterKeys)
        calls = CallParts(
            database: database, vault: parts.vault, urls: CarrierURLs(publicURL: url),
            workerKey: SymmetricKey(data: Data(Self.workerKey.utf8)))
        http = HTTPClient(addresses: .anyAddress, logger: Self.logger)
        control = ControlServer(
            ControlPlane(
                parts, health: HealthRoutes(checks: [.database(database)], metrics: { "" }, openAPI: ""),
                keyed: CallResources.keyed(
                    parts, calls, recordings: directory.path + "/recordings", http: http),
                open: CallResources.open(calls, link: LocalControlLink(calls), workerKey: Self.workerKey)),
            port: port)
        try await control.start()
        var api = RESTClient(http: http, url: url, key: Self.operatorKey)
        let tenantID = try await api.create(
            "/v1/tenants", ["name": "System", "kind": "client", "concurrency_limit": 50])
        guard let tenant = ID<Tenant>(tenantID) else { throw Unexpected("no tenant's id: \(tenantID)") }
        self.tenant = tenant
        api.tenant = tenantID
        self.api = api
        _ = try await api.create("/v1/wallet/top-ups", ["amount": .string(Self.credit)])
        credential = try await api.create(
            "/v1/credentials",
            [
                "vendor": "twilio", "account_sid": .string(outside.carrier.account.sid),
                "auth_token": .string(outside.carrier.account.authToken),
                "base_url": .string(outside.carrier.url),
            ])
    }

    private func stop() async {
        await control.stop()
        await http.close()
    }

    /// The agent, and the tenant's number that reaches it.
    func publish(_ agent: JSON) async throws -> String {
        let id = try await api.create("/v1/agents", agent)
        _ = try await api.create(
            "/v1/phone-numbers",
            [
                "number": .string(Self.number), "agent_id": .string(id),
                "credential_id": .string(credential),
            ])
        outside.carrier.assign(
            Self.number, voiceURL: api.url + "/carriers/twilio/voice",
            statusCallback: api.url + "/carriers/twilio/status")
        return id
    }

    /// The control plane as a worker of another process knows it.
    func link(key: String = LivePlatform.workerKey) -> HTTPControlLink {
        HTTPControlLink(baseURL: api.url, key: Redacted(key), http: http)
    }

    /// Runs `body` while a dialer and a worker are up.
    func working(
        recogniser: any SpeechToText = ScriptedRecogniser([]),
        _ body: @Sendable () async throws -> Void
    ) async throws {
        let redis = RedisClient(url: TestServices.redisURL, logger: Self.logger)
        let queue = CallQueue(redis: redis, region: region)
        let worker = worker(recogniser, queue)
        let dialer = Dialer(calls, queue: queue, delivery: nil, recordings: "/nowhere", logger: Self.logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run() }
            group.addTask { await dialer.run() }
            try await until { try await LeaseStore(calls.database).place(region: region) != nil }
            try await body()
            group.cancelAll()
        }
        await redis.close()
    }

    private func worker(_ recogniser: any SpeechToText, _ queue: CallQueue) -> MediaWorker {
        let configuration = WorkerConfiguration(
            worker: .new(), region: region, mediaURL: nil, media: ("127.0.0.1", 0), capacity: 20,
            directories: (directory.path + "/recordings", directory.path + "/spool"),
            workerKey: calls.workerKey,
            publicURL: api.url, drain: .zero)
        let speech = SpeechRegistry(
            recognizers: ["offline": recogniser], synthesizers: ["offline": OfflineTextToSpeech()],
            http: http,
            reach: .anywhere)
        return MediaWorker(
            configuration: configuration, link: link(), queue: queue, speech: speech, http: http,
            logger: Self.logger)
    }

    /// The call's document once it says that it has ended.
    func ended(_ call: String) async throws -> JSON {
        var read = JSON.null
        try await until {
            read = try await api.get("/v1/calls/\(call)")
            return read["state"] == "ended"
        }
        return read
    }

    func events(_ call: String) async throws -> [String] {
        try await api.get("/v1/calls/\(call)/events")["data"]?.array?.compactMap { $0["type"]?.string } ?? []
    }

    /// What the call's events of one type say.
    func details(_ call: String, of type: String) async throws -> [String] {
        let events = try await api.get("/v1/calls/\(call)/events")["data"]?.array ?? []
        return events.filter { $0["type"]?.string == type }.compactMap { $0["detail"]?["detail"]?.string }
    }

    /// What is wrong with the tenant's money when these are all its calls; empty when nothing is.
    func moneyProblems(_ ended: [JSON]) async throws -> [String] {
        let wallet = try await api.get("/v1/wallet")
        func money(_ json: JSON?) -> Money? { json?.string.flatMap { Money(decimal: $0) } }
        let spent = ended.compactMap { money($0["cost"]) }.reduce(.zero, +)
        var problems: [String] = []
        if money(wallet["held"]) != .zero { problems.append("held: \(wallet)") }
        if money(wallet["balance"]) != Money(decimal: Self.credit).map({ $0 - spent }) {
            problems.append("spent \(spent): \(wallet)")
        }
        for call in ended {
            let lines = (call["cost_lines"]?.array ?? []).compactMap { money($0["amount"]) }.reduce(.zero, +)
            if lines != money(call["cost"]) { problems.append("lines unlike the cost: \(call)") }
        }
        return problems
    }
}

struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
