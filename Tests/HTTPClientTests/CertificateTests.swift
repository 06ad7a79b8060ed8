import HTTPClient
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import TestKit
import Testing

@Test(.timeLimit(.minutes(1))) func aCertificateThatIsNotTrustedIsRefused() async throws {
    let context = try NIOSSLContext(configuration: OwnCertificate.serving())
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
            }
        }
        .bind(host: "127.0.0.1", port: 0).get()
    let client = HTTPClient(addresses: .anyAddress, logger: .quiet)
    let url = "https://localhost:\(server.localAddress?.port ?? 0)/"
    let error = await #expect(throws: HTTPError.self) { try await client.send(HTTPRequest(url: url)) }
    guard case .connect(let cause)? = error else {
        Issue.record("\(String(describing: error))")
        return
    }
    #expect(cause.contains("certificate"))
    await client.close()
    // Trusted by a file, the handshake is done; what follows is no HTTP.
    let directory = ScratchDirectory()
    let path = try OwnCertificate.write(in: directory)
    let trusting = HTTPClient(addresses: .anyAddress, caFile: path, logger: .quiet)
    let limits = HTTPLimits(connect: .seconds(5), firstByte: .milliseconds(200))
    await #expect(throws: HTTPError.timeout(.firstByte)) {
        try await trusting.send(HTTPRequest(url: url, limits: limits))
    }
    await trusting.close()
    try await server.close()
}
