package import Logging

/// HTTP/1.1 and, over TLS, HTTP/2, on one thread of its own. One client, one address policy: connections are
/// shared by all its requests. A request on a reused connection that the server had just closed is sent once
/// more by libcurl if nothing of an answer had arrived.
package final class HTTPClient: Sendable {
    private let loop = CurlLoop()
    private let addresses: AddressPolicy
    private let caFile: String?
    private let logger: Logger

    /// - Parameter caFile: PEM file of authorities trusted beside those of the system's certificate directory.
    package init(addresses: AddressPolicy, caFile: String? = nil, logger: Logger) {
        self.addresses = addresses
        self.caFile = caFile
        self.logger = logger
        loop.begin()
    }

    deinit { loop.close() }

    /// Ends the thread; what is under way fails with `transport`, and so does every later request.
    package func close() async {
        loop.close()
        await loop.ended()
    }

    /// The whole response. Throws `HTTPError` only; cancelling the task cancels the request.
    package func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let outcome = OneShot<HTTPResponse>()
        let collected = Collected()
        let transfer = transfer(
            request,
            TransferSink(
                onHead: {
                    collected.status = $0; collected.headers = $1
                },
                onChunk: { collected.body += $0 },
                onEnd: { outcome.fulfil($0.map(collected.response)) }))
        return try await withTaskCancellationHandler {
            loop.start(transfer)
            return try await outcome.value()
        } onCancel: {
            loop.cancel(transfer)
        }
    }

    /// Returns at the response head; the body comes as it is read.
    package func stream(_ request: HTTPRequest) async throws -> HTTPStream {
        let head = OneShot<(Int, [(String, String)])>()
        let body = StreamBody()
        let transfer = transfer(
            request,
            TransferSink(
                onHead: { head.fulfil(.success(($0, $1))) },
                onChunk: { body.append($0) },
                isFull: { body.isFull() },
                onEnd: {
                    if case .failure(let error) = $0 { head.fulfil(.failure(error)) }
                    body.end($0)
                }))
        let (status, headers) = try await withTaskCancellationHandler {
            loop.start(transfer)
            return try await head.value()
        } onCancel: {
            loop.cancel(transfer)
        }
        return HTTPStream(
            status: status, headers: headers, reader: StreamReader(body: body, transfer: transfer, loop: loop)
        )
    }

    /// For event loops: every callback comes on the client's own thread and must not block it; `onEnd` once
    /// and last. There is no back-pressure but `limits.responseBytesMax`. After `close()`, `onEnd` is called
    /// before this returns.
    package func start(
        _ request: HTTPRequest,
        onHead: @escaping @Sendable (Int, [(String, String)]) -> Void,
        onChunk: @escaping @Sendable ([UInt8]) -> Void,
        onEnd: @escaping @Sendable (Result<HTTPTimings, HTTPError>) -> Void
    ) -> HTTPCancellation {
        let transfer = transfer(request, TransferSink(onHead: onHead, onChunk: onChunk, onEnd: onEnd))
        loop.start(transfer)
        return HTTPCancellation(transfer: transfer, loop: loop)
    }

    private func transfer(_ request: HTTPRequest, _ sink: TransferSink) -> Transfer {
        var sink = sink
        sink.onEnd = { [logger, onEnd = sink.onEnd] in
            if case .failure(.refusedAddress(let address)) = $0 {
                logger.notice("outgoing request to a forbidden address", metadata: ["address": "\(address)"])
            }
            onEnd($0)
        }
        return Transfer(request: request, policy: addresses, caFile: caFile, sink: sink)
    }
}

/// Ends one request; may be called any number of times, on any thread, also after the end. No chunk begins
/// after it returns, except one that is being delivered meanwhile; `onEnd` gets `cancelled` unless it has
/// been called.
package final class HTTPCancellation: Sendable {
    private let transfer: Transfer
    private let loop: CurlLoop

    init(transfer: Transfer, loop: CurlLoop) {
        self.transfer = transfer
        self.loop = loop
    }

    package func cancel() { loop.cancel(transfer) }
}

/// A response being put together; touched on the loop's thread only.
private final class Collected: @unchecked Sendable {
    var status = 0
    var headers: [(String, String)] = []
    var body: [UInt8] = []

    func response(_ timings: HTTPTimings) -> HTTPResponse {
        HTTPResponse(status: status, headers: headers, body: body, timings: timings)
    }
}
