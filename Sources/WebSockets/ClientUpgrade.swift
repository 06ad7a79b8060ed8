import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Sends the upgrade request and makes of the channel a WebSocket when the answer is 101.
final class ClientUpgrade: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let target: WebSocketURL
    private let headers: [(String, String)]
    private let limits: WebSocketLimits
    private let codec: (encoder: HTTPRequestEncoder, decoder: ByteToMessageHandler<HTTPResponseDecoder>)
    private let key = NIOWebSocketClientUpgrader.randomRequestKey()

    private var context: ChannelHandlerContext?
    private var waiting: (peer: any WebSocketPeer, promise: EventLoopPromise<WebSocket>)?
    private var limit: Scheduled<Void>?
    private var isUpgraded = false
    /// The end of the 101 has passed.
    private var hasEnd = false
    private var early: [NIOAny] = []
    /// What ended the attempt; may come before `begin` (a TLS failure can be as early).
    private var failure: (any Error)?

    init(
        target: WebSocketURL, headers: [(String, String)], limits: WebSocketLimits,
        codec: (HTTPRequestEncoder, ByteToMessageHandler<HTTPResponseDecoder>)
    ) {
        self.target = target
        self.headers = headers
        self.limits = limits
        self.codec = codec
    }

    /// Sends the request; once, when the channel is connected.
    func begin(peer: any WebSocketPeer, on loop: any EventLoop) -> EventLoopFuture<WebSocket> {
        guard let context, failure == nil else {
            return loop.makeFailedFuture(failure ?? WebSocketError.connectionLost)
        }
        let promise = loop.makePromise(of: WebSocket.self)
        waiting = (peer, promise)
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: target.target)
        head.headers = ["Host": target.authority, "Connection": "Upgrade", "Upgrade": "websocket"]
        head.headers.add(name: "Sec-WebSocket-Key", value: key)
        head.headers.add(name: "Sec-WebSocket-Version", value: "13")
        for (name, value) in headers { head.headers.add(name: name, value: value) }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        return promise.futureResult
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        limit = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limits.connectMax)) {
            self.fail(WebSocketError.connectTimeout)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        fail(WebSocketError.connectionLost)
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(WebSocketError.connectionLost)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isUpgraded { context.fireErrorCaught(error) } else { fail(error) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isUpgraded else {
            // The parser ends the 101 in the same go; what comes behind it are bytes, kept until the socket
            // is open.
            if hasEnd { early.append(data) }
            hasEnd = true
            return
        }
        guard case .head(let head) = unwrapInboundIn(data), failure == nil else { return }
        guard head.status == .switchingProtocols else {
            let kept = limits.refusalHeaders.compactMap { name in
                head.headers.first(name: name).map { (name, $0) }
            }
            return fail(
                WebSocketRefused(
                    status: Int(head.status.code), headers: Dictionary(kept, uniquingKeysWith: { $1 })))
        }
        let check = NIOWebSocketClientUpgrader(requestKey: key) { channel, _ in
            channel.eventLoop.makeSucceededVoidFuture()
        }
        guard check.shouldAllowUpgrade(upgradeResponse: head) else { return fail(WebSocketError.badUpgrade) }
        becomeWebSocket(context)
    }

    private func becomeWebSocket(_ context: ChannelHandlerContext) {
        guard let (peer, promise) = waiting else { return }
        let pipeline = context.pipeline.syncOperations
        let socket = WebSocket(loop: context.eventLoop, peer: peer, limits: limits, isClient: true)
        do {
            let handler = WebSocketChannelHandler(socket: socket, limits: limits, isClient: true)
            try pipeline.addHandler(handler)
        } catch {
            return fail(error)
        }
        isUpgraded = true
        waiting = nil
        limit?.cancel()
        // The decoder goes on the next tick, giving up the frames that stood behind the answer. It watches
        // writes as long as it is there, so nothing may be sent before.
        pipeline.removeHandler(codec.encoder, promise: nil)
        pipeline.removeHandler(codec.decoder).assumeIsolated().whenComplete { _ in
            socket.open()
            promise.succeed(socket)
            for data in self.early { context.fireChannelRead(data) }
            self.early = []
            pipeline.removeHandler(self, promise: nil)
        }
    }

    private func fail(_ error: any Error) {
        guard !isUpgraded, failure == nil else { return }
        failure = error
        limit?.cancel()
        let promise = waiting?.promise
        waiting = nil
        promise?.fail(error)
        context?.close(promise: nil)
    }
}
