import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// One accepted connection: becomes Hummingbird's HTTP/1.1 or a WebSocket, whatever its first request asks
/// for.
struct RoutesAndSockets: ServerChildChannel, HTTPChannelHandler {
    enum Branch: Sendable {
        case http
        case webSocket
        case refused
    }
    /// May be dropped at any time without being handled: a server that stops, or whose port fails, does so with
    /// what it has accepted. So nothing in here needs an end of its own; the gate closes what nobody takes.
    struct Value: ServerChildChannelValue {
        let branch: EventLoopFuture<Branch>
        let gate: NIOLoopBound<UpgradeGate>
        let channel: any Channel
    }

    /// Header lines of one request, bytes.
    static let headBytesMax = 64 << 10

    let responder: HTTPChannelHandler.Responder
    let routes: WebSocketRoutes
    let idleTimeout: Duration

    /// Returns at once: the branch is known only when the first request is there.
    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let encoder = HTTPResponseEncoder()
            // Frames may stand right behind the request: they must survive the decoder's removal.
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = Self.headBytesMax
            limits.maxHeaderListSize = Self.headBytesMax
            let decoder = ByteToMessageHandler(
                HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits))
            let branch = channel.eventLoop.makePromise(of: Branch.self)
            let gate = UpgradeGate(
                routes: routes, idleTimeout: idleTimeout, codec: (encoder, decoder), branch: branch,
                logger: logger)
            try channel.pipeline.syncOperations.addHandlers([encoder, decoder, gate])
            return Value(
                branch: branch.futureResult, gate: NIOLoopBound(gate, eventLoop: channel.eventLoop),
                channel: channel)
        }
    }

    func handle(value: Value, logger: Logger) async {
        let channel = value.channel
        do {
            let branch = try await withTaskCancellationHandler {
                try await value.branch.get()
            } onCancel: {
                channel.close(promise: nil)
            }
            if branch == .http {
                let http = try await channel.eventLoop.submit { try value.gate.value.openHTTP() }.get()
                return await handleHTTP(asyncChannel: http, logger: logger)
            }
            try await withTaskCancellationHandler {
                try await channel.closeFuture.get()
            } onCancel: {
                channel.close(promise: nil)
            }
        } catch {
            channel.close(promise: nil)
        }
    }
}
