import Foundation
import HTTPClient
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Testing

/// For `localhost` and 127.0.0.1, signed by itself, until 2126; worth nothing outside this test.
private let certificate = """
    MIIBmzCCAUGgAwIBAgIUco54HHYNyzp+DX1D9pnph45lbsQwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2
    MTEyMjIwMDQ0MVoYDzIxMjYxMDI5MjAwNDQxWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
    AAQtJKXMNuzrmp8467oCEvZ9gibi3CDwbiGfqiF3jekivc8xJaLzXQRtCJj+yzEMc1543dKT+DdN+Q5b62MyeEdTo28wbTAdBgNV
    HQ4EFgQUZFPKBBIvODDXAVeg4pN+RccDPNwwHwYDVR0jBBgwFoAUZFPKBBIvODDXAVeg4pN+RccDPNwwDwYDVR0TAQH/BAUwAwEB
    /zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZIzj0EAwIDSAAwRQIhAMR09K0WgTIbIy09rX+lqSpR4O6nHWOJgkJq
    WJPr3whVAiB3j45P80LGWwvnoXXzcEBiD6OZbUyRnUcAJEV7uhujbw==
    """
private let key = """
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgOFzAKMLxYyYjREaamxTFtsh2NEvNiiD6x7J/pZq0JFGhRANCAAQt
    JKXMNuzrmp8467oCEvZ9gibi3CDwbiGfqiF3jekivc8xJaLzXQRtCJj+yzEMc1543dKT+DdN+Q5b62MyeEdT
    """

private func bytes(_ base64: String) throws -> [UInt8] {
    [UInt8](try #require(Data(base64Encoded: base64, options: .ignoreUnknownCharacters)))
}

@Test(.timeLimit(.minutes(1))) func aCertificateThatIsNotTrustedIsRefused() async throws {
    let configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: [.certificate(try NIOSSLCertificate(bytes: bytes(certificate), format: .der))],
        privateKey: .privateKey(try NIOSSLPrivateKey(bytes: bytes(key), format: .der)))
    let context = try NIOSSLContext(configuration: configuration)
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
            }
        }
        .bind(host: "127.0.0.1", port: 0).get()
    let client = HTTPClient(
        addresses: .anyAddress, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let url = "https://localhost:\(server.localAddress?.port ?? 0)/"
    let error = await #expect(throws: HTTPError.self) { try await client.send(HTTPRequest(url: url)) }
    guard case .connect(let cause)? = error else {
        Issue.record("\(String(describing: error))")
        return
    }
    #expect(cause.contains("certificate"))
    await client.close()
    try await server.close()
}
