import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOWebSocket

/// Looks at a connection's first request and makes of the channel what it asks for.
///
/// An own handler because NIO's typed upgrade handler swallows a request whose `Upgrade` header nobody takes
/// (h2c, refused WebSockets). Only the first request of a connection can become a WebSocket; later ones go to
/// the router. A connection that asks for HTTP is held until somebody opens it: what NIO puts on the channel then
/// traps when it is let go of unused, so it is only made for the one who will use it.
final class UpgradeGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State { case waiting, held, deciding, http, upgraded, over }

    private let routes: WebSocketRoutes
    private let idleTimeout: Duration
    private let codec: (encoder: HTTPResponseEncoder, decoder: ByteToMessageHandler<HTTPRequestDecoder>)
    private let branch: EventLoopPromise<RoutesAndSockets.Branch>
    private let logger: Logger

    private var state = State.waiting
    private var context: ChannelHandlerContext?
    /// What came while held, in order.
    private var early: [(ChannelHandlerContext) -> Void] = []
    /// Until then a connection must have asked for something and been taken.
    private var limit: Scheduled<Void>?
    private var isLeaving = false
    /// Reads are held back while the answer is not known, so that a client cannot fill memory meanwhile.
    private var owesRead = false

    init(
        routes: WebSocketRoutes, idleTimeout: Duration,
        codec: (HTTPResponseEncoder, ByteToMessageHandler<HTTPRequestDecoder>),
        branch: EventLoopPromise<RoutesAndSockets.Branch>, logger: Logger
    ) {
        self.routes = routes
        self.idleTimeout = idleTimeout
        self.codec = codec
        self.branch = branch
        self.logger = logger
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        limit = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(idleTimeout)) {
            context.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        limit?.cancel()
        self.context = nil
        early = []
        switch state {
        case .waiting, .deciding: branch.fail(ChannelError.eof)
        case .held, .http, .upgraded, .over: break
        }
        state = .over
    }

    func read(context: ChannelHandlerContext) {
        if state == .deciding || state == .held { owesRead = true } else { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .waiting:
            guard case .head(let head) = unwrapInboundIn(data) else { return }
            if isWebSocket(head) {
                limit?.cancel()
                decide(head, context)
            } else {
                hold(head)
            }
        case .held: early.append { self.channelRead(context: $0, data: data) }
        case .http:
            guard case .head(let head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
            context.fireChannelRead(wrapInboundOut(.head(Self.withoutUpgrade(head))))
        case .upgraded: context.fireChannelRead(data)
        case .deciding, .over: break
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch (state, event) {
        case (.waiting, is ChannelShouldQuiesceEvent): context.close(promise: nil)
        case (.deciding, is ChannelShouldQuiesceEvent): isLeaving = true
        case (.held, _): early.append { $0.fireUserInboundEventTriggered(event) }
        case (.waiting, ChannelEvent.inputClosed), (.deciding, ChannelEvent.inputClosed):
            context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch (state, error) {
        case (.waiting, is HTTPParserError): refuse(400, "not an HTTP request", context)
        case (.waiting, _), (.deciding, _), (.over, _): context.close(promise: nil)
        case (.held, _): early.append { $0.fireErrorCaught(error) }
        case (.http, _), (.upgraded, _): context.fireErrorCaught(error)
        }
    }

    // MARK: HTTP

    private func hold(_ head: HTTPRequestHead) {
        state = .held
        let part = wrapInboundOut(.head(Self.withoutUpgrade(head)))
        early.append { $0.fireChannelRead(part) }
        branch.succeed(.http)
    }

    /// Puts the router's side on the channel and gives it what has come; on the loop. The caller must use it.
    /// - Throws: `ChannelError` eof when the connection is gone; what adding handlers gave.
    func openHTTP() throws -> NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart> {
        guard state == .held, let context, context.channel.isActive else { throw ChannelError.eof }
        limit?.cancel()
        let pipeline = context.pipeline.syncOperations
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
        // Without it a graceful shutdown would wait for idle keep-alive connections.
        try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: idleTimeout, logger: logger))
        let http = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
            wrappingChannelSynchronously: context.channel,
            configuration: .init(isOutboundHalfClosureEnabled: true))
        state = .http
        for tell in early { tell(context) }
        early = []
        context.fireChannelReadComplete()
        if owesRead { context.read() }
        return http
    }

    /// A request whose upgrade nobody takes is answered as if it had not asked. NIO's parser stops behind
    /// such a request, so it must be the connection's last.
    private static func withoutUpgrade(_ head: HTTPRequestHead) -> HTTPRequestHead {
        guard head.headers.contains(name: "upgrade") else { return head }
        var head = head
        head.headers.remove(name: "upgrade")
        head.headers.replaceOrAdd(name: "connection", value: "close")
        return head
    }

    // MARK: WebSocket

    private func isWebSocket(_ head: HTTPRequestHead) -> Bool {
        func has(_ token: String, in name: String) -> Bool {
            head.headers[canonicalForm: name].contains { $0.lowercased() == token }
        }
        let hasBody =
            head.headers.contains(name: "transfer-encoding")
            || head.headers.first(name: "content-length").map { $0 != "0" } ?? false
        return head.method == .GET && !hasBody && has("websocket", in: "upgrade")
            && has("upgrade", in: "connection")
            && routes.isWebSocketPath(head.uri.prefix { $0 != "?" })
    }

    private func decide(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        state = .deciding
        let path = head.uri.prefix { $0 != "?" }
        let request = WebSocketRequest(
            path: String(path), query: String(head.uri.dropFirst(path.count + 1)),
            headers: head.headers.map { ($0.name, $0.value) }, remoteAddress: context.remoteAddress?.ipAddress
        )
        let answer = context.eventLoop.makePromise(of: WebSocketAnswer.self)
        answer.completeWithTask { [decide = routes.decide] in await decide(request) }
        answer.futureResult.assumeIsolated().whenSuccess { self.settle($0, head, context) }
        limit = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(routes.limits.decideMax)) {
            self.settle(.refuse(status: 503, reason: "no decision in time"), head, context)
        }
    }

    private func settle(_ answer: WebSocketAnswer, _ head: HTTPRequestHead, _ context: ChannelHandlerContext)
    {
        guard state == .deciding else { return }
        limit?.cancel()
        switch answer {
        case _ where isLeaving: refuse(503, "shutting down", context)
        case .refuse(let status, let reason): refuse(status, reason, context)
        case .accept(let headers, let make):
            responseHeaders(to: head, adding: headers, context).whenComplete {
                guard case .success(let headers) = $0 else {
                    return self.refuse(400, "not a valid WebSocket request", context)
                }
                self.becomeWebSocket(headers, make, context)
            }
        }
    }

    /// NIO's upgrader checks key and version and computes `Sec-WebSocket-Accept`; nothing else of it is used.
    private func responseHeaders(
        to head: HTTPRequestHead, adding headers: [(String, String)], _ context: ChannelHandlerContext
    ) -> EventLoopFuture<HTTPHeaders>.Isolated {
        let upgrader = NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders(headers)) },
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })
        return upgrader.buildUpgradeResponse(
            channel: context.channel, upgradeRequest: head,
            initialResponseHeaders: ["Connection": "Upgrade", "Upgrade": "websocket"]
        ).assumeIsolated()
    }

    private func becomeWebSocket(
        _ headers: HTTPHeaders, _ make: @Sendable (any EventLoop) -> any WebSocketPeer,
        _ context: ChannelHandlerContext
    ) {
        guard state == .deciding, context.channel.isActive else { return }
        let response = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
        context.writeAndFlush(wrapOutboundOut(.head(response)), promise: nil)
        let socket = WebSocket(
            loop: context.eventLoop, peer: make(context.eventLoop), limits: routes.limits, isClient: false)
        let pipeline = context.pipeline.syncOperations
        do {
            let handler = WebSocketChannelHandler(socket: socket, limits: routes.limits, isClient: false)
            try pipeline.addHandler(handler)
        } catch {
            return context.close(promise: nil)
        }
        state = .upgraded
        branch.succeed(.webSocket)
        // The encoder leaves now, before the peer's first frame; the decoder on the next tick, giving up what
        // it holds, and only then does this handler let reads through and leave.
        pipeline.removeHandler(codec.encoder).assumeIsolated().whenComplete { _ in socket.open() }
        pipeline.removeHandler(codec.decoder).assumeIsolated().whenComplete { _ in
            pipeline.removeHandler(self, promise: nil)
            if self.owesRead { context.channel.read() }
        }
    }

    private func refuse(_ status: Int, _ reason: String, _ context: ChannelHandlerContext) {
        guard state == .waiting || state == .deciding else { return }
        state = .over
        let body = Self.problem(status, reason)
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: status),
            headers: [
                "Connection": "close", "Content-Type": "application/problem+json",
                "Content-Length": String(body.readableBytes),
            ])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        branch.succeed(.refused)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }

    /// RFC 9457 with no more than title and status.
    private static func problem(_ status: Int, _ title: String) -> ByteBuffer {
        var escaped = ""
        for character in title.unicodeScalars where character.value >= 0x20 {
            if character == "\"" || character == "\\" { escaped.append("\\") }
            escaped.unicodeScalars.append(character)
        }
        return ByteBuffer(string: "{\"title\":\"\(escaped)\",\"status\":\(status)}")
    }
}
