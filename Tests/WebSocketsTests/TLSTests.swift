import NIOCore
import NIOPosix
import NIOSSL
import TestKit
import Testing

@testable import WebSockets

@Suite(.timeLimit(.minutes(1))) struct TLSTests {
    private func withServer(_ body: (Int) async throws -> Void) async throws {
        let server = try await SocketServer.start(tls: OwnCertificate.serving())
        let result: Result<Void, any Error>
        do { result = .success(try await body(server.port)) } catch { result = .failure(error) }
        await server.stop()
        try result.get()
    }

    @Test(arguments: ["localhost", "127.0.0.1"])
    func aSocketOverTLSWorksWithACertificateThatIsTrusted(host: String) async throws {
        try await withServer { port in
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = .certificates([try OwnCertificate.make()])
            let trusting = WebSocketReach(configuration) { _ in true }
            let log = EventLog()
            let loop = MultiThreadedEventLoopGroup.singleton.any()
            let socket = try await loop.flatSubmit {
                WebSocketClient.connect(
                    url: "wss://\(host):\(port)/echo", headers: [], limits: WebSocketLimits(), on: loop,
                    peer: LoggingPeer(events: log), reach: trusting)
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

    @Test func aFileOfAuthoritiesIsTrustedBesideTheSystems() async throws {
        let directory = ScratchDirectory()
        let reach = WebSocketReach(caFile: try OwnCertificate.write(in: directory)) { _ in true }
        try await withServer { port in
            let log = EventLog()
            let loop = MultiThreadedEventLoopGroup.singleton.any()
            let socket = try await loop.flatSubmit {
                WebSocketClient.connect(
                    url: "wss://localhost:\(port)/echo", on: loop, peer: LoggingPeer(events: log),
                    reach: reach)
            }.get()
            socket.perform { $0.close() }
            #expect(await log.closed() == .closed(1000, nil))
        }
    }

    @Test func anAddressThatMayNotBeReachedIsRefusedBeforeAnythingIsConnected() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        for host in ["127.0.0.1", "localhost"] {
            await #expect(throws: WebSocketError.addressRefused) {
                try await loop.flatSubmit {
                    WebSocketClient.connect(
                        url: "ws://\(host):1/", on: loop, peer: LoggingPeer(events: EventLog()),
                        reach: WebSocketReach { _ in false })
                }.get()
            }
        }
    }

    @Test func aCertificateThatIsNotTrustedIsRefused() async throws {
        try await withServer { port in
            let log = EventLog()
            let error = await #expect(throws: WebSocketError.self) {
                try await connect("wss://localhost:\(port)/echo", log: log)
            }
            guard case .tls? = error else { return #expect(Bool(false), "\(String(describing: error))") }
        }
    }
}
