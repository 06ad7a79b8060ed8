internal import CLibPQ
import Connections
import Dispatch
import Synchronization

/// One libpq connection in pipeline mode: jobs go out at once and are answered in order.
///
/// Sending happens on the caller's thread under the lock (no thread hop); connecting, reading and losing the
/// connection happen on `queue`. Nothing here blocks except the name look-up inside `PQconnectStartParams`,
/// which has `queue` to itself. A connection is opened once and never again: the owner makes another.
final class PostgresConnection: Sendable {
    /// What the owner is told, on `queue`, under no lock.
    struct Events: Sendable {
        var opened: @Sendable (PostgresConnection) -> Void
        /// Once, last: it could not be opened (`unreachable`) or went away (`disconnected`).
        /// `jobs` were in flight and fail next.
        var lost: @Sendable (PostgresConnection, PostgresError, _ jobs: Int) -> Void
        /// Jobs answered, and how many with an error; before each job's own `finish`. Not called for lost
        /// jobs.
        var finished: @Sendable (PostgresConnection, _ jobs: Int, _ errors: Int) -> Void = { _, _, _ in }
        var notified: @Sendable (_ channel: String, _ payload: String) -> Void = { _, _ in }
    }

    enum Phase { case new, connecting, open, dead }

    struct State {
        var phase = Phase.new
        var handle: Handle?
        var watch: SocketWatch?
        var inFlight = Queue<InFlight>()
        var cache: StatementCache
        /// When the oldest job in flight became the oldest.
        var headSince = DispatchTime.now()
        var isStallCheckArmed = false
        var emptyResults = 0
    }

    /// libpq's connection; used under the lock only, or by `queue` alone while connecting.
    struct Handle: @unchecked Sendable {
        let raw: OpaquePointer
        var message: String {
            String(cString: PQerrorMessage(raw)).split(separator: "\n").joined(separator: " ")
        }
    }

    let settings: ConnectionSettings
    let events: Events
    let queue = DispatchQueue(label: "postgres.connection")
    let state: Mutex<State>

    init(_ settings: ConnectionSettings, _ events: Events) {
        self.settings = settings
        self.events = events
        state = Mutex(State(cache: StatementCache(capacity: settings.statementsMax)))
    }

    deinit {
        let handle = state.withLock { state in
            state.watch?.cancel()
            return state.handle
        }
        if let handle { PQfinish(handle.raw) }
    }

    /// The server's view after everything answered so far: no transaction open.
    var isIdle: Bool {
        state.withLock { state in
            guard state.phase == .open, let handle = state.handle else { return false }
            return state.inFlight.isEmpty && PQtransactionStatus(handle.raw) == PQTRANS_IDLE
        }
    }

    /// Ends it; jobs in flight fail as `disconnected`.
    func close(_ reason: String = "the connection was closed") {
        queue.async { self.lose(reason) }
    }
}

// MARK: Sending

extension PostgresConnection {
    /// Hands the job to the socket. Its `finish` is never called from inside this call.
    func send(_ job: Job) {
        let refusal = state.withLock { state -> String? in
            guard state.phase == .open, let handle = state.handle else {
                return "the connection had gone away"
            }
            guard let steps = transmit(job, handle, &state.cache), PQpipelineSync(handle.raw) == 1 else {
                return handle.message
            }
            if PQflush(handle.raw) == 1 { state.watch?.write(true) }
            if state.inFlight.isEmpty { state.headSince = .now() }
            state.inFlight.append(InFlight(job, steps))
            armStallCheck(&state)
            return nil
        }
        guard let refusal else { return }
        queue.async {
            // Without its sync nothing of the job can have been committed.
            let error = PostgresError.disconnected(refusal, mayHaveRun: false)
            self.lose(refusal)
            job.finish(Job.Outcome(result: .failure(error), mayBeSentAgain: true))
        }
    }

    /// Nil when libpq refused a step: the connection is broken.
    private func transmit(_ job: Job, _ handle: Handle, _ cache: inout StatementCache) -> [InFlight.Step]? {
        var steps: [InFlight.Step] = []
        for statement in job.statements {
            guard statement.isPrepared else {
                guard sendUnnamed(statement, handle) else { return nil }
                steps.append(.execute(sql: statement.sql, name: nil))
                continue
            }
            let use = cache.use(statement.sql)
            if let evicted = use.evicted {
                guard PQsendQueryParams(handle.raw, "deallocate \(evicted)", 0, nil, nil, nil, nil, 0) == 1
                else { return nil }
                steps.append(.deallocate)
            }
            if use.isNew {
                guard PQsendPrepare(handle.raw, use.name, statement.sql, 0, nil) == 1 else { return nil }
                steps.append(.prepare(sql: statement.sql, name: use.name))
            }
            let isSent = statement.parameters.withPointers {
                PQsendQueryPrepared(handle.raw, use.name, statement.parameters.count, $0, nil, nil, 0) == 1
            }
            guard isSent else { return nil }
            steps.append(.execute(sql: statement.sql, name: use.name))
        }
        return steps
    }

    private func sendUnnamed(_ statement: Statement, _ handle: Handle) -> Bool {
        statement.parameters.withPointers {
            PQsendQueryParams(handle.raw, statement.sql, statement.parameters.count, nil, $0, nil, nil, 0)
                == 1
        }
    }

    /// At most one check is pending, so a busy connection costs one timer per limit.
    func armStallCheck(_ state: inout State) {
        guard let limit = settings.stallLimit, !state.isStallCheckArmed else { return }
        state.isStallCheckArmed = true
        queue.asyncAfter(deadline: state.headSince + limit) { [weak self] in self?.checkStall(limit) }
    }

    private func checkStall(_ limit: Duration) {
        let isStalled = state.withLock { state in
            state.isStallCheckArmed = false
            guard !state.inFlight.isEmpty else { return false }
            if state.headSince + limit <= .now() { return true }
            armStallCheck(&state)
            return false
        }
        if isStalled { lose("no answer for \(limit)") }
    }
}
