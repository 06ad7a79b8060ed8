internal import CLibPQ
import Dispatch
import Synchronization

extension PostgresPool {
    /// Runs several statements, `;` between them, on a connection of its own: for migrations.
    ///
    /// Without BEGIN or COMMIT in it the whole script is one transaction. Its time limit is
    /// `PostgresLimits.script`, not the configured one.
    /// - Throws: `PostgresError`; with `mayHaveRun` when the connection went away meanwhile;
    ///   `CancellationError` first
    ///   asks the server to stop and waits until it has.
    package func script(_ sql: String) async throws {
        guard !sql.utf8.contains(0) else {
            throw PostgresError.usage("22021", "the script holds a zero byte")
        }
        guard let settings = ConnectionSettings(configuration, statementTimeout: PostgresLimits.script) else {
            throw PostgresError.unreachable("the database URL is malformed")
        }
        let run = ScriptRun(settings)
        let failure = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // Blocking calls, on a thread of Dispatch.
                DispatchQueue(label: "postgres.script").async { continuation.resume(returning: run(sql)) }
            }
        } onCancel: {
            run.cancel()
        }
        guard let failure else { return }
        try Task.checkCancellation()
        throw failure
    }
}

/// One blocking connection running one script.
private final class ScriptRun: Sendable {
    private let settings: ConnectionSettings
    private let state = Mutex<(isCancelled: Bool, request: CancelRequest?)>((false, nil))

    init(_ settings: ConnectionSettings) { self.settings = settings }

    func callAsFunction(_ sql: String) -> PostgresError? {
        let opened = settings.withPointers { PQconnectdbParams($0, $1, 1) }
        guard let opened else { return .unreachable("out of memory") }
        defer { PQfinish(opened) }
        PQsetNoticeReceiver(opened, { _, _ in }, nil)
        guard PQstatus(opened) == CONNECTION_OK else {
            return .unreachable(PostgresConnection.Handle(raw: opened).message)
        }
        let request = PQgetCancel(opened).map(CancelRequest.init)
        let isCancelled = state.withLock { state in
            state.request = request
            return state.isCancelled
        }
        defer { state.withLock { $0.request = nil } }
        if isCancelled { return .disconnected("cancelled before it ran", mayHaveRun: false) }
        guard let raw = PQexec(opened, sql) else { return .disconnected("out of memory", mayHaveRun: true) }
        let result = ResultMemory(raw)
        switch PQresultStatus(result.raw) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: return nil
        default:
            let failure = ServerFailure(result.raw)
            let isGone = failure.isFatal || PQstatus(opened) == CONNECTION_BAD
            return isGone ? .disconnected(failure.error.message, mayHaveRun: true) : failure.error
        }
    }

    func cancel() {
        let request = state.withLock { state in
            state.isCancelled = true
            return state.request
        }
        guard let request else { return }
        DispatchQueue.global().async { request.send() }
    }
}
