import Base
import Hummingbird
import HummingbirdCore
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Telephony
import WebSockets

/// The media port: the carrier's WebSockets at `/media`, and a look at the worker's health.
struct MediaServer {
    /// Sockets that are not calls yet, beyond the capacity: more are refused before they are opened.
    static let waitingSocketsMax = 64

    private let station: Station
    private let sockets = NIOLockedValueBox(0)

    init(station: Station) { self.station = station }

    /// `onBound` is told the port before the first socket is taken.
    func application(onBound: @escaping @Sendable (Int) -> Void) -> some ApplicationProtocol {
        let router = Router()
        router.get("/healthz") { [station] _, _ in
            let live = station.live
            let playout = station.playout
            let text =
                #"{"status":"\#(live.isDraining ? "draining" : "ok")","live":\#(live.used),"capacity":"#
                + #"\#(live.capacity),"reports_waiting":\#(station.reporter.waitingCount),"frames":"#
                + #"\#(playout.frames),"frames_late":\#(playout.late),"underruns":\#(playout.underruns)}"#
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: .init(byteBuffer: ByteBuffer(string: text)))
        }
        router.get("/metrics") { [station] _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: station.configuration.metrics())))
        }
        // Only the first request of a connection can become a socket.
        router.get(RouterPath(WorkerConfiguration.mediaPath)) { _, _ in
            Response(status: .upgradeRequired, headers: [.connection: "close", .upgrade: "websocket"])
        }
        return Application(
            router: router, server: .webSockets(routes),
            configuration: .init(
                address: .hostname(station.configuration.mediaHost, port: station.configuration.mediaPort),
                serverName: nil),
            onServerRunning: {
                await Accepting.persist(on: $0)
                onBound($0.localAddress?.port ?? 0)
            }, logger: station.logger)
    }

    private var routes: WebSocketRoutes {
        var limits = WebSocketLimits()
        limits.frameBytesMax = CarrierFrame.textBytesMax
        limits.messageBytesMax = CarrierFrame.textBytesMax
        limits.bufferedBytesMax = Playout.pendingBytesMax
        // Sockets hear of the shutdown only after the drain; were it earlier, their calls still had its time.
        limits.goingAwayMax = station.configuration.drain + MediaWorker.goodbyeMax + MediaWorker.lastMax
        return WebSocketRoutes(
            isWebSocketPath: { $0 == WorkerConfiguration.mediaPath }, decide: { [self] _ in answer() },
            limits: limits)
    }

    private func answer() -> WebSocketAnswer {
        let isTaken = sockets.withLockedValue { sockets in
            guard sockets < station.configuration.capacity + Self.waitingSocketsMax else { return false }
            sockets += 1
            return true
        }
        guard isTaken, !station.live.isDraining || station.live.used > 0 else {
            station.meters.refuse()
            return .refuse(status: 503, reason: "no free slot")
        }
        return .accept(headers: []) { [station, sockets] loop in
            let admission = StreamAdmission(station: station) { sockets.withLockedValue { $0 -= 1 } }
            return TwilioMediaPeer(loop: loop, sink: admission, logger: station.logger)
        }
    }
}
