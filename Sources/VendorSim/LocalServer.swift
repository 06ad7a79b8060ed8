import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOSSL
import WebSockets

struct LocalRequest: Sendable {
    var method: String
    /// Path split at `/`, percent escapes left alone.
    var path: [String]
    var query: FormBody
    var headers: HTTPFields
    var body: [UInt8]

    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }
}

struct LocalResponse: Sendable {
    enum Body: Sendable {
        case bytes([UInt8])
        case stream(@Sendable (inout any ResponseBodyWriter) async throws -> Void)
    }
    var status: Int
    var headers: [(String, String)]
    var body: Body

    static func json(_ status: Int, _ text: String, headers: [(String, String)] = []) -> LocalResponse {
        LocalResponse(
            status: status, headers: [("Content-Type", "application/json")] + headers,
            body: .bytes(Array(text.utf8)))
    }
    static func empty(_ status: Int) -> LocalResponse {
        LocalResponse(status: status, headers: [], body: .bytes([]))
    }
}

/// An HTTP server on 127.0.0.1 that one function answers. Port 0 takes a free one.
final class LocalServer: Sendable {
    /// Bodies beyond 1 MiB are answered with 413.
    static let bodyBytesMax = 1 << 20

    let port: Int
    private let running: Task<Void, any Error>

    private init(port: Int, running: Task<Void, any Error>) {
        self.port = port
        self.running = running
    }

    /// - Throws: what binding the port gave.
    static func start(
        port: Int, tls: TLSConfiguration? = nil, logger: Logger,
        answer: @escaping @Sendable (LocalRequest) async -> LocalResponse
    ) async throws -> LocalServer {
        let (ports, bound) = AsyncThrowingStream<Int, any Error>.makeStream()
        let responder = CallbackResponder { (request: Request, _: BasicRequestContext) in
            try await respond(to: request, answer: answer)
        }
        let application = Application(
            responder: responder,
            server: try tls.map { try .tls(.routes(), tlsConfiguration: $0) } ?? .routes(),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { channel in
                await Accepting.persist(on: channel)
                bound.yield(channel.localAddress?.port ?? 0)
                bound.finish()
            }, logger: logger)
        let running = Task {
            do {
                try await application.run()
            } catch {
                bound.finish(throwing: error)
                throw error
            }
        }
        for try await port in ports { return LocalServer(port: port, running: running) }
        throw CancellationError()
    }

    func stop() async {
        running.cancel()
        // How it ended is of no interest any more.
        _ = await running.result
    }

    private static func respond(
        to request: Request, answer: @Sendable (LocalRequest) async -> LocalResponse
    ) async throws -> Response {
        var request = request
        let body: ByteBuffer
        do {
            body = try await request.collectBody(upTo: bodyBytesMax)
        } catch {
            return Response(status: .contentTooLarge)
        }
        let local = LocalRequest(
            method: request.method.rawValue,
            path: request.uri.path.split(separator: "/").map(String.init),
            query: FormBody((request.uri.query ?? "").utf8) ?? FormBody([]),
            headers: request.headers, body: Array(body.readableBytesView))
        let response = await answer(local)
        var headers = HTTPFields()
        for (name, value) in response.headers {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        let content: ResponseBody
        switch response.body {
        case .bytes(let bytes): content = ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        case .stream(let write): content = ResponseBody { try await write(&$0) }
        }
        return Response(status: .init(code: response.status), headers: headers, body: content)
    }
}
