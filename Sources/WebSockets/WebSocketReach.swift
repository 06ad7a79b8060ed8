package import NIOCore
import NIOPosix
package import NIOSSL

/// Whom a client trusts and where it may connect to; made once and shared, as reading certificates takes tens of
/// milliseconds.
package struct WebSocketReach: Sendable {
    /// Threads that names are looked up on: a slow name server must not hold up a loop.
    private static let resolverThreads = 4
    private static let resolver: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: resolverThreads)
        pool.start()
        return pool
    }()

    let tls: Result<NIOSSLContext, any Error>
    /// Judged after the name was resolved and before anything is connected.
    private let permits: @Sendable (SocketAddress) -> Bool

    /// Everywhere, trusting the system's roots.
    package static let anywhere = WebSocketReach(permits: { _ in true })

    /// - Parameter caFile: PEM file of authorities trusted beside the system's.
    package init(caFile: String? = nil, permits: @escaping @Sendable (SocketAddress) -> Bool) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let caFile { configuration.additionalTrustRoots = [.file(caFile)] }
        self.init(configuration, permits: permits)
    }

    package init(_ configuration: TLSConfiguration, permits: @escaping @Sendable (SocketAddress) -> Bool) {
        tls = Result { try NIOSSLContext(configuration: configuration) }
        self.permits = permits
    }

    /// The first address of `host` in the system's order. Fails with `addressRefused`, or the resolver's error.
    func address(of host: String, port: Int, on loop: any EventLoop) -> EventLoopFuture<SocketAddress> {
        let found: EventLoopFuture<SocketAddress>
        if let address = try? SocketAddress(ipAddress: host, port: port) {
            found = loop.makeSucceededFuture(address)
        } else {
            found = Self.resolver.runIfActive(eventLoop: loop) {
                try SocketAddress.makeAddressResolvingHost(host, port: port)
            }
        }
        return found.flatMapThrowing { [permits] address in
            guard permits(address) else { throw WebSocketError.addressRefused }
            return address
        }
    }
}
