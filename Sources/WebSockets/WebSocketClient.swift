package import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

package enum WebSocketClient {
    /// Connects to a `ws://` or `wss://` URL.
    /// - Parameters:
    ///   - headers: sent with the upgrade (authorization, sub-protocol).
    ///   - loop: the socket's and the peer's event loop; the peer is touched nowhere else.
    ///   - reach: whose certificates are trusted, and which addresses may be connected to.
    /// - Returns: the open socket, after `peer.opened`. Fails with `WebSocketRefused` when the server answers
    ///   with another status than 101, `WebSocketError` or the error of the network; then the peer was never
    ///   called.
    package static func connect(
        url: String, headers: [(String, String)] = [], limits: WebSocketLimits = WebSocketLimits(),
        on loop: any EventLoop, peer: any WebSocketPeer, reach: WebSocketReach = .anywhere
    ) -> EventLoopFuture<WebSocket> {
        let target: WebSocketURL
        let context: NIOSSLContext?
        do {
            target = try WebSocketURL(url)
            try check(headers)
            context = target.isSecure ? try reach.tls.get() : nil
        } catch {
            return loop.makeFailedFuture(error)
        }
        let owner = OnLoop(peer)
        return reach.address(of: target.host, port: target.port, on: loop)
            .flatMap { address in
                ClientBootstrap(group: loop)
                    .connectTimeout(TimeAmount(limits.connectMax))
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try prepare(channel, target, headers, limits, context)
                        }
                    }
                    .connect(to: address)
            }
            .flatMap { channel in
                do {
                    let upgrade = try channel.pipeline.syncOperations.handler(type: ClientUpgrade.self)
                    return upgrade.begin(peer: owner.value, on: channel.eventLoop)
                } catch {
                    return channel.eventLoop.makeFailedFuture(error)
                }
            }
            .flatMapErrorThrowing { error in throw translated(error) }
    }

    private static func prepare(
        _ channel: any Channel, _ target: WebSocketURL, _ headers: [(String, String)],
        _ limits: WebSocketLimits,
        _ tls: NIOSSLContext?
    ) throws {
        let pipeline = channel.pipeline.syncOperations
        if let tls {
            // No server name for an address: RFC 6066 forbids it; the certificate is then matched by address.
            let isAddress = (try? SocketAddress(ipAddress: target.host, port: 0)) != nil
            try pipeline.addHandler(
                NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : target.host))
        }
        let encoder = HTTPRequestEncoder()
        let decoder = ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes))
        let upgrade = ClientUpgrade(
            target: target, headers: headers, limits: limits, codec: (encoder, decoder))
        try pipeline.addHandlers([encoder, decoder, upgrade])
    }

    private static func check(_ headers: [(String, String)]) throws(WebSocketError) {
        for (name, value) in headers {
            guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x3A }),
                value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 })
            else { throw .badRequest("header with control characters") }
        }
    }

    private static func translated(_ error: any Error) -> any Error {
        switch error {
        case ChannelError.connectTimeout: WebSocketError.connectTimeout
        case let error as NIOSSLError: WebSocketError.tls("\(error)")
        case let error as BoringSSLError: WebSocketError.tls("\(error)")
        default: error
        }
    }
}

/// Carries a value that is touched on one event loop only through closures that must be `Sendable`.
struct OnLoop<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
