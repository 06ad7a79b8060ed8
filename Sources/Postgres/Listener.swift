import Connections
import Dispatch
import Logging
import Synchronization

extension PostgresPool {
    /// What is notified on `channel`, payload by payload, until the pool closes or the stream is dropped.
    ///
    /// An empty payload comes each time listening (re)starts: what was notified before may have been missed,
    /// so look at
    /// the tables now. Uses a connection of its own, outside `connections`. A reader more than
    /// `PostgresLimits.unreadNotificationsMax` behind loses the oldest.
    package func listen(_ channel: String) -> AsyncStream<String> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: String.self, bufferingPolicy: .bufferingNewest(PostgresLimits.unreadNotificationsMax))
        guard let settings else {
            logger.error("cannot listen: the database URL is malformed")
            continuation.finish()
            return stream
        }
        let listener = Listener(channel: channel, settings: settings, into: continuation, logger: logger)
        let isClosed = state.withLock { state in
            if !state.isClosed { state.listeners[ObjectIdentifier(listener)] = listener }
            return state.isClosed
        }
        continuation.onTermination = { [weak self] _ in
            listener.stop()
            self?.state.withLock { $0.listeners[ObjectIdentifier(listener)] = nil }
        }
        isClosed ? continuation.finish() : listener.connect()
        return stream
    }
}

/// Keeps one LISTEN alive over reconnects.
final class Listener: Sendable {
    private struct State {
        var connection: PostgresConnection?
        var failures = 0
        var isStopped = false
    }
    private let channel: String
    private let settings: ConnectionSettings
    private let continuation: AsyncStream<String>.Continuation
    private let logger: Logger
    private let queue = DispatchQueue(label: "postgres.listener")
    private let state = Mutex(State())

    init(
        channel: String, settings: ConnectionSettings, into continuation: AsyncStream<String>.Continuation,
        logger: Logger
    ) {
        self.channel = channel
        self.settings = settings
        self.continuation = continuation
        self.logger = logger
    }

    func connect() {
        let connection = PostgresConnection(
            settings,
            PostgresConnection.Events(
                opened: { [weak self] in self?.opened($0) },
                lost: { [weak self] _, error, _ in self?.lost(error) },
                notified: { [continuation] _, payload in continuation.yield(payload) }))
        let isStopped = state.withLock { state in
            if !state.isStopped { state.connection = connection }
            return state.isStopped
        }
        if !isStopped { connection.open() }
    }

    func stop() {
        let connection = state.withLock { state in
            state.isStopped = true
            return state.connection.take()
        }
        connection?.close()
        continuation.finish()
    }

    private func opened(_ connection: PostgresConnection) {
        let name = "\"" + channel.replacing("\"", with: "\"\"") + "\""
        guard let statement = try? Statement("listen \(name)", isPrepared: false) else {
            // A zero byte in the name: no server would ever notify it.
            logger.error("cannot listen: the channel's name holds a zero byte")
            return stop()
        }
        connection.send(
            Job(statements: [statement], isUndoneWhenLost: true) { [weak self, weak connection] outcome in
                switch outcome.result {
                case .success: self?.listening()
                case .failure(let error): connection?.close("listen: \(error)")
                }
            })
    }

    private func listening() {
        state.withLock { $0.failures = 0 }
        continuation.yield("")
    }

    private func lost(_ error: PostgresError) {
        let failures = state.withLock { state -> Int? in
            if state.isStopped { return nil }
            state.connection = nil
            state.failures += 1
            return state.failures
        }
        guard let failures else { return }
        if failures == 1 { logger.warning("listening was interrupted", metadata: ["cause": "\(error)"]) }
        queue.asyncAfter(deadline: .now() + Backoff.pause(after: failures)) { [weak self] in
            self?.connect()
        }
    }
}
