package import HummingbirdCore
package import NIOCore

/// What a client asked for when it asked for a WebSocket.
package struct WebSocketRequest: Sendable {
    /// Without the query, as sent.
    package var path: String
    /// Behind the question mark, as sent; empty if none.
    package var query: String
    /// Names as sent, in order.
    package var headers: [(String, String)]
    /// The connection's other end, without port.
    package var remoteAddress: String?

    package init(path: String, query: String, headers: [(String, String)], remoteAddress: String?) {
        self.path = path
        self.query = query
        self.headers = headers
        self.remoteAddress = remoteAddress
    }

    /// The first header of this name, whatever its case.
    package func header(_ name: String) -> String? {
        headers.first { $0.0.lowercased() == name.lowercased() }?.1
    }
}

package enum WebSocketAnswer: Sendable {
    /// 101 with these headers more (`Sec-WebSocket-Protocol`); `make` runs on the socket's loop.
    case accept(headers: [(String, String)], make: @Sendable (any EventLoop) -> any WebSocketPeer)
    /// An HTTP status 4xx or 5xx and a problem body with this title; the connection is closed.
    case refuse(status: Int, reason: String)
}

/// Which paths are WebSockets and who answers there.
package struct WebSocketRoutes: Sendable {
    package var isWebSocketPath: @Sendable (Substring) -> Bool
    package var decide: @Sendable (WebSocketRequest) async -> WebSocketAnswer
    package var limits: WebSocketLimits

    /// - Parameters:
    ///   - isWebSocketPath: given the path without query; only an upgrade request on such a path is decided
    ///     on, any other request goes to the router (which may answer 426 there).
    ///   - decide: runs before the upgrade, within `limits.decideMax`.
    package init(
        isWebSocketPath: @escaping @Sendable (Substring) -> Bool,
        decide: @escaping @Sendable (WebSocketRequest) async -> WebSocketAnswer,
        limits: WebSocketLimits = WebSocketLimits()
    ) {
        self.isWebSocketPath = isWebSocketPath
        self.decide = decide
        self.limits = limits
    }
}

extension HTTPServerBuilder {
    /// HTTP/1.1 routes and WebSockets on one port.
    /// - Parameter idleTimeout: a connection without a request for this long is closed.
    package static func webSockets(
        _ routes: WebSocketRoutes, idleTimeout: Duration = .seconds(60)
    ) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            RoutesAndSockets(responder: responder, routes: routes, idleTimeout: idleTimeout)
        }
    }

    /// HTTP/1.1 routes alone.
    package static func routes(idleTimeout: Duration = .seconds(60)) -> HTTPServerBuilder {
        webSockets(
            WebSocketRoutes(
                isWebSocketPath: { _ in false }, decide: { _ in .refuse(status: 404, reason: "no sockets") }),
            idleTimeout: idleTimeout)
    }
}

/// Keeps a server taking connections.
package enum Accepting {
    /// After a connection could not be taken (no file descriptors, an aborted handshake), before the next try.
    package static let pause: TimeAmount = .milliseconds(100)

    /// To be called once the server runs: one connection that cannot be taken would else end its accepting for good.
    package static func persist(on server: any Channel) async {
        // A server that is closing already needs none.
        try? await server.eventLoop.submit {
            try server.pipeline.syncOperations.addHandler(
                AcceptBackoffHandler(shouldForwardIOErrorCaught: false) { _ in pause }, position: .first)
        }.get()
    }
}
