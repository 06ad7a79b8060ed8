import Synchronization

/// A response whose body is read as it comes. When the reader is slow the connection is held back; dropping
/// the stream or cancelling the reading task ends the transfer. One reader at a time. Iteration throws
/// `HTTPError`.
package struct HTTPStream: AsyncSequence, Sendable {
    package let status: Int
    package let headers: [(String, String)]
    private let reader: StreamReader

    init(status: Int, headers: [(String, String)], reader: StreamReader) {
        self.status = status
        self.headers = headers
        self.reader = reader
    }

    /// The first header of this name, whatever its case.
    package func header(_ name: String) -> String? { firstHeader(name, in: headers) }

    /// Nil until the whole body has arrived (which may be before it has been read).
    package var timings: HTTPTimings? { reader.body.timings }

    package func makeAsyncIterator() -> Iterator { Iterator(reader: reader) }

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let reader: StreamReader
        package mutating func next() async throws -> [UInt8]? { try await reader.next() }
    }
}

/// The reading end: lives as long as somebody can still read.
final class StreamReader: Sendable {
    let body: StreamBody
    private let transfer: Transfer
    private let loop: CurlLoop

    init(body: StreamBody, transfer: Transfer, loop: CurlLoop) {
        self.body = body
        self.transfer = transfer
        self.loop = loop
    }

    deinit { loop.cancel(transfer) }

    func next() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            let (chunk, mayResume) = try await body.next()
            if mayResume { loop.resume(transfer) }
            return chunk
        } onCancel: {
            loop.cancel(transfer)
        }
    }
}

/// Between the loop's thread, which fills it, and the reader.
final class StreamBody: Sendable {
    /// Above this many bytes unread libcurl is told to hold back; one piece of at most 16 KiB may still come.
    static let bufferedBytesMax = 64 << 10
    /// Below this many it is told to go on.
    static let resumeBytes = 32 << 10

    private struct State {
        var chunks: [[UInt8]] = []
        var first = 0
        var bytes = 0
        var isHeldBack = false
        var end: Result<HTTPTimings, HTTPError>?
        var isFinished = false
        var reader: CheckedContinuation<[UInt8]?, any Error>?

        mutating func pop() -> [UInt8]? {
            guard first < chunks.count else { return nil }
            let chunk = chunks[first]
            first += 1
            if first == chunks.count {
                chunks.removeAll(keepingCapacity: true)
                first = 0
            }
            bytes -= chunk.count
            return chunk
        }
    }
    private let state = Mutex(State())

    var timings: HTTPTimings? {
        state.withLock { try? $0.end?.get() }
    }

    // MARK: Filling

    func isFull() -> Bool {
        state.withLock {
            $0.isHeldBack = $0.bytes >= Self.bufferedBytesMax
            return $0.isHeldBack
        }
    }

    func append(_ chunk: [UInt8]) {
        let reader = state.withLock { state -> CheckedContinuation<[UInt8]?, any Error>? in
            if let reader = state.reader {
                state.reader = nil
                return reader
            }
            state.chunks.append(chunk)
            state.bytes += chunk.count
            return nil
        }
        reader?.resume(returning: chunk)
    }

    func end(_ result: Result<HTTPTimings, HTTPError>) {
        let reader = state.withLock { state in
            state.end = result
            defer { state.reader = nil }
            if state.reader != nil { state.isFinished = true }
            return state.reader
        }
        switch result {
        case .success: reader?.resume(returning: nil)
        case .failure(let error): reader?.resume(throwing: error)
        }
    }

    // MARK: Reading

    /// The next piece, nil at the end; and whether the transfer was held back and may go on.
    func next() async throws -> ([UInt8]?, mayResume: Bool) {
        if let chunk = popNow() { return chunk }
        let chunk = try await withCheckedThrowingContinuation { continuation in
            let ready = state.withLock { state -> Result<[UInt8]?, any Error>? in
                if let chunk = state.pop() { return .success(chunk) }
                if state.isFinished { return .success(nil) }
                if let end = state.end {
                    state.isFinished = true
                    return end.map { _ in nil }.mapError { $0 }
                }
                if state.reader != nil { return .failure(HTTPError.transport("two readers of one stream")) }
                state.reader = continuation
                return nil
            }
            if let ready { continuation.resume(with: ready) }
        }
        // Read to the bottom, so nothing is held back that a `popNow` would not have let go.
        return (chunk, false)
    }

    private func popNow() -> ([UInt8]?, mayResume: Bool)? {
        state.withLock { state in
            guard let chunk = state.pop() else { return nil }
            let mayResume = state.isHeldBack && state.bytes < Self.resumeBytes
            if mayResume { state.isHeldBack = false }
            return (chunk, mayResume)
        }
    }
}

/// A value that one thread gives and one task awaits, in whichever order; the first one given counts.
final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case awaited(CheckedContinuation<Value, any Error>)
        case given(Result<Value, HTTPError>)
        case taken
    }
    private let state = Mutex(State.empty)

    func fulfil(_ result: Result<Value, HTTPError>) {
        let waiting = state.withLock { state -> CheckedContinuation<Value, any Error>? in
            switch state {
            case .empty:
                state = .given(result)
                return nil
            case .awaited(let continuation):
                state = .taken
                return continuation
            case .given, .taken: return nil
            }
        }
        waiting?.resume(with: result.mapError { $0 })
    }

    /// Once.
    func value() async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let given = state.withLock { state -> Result<Value, HTTPError>? in
                guard case .given(let result) = state else {
                    state = .awaited(continuation)
                    return nil
                }
                state = .taken
                return result
            }
            if let given { continuation.resume(with: given.mapError { $0 }) }
        }
    }
}
