import Foundation
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Testing

@testable import WebSockets

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

@Suite(.timeLimit(.minutes(1))) struct TLSTests {
    private func withServer(_ body: (Int, NIOSSLCertificate) async throws -> Void) async throws {
        let own = try NIOSSLCertificate(bytes: bytes(certificate), format: .der)
        let configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(own)],
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: bytes(key), format: .der)))
        let events = EventLog()
        let routes = WebSocketRoutes(
            isWebSocketPath: { $0 == "/echo" },
            decide: { _ in .accept(headers: [], make: { _ in EchoPeer(events: events) }) })
        let port = AsyncStream<Int>.makeStream()
        let app = Application(
            router: Router(), server: try .tls(.webSockets(routes), tlsConfiguration: configuration),
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { port.continuation.yield($0.localAddress?.port ?? 0) }, logger: quietLogger)
        let group = ServiceGroup(configuration: .init(services: [.init(service: app)], logger: quietLogger))
        let running = Task { try await group.run() }
        var iterator = port.stream.makeAsyncIterator()
        let number = await iterator.next() ?? 0
        let result: Result<Void, any Error>
        do { result = .success(try await body(number, own)) } catch { result = .failure(error) }
        await group.triggerGracefulShutdown()
        try? await running.value
        try result.get()
    }

    @Test(arguments: ["localhost", "127.0.0.1"])
    func aSocketOverTLSWorksWithACertificateThatIsTrusted(host: String) async throws {
        try await withServer { port, own in
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = .certificates([own])
            let trusting = Result<NIOSSLContext, any Error>.success(
                try NIOSSLContext(configuration: configuration))
            let log = EventLog()
            let loop = MultiThreadedEventLoopGroup.singleton.any()
            let socket = try await loop.flatSubmit {
                WebSocketClient.connect(
                    url: "wss://\(host):\(port)/echo", headers: [], limits: WebSocketLimits(), on: loop,
                    peer: LoggingPeer(events: log), tls: trusting)
            }.get()
            #expect(await log.next() == .opened)
            let long = String(repeating: "long ", count: 20_000)
            for text in ["hi", long] {
                socket.perform { $0.send(text: ByteBuffer(string: text)) }
                let answer = await log.first { if case .text = $0 { true } else { false } }
                #expect(answer == .text(text))
            }
            socket.perform { $0.close() }
            #expect(await log.closed() == .closed(1000, nil))
        }
    }

    @Test func aCertificateThatIsNotTrustedIsRefused() async throws {
        try await withServer { port, _ in
            let log = EventLog()
            await #expect(throws: NIOSSLError.self) {
                try await connect("wss://localhost:\(port)/echo", log: log)
            }
        }
    }
}
