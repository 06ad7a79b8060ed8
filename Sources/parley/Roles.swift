import ArgumentParser
import Audio
import Base
import CallDispatch
import CallQueue
import ControlPlane
import Dialer
import Foundation
import HTTPClient
import Hummingbird
import Logging
import MediaWorker
import Operations
import ServiceLifecycle
import Speech
import Store
import WebSockets

/// The dialer's loops as a service: they end when the process is told to stop.
struct DialerRole: Service {
    let dialer: Dialer

    func run() async throws {
        await cancelWhenGracefulShutdown { await dialer.run() }
    }
}

extension Platform {
    /// Recogniser threads of a worker: one a core keeps every core busy, more only adds switching.
    static var recogniserThreads: Int { max(2, ProcessInfo.processInfo.activeProcessorCount) }

    /// The REST API and the carriers' webhooks.
    func control(_ ground: Ground, queue: CallQueue, metrics: Prometheus) throws -> any Service {
        let openAPI = try String(
            contentsOfFile: ProgramFiles.locate("api/openapi.yaml", given: nil), encoding: .utf8)
        let database = ground.database
        let health = HealthRoutes(
            checks: [.database(database)], metrics: { metrics.text + PoolMetrics.text(database) },
            openAPI: openAPI)
        let plane = ControlPlane(
            ground.parts, health: health,
            keyed: CallResources.keyed(
                ground.parts, ground.calls, recordings: configuration.recordings,
                http: try outsideClient()),
            open: CallResources.open(
                ground.calls, link: LocalControlLink(ground.calls), workerKey: configuration.workerKey))
        return Application(
            router: plane.router, server: .routes(),
            configuration: .init(
                address: .hostname(configuration.host, port: configuration.httpPort), serverName: nil),
            onServerRunning: { await Accepting.persist(on: $0) }, logger: logger)
    }

    func dialer(_ ground: Ground, queue: CallQueue) throws -> any Service {
        let delivery = DeliverWebhooks(
            ground.calls, post: WebhookPost(http: try outsideClient()).callAsFunction)
        return DialerRole(
            dialer: Dialer(
                ground.calls, queue: queue, delivery: delivery, recordings: configuration.recordings,
                logger: logger))
    }

    func worker(_ ground: Ground?, queue: CallQueue, metrics: Prometheus) throws -> any Service {
        let http = try outsideClient()
        let link: any ControlLink
        if let ground {
            link = LocalControlLink(ground.calls)
        } else {
            let inside = HTTPClient(addresses: .anyAddress, logger: logger)
            link = HTTPControlLink(
                baseURL: configuration.controlURL ?? configuration.publicURL,
                key: Redacted(configuration.workerKey),
                http: inside)
        }
        var random = SystemRandomNumberGenerator()
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        var worker = WorkerConfiguration(
            worker: .make(at: now, using: &random), region: configuration.region,
            mediaURL: configuration.mediaURL,
            media: (configuration.host, configuration.mediaPort), capacity: configuration.capacity,
            directories: (configuration.recordings, configuration.spool), workerKey: workerKey,
            publicURL: configuration.publicURL, drain: configuration.drain)
        worker.weights = try detectorWeights()
        worker.metrics = { metrics.text }
        worker.spans = configuration.otlpURL.map { url in
            SpanExporter(
                url: url, http: HTTPClient(addresses: .anyAddress, logger: logger),
                resource: [
                    "service.name": "parley", "service.instance.id": .string("\(worker.worker)"),
                    "parley.region": .string(configuration.region),
                ])
        }
        let speech = SpeechRegistry.standard(
            threads: Self.recogniserThreads, http: http,
            reach: WebSocketReach(addresses: try outsideAddresses(), caFile: configuration.caFile),
            shared: queue)
        return MediaWorker(
            configuration: worker, link: link, queue: queue, speech: speech, http: http, logger: logger)
    }

    /// nil, and a warning, when they were not set up. - Throws: when the file is not what it should be.
    private func detectorWeights() throws -> SileroVAD.Weights? {
        let path = configuration.models + "/" + SileroVAD.Weights.fileName
        guard let file = FileManager.default.contents(atPath: path) else {
            logger.warning(
                "no weights for the speech detector: calls are heard by loudness alone; `deploy/models` fetches them",
                metadata: ["file": .string(path)])
            return nil
        }
        do {
            return try SileroVAD.Weights(file: [UInt8](file))
        } catch {
            throw ValidationError("\(path): \(error.description): remove it and run `deploy/models`")
        }
    }

    /// For addresses that customers name: private networks are refused unless `PARLEY_ALLOW_PRIVATE` lists them.
    private func outsideClient() throws -> HTTPClient {
        HTTPClient(addresses: try outsideAddresses(), caFile: configuration.caFile, logger: logger)
    }

    private func outsideAddresses() throws -> AddressPolicy {
        try .publicOnly(allowing: configuration.allowPrivate)
    }
}
