import Base
package import CallDispatch
package import CallQueue
package import HTTPClient
import Hummingbird
package import Logging
import NIOCore
import ServiceLifecycle
package import Speech

/// A media worker: takes calls, carries them, reports them. Stateless: what it holds can move to another at any time.
///
/// Owns: media sockets, runners, recordings, the reporter and its spool, the worker's lease. Does not own: who may
/// call (Operations), what the agent says (Conversation), the carrier's formats (Telephony), money.
package final class MediaWorker: Service {
    /// How often a draining worker looks whether its calls are over.
    static let drainPause: Duration = .milliseconds(100)
    /// What is left to be reported gets so long at the end; then the spool keeps it.
    static let flushMax: Duration = .seconds(3)
    /// Calls cut off by the drain's limit get so long to say what is being said, and then `lastMax` to be closed.
    package static let goodbyeMax: Duration = .seconds(10)
    /// All that ending a call may take: its files, its last report, the carrier's answer.
    static let lastMax: Duration = .nanoseconds(
        (CallRunner.filesLimit + CallRunner.endedLimit + CallRunner.hangUpLimit).nanoseconds)

    package let station: Station
    private let queue: CallQueue?

    package init(
        configuration: WorkerConfiguration, link: any ControlLink, queue: CallQueue, speech: SpeechRegistry,
        http: HTTPClient, logger: Logger
    ) {
        self.queue = queue
        station = Station(
            configuration, link: link, board: queue, http: http,
            voices: { try CallVoices($0, from: speech, on: $1) },
            logger: logger)
    }

    /// Without a queue: only streams that come by themselves.
    package init(station: Station) {
        self.station = station
        queue = nil
    }

    /// Runs until graceful shutdown or cancellation. - Throws: when the media port cannot be bound.
    package func run() async throws {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let application = MediaServer(station: station).application { number in
            port.yield(number)
            port.finish()
        }
        let servers = ServiceGroup(
            configuration: .init(services: [application], logger: station.logger))
        // Detached, so that the process's shutdown does not reach the sockets before their calls have ended.
        let serving = Task.detached {
            defer { port.finish() }
            try await servers.run()
        }
        let reporting = Task.detached { [station] in await station.reporter.run() }
        let tracing = Task.detached { [station] in await station.configuration.spans?.run() }
        defer { tracing.cancel() }
        var serverPort: Int?
        for await port in ports { serverPort = port }
        guard let serverPort else {
            reporting.cancel()
            return try await serving.value
        }
        await work(mediaURL: mediaURL(port: serverPort))
        await servers.triggerGracefulShutdown()
        // It may only fail while it stops, which nobody waits for.
        _ = try? await serving.value
        await flush()
        reporting.cancel()
        await reporting.value
        tracing.cancel()
        await tracing.value
    }

    private func mediaURL(port: Int) -> String {
        station.configuration.mediaURL ?? "ws://\(station.configuration.mediaHost):\(port)"
    }

    /// Takes and carries calls until shutdown is asked for, then lets the live ones finish.
    private func work(mediaURL: String) async {
        let renewal = LeaseRenewal(station: station, mediaURL: mediaURL)
        let renewing = Task.detached { await renewal.run() }
        let taking = queue.map { queue in
            Task.detached { [station] in await CallTaker(station: station, queue: queue).run() }
        }
        station.logger.notice(
            "media worker up",
            metadata: [
                "worker": .string("\(station.configuration.worker)"), "media": .string(mediaURL),
                "capacity": .stringConvertible(station.live.capacity),
            ])
        await gracefulShutdownOrCancellation()
        station.live.startDraining()
        await Task.detached { [self] in await drain() }.value
        taking?.cancel()
        await taking?.value
        renewing.cancel()
        await renewing.value
        await renewal.sayGoodbye()
    }

    private func gracefulShutdownOrCancellation() async {
        // Both ways of being asked to stop are the same here.
        try? await gracefulShutdown()
    }

    /// Calls that only ring are not waited for beyond the limit: the carrier asks the control plane once they are
    /// answered, and is sent to another worker.
    private func drain() async {
        await wait(station.configuration.drain) { station.live.used == 0 }
        guard !station.live.runners.isEmpty else { return }
        station.logger.notice(
            "drain limit reached", metadata: ["live": .stringConvertible(station.live.runners.count)])
        for runner in station.live.runners { runner.endSoon() }
        await wait(Self.goodbyeMax) { station.live.runners.isEmpty }
        for runner in station.live.runners { runner.endNowSoon() }
        await wait(Self.lastMax) { station.live.runners.isEmpty }
    }

    private func wait(_ limit: Duration, until isOver: () -> Bool) async {
        let clock = ContinuousClock()
        let end = clock.now + limit
        while !isOver(), clock.now < end { try? await Task.sleep(for: Self.drainPause) }
    }

    private func flush() async {
        let clock = ContinuousClock()
        let limit = clock.now + Self.flushMax
        while station.reporter.waitingCount > 0, clock.now < limit {
            try? await Task.sleep(for: .milliseconds(20))
        }
    }
}
