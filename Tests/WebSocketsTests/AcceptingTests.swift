import Glibc
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import TestKit
import Testing

@testable import WebSockets

/// What happens to a server whose port fails, and to connections that nobody takes over.
@Suite(.timeLimit(.minutes(1))) struct AcceptingTests {
    /// A server that stops under load drops connections it has accepted and not begun to serve: nobody may trap.
    @Test func aConnectionThatNobodyTakesEndsAfterTheIdleTime() async throws {
        let routes = WebSocketRoutes(
            isWebSocketPath: { _ in false }, decide: { _ in .refuse(status: 404, reason: "") })
        let side = RoutesAndSockets(
            responder: { _, _, _ in }, routes: routes, idleTimeout: .milliseconds(100))
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            // Its value is dropped, as the server's queue of accepted connections would do.
            .childChannelInitializer { side.setup(channel: $0, logger: .quiet).map { _ in } }
            .bind(host: "127.0.0.1", port: 0).get()
        var raw = try await RawConnection(port: server.localAddress?.port ?? 0)
        try await raw.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await raw.read(through: "\r\n") == nil)
        try await server.close()
    }

    @Test(arguments: [EMFILE, ECONNABORTED, ENOBUFS])
    func aServerThatCannotTakeOneConnectionTakesTheNext(error: CInt) async throws {
        let server = try await SocketServer.start()
        server.channel.pipeline.fireErrorCaught(IOError(errnoCode: error, reason: "accept"))
        var raw = try await RawConnection(port: server.port)
        try await raw.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await raw.read(through: "hello")?.hasPrefix("HTTP/1.1 200") == true)
        await raw.close()
        await server.stop()
    }
}
