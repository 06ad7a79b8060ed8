package import Logging
import Connections
import Dispatch
import Synchronization

/// A pool of PostgreSQL connections.
///
/// Owns: connections, who may use them, what happens when they break. Does not own: what the SQL means.
/// Invariants: single statements share connections and are each one transaction with their settings; a
/// transaction has its connection to itself; callers are served in the order they came; every wait is bounded
/// by `waitLimit`. A cancelled caller resumes at once with `CancellationError`: what it had sent may still
/// run.
/// Connections are opened when needed, up to `connections`. A transaction whose body uses the pool itself
/// needs a
/// second connection, and can starve when all are held that way: use the transaction given to the body.
package final class PostgresPool: Sendable {
    package struct Configuration: Sendable {
        /// libpq's: `postgresql://user:password@host/database?…`.
        package var url: String
        /// At most; 1 or more.
        package var connections = 8
        /// The role every connection acts as.
        package var role: String?
        /// The server's own limit for one statement; zero: none.
        package var statementTimeout: Duration = .seconds(5)
        /// What `pg_stat_activity` shows.
        package var applicationName = "parley"
        /// The longest wait for a connection, including that of a server which is away.
        package var waitLimit: Duration = .seconds(5)
        /// Callers waiting at once; more are refused.
        package var waitersMax = 1024
        /// Prepared statements kept per connection; the least recently used are dropped.
        package var statementsMax = 256

        package init(url: String) { self.url = url }

        package init(
            url: String, connections: Int = 8, role: String? = nil, statementTimeout: Duration = .seconds(5),
            applicationName: String = "parley", waitLimit: Duration = .seconds(5)
        ) {
            self.url = url
            self.connections = connections
            self.role = role
            self.statementTimeout = statementTimeout
            self.applicationName = applicationName
            self.waitLimit = waitLimit
        }
    }

    let configuration: Configuration
    let logger: Logger
    let settings: ConnectionSettings?
    let state = Mutex(PoolState())
    /// Timers only.
    let queue = DispatchQueue(label: "postgres.pool")

    /// Opens nothing yet. A malformed URL shows as `unreachable` on the first use.
    package init(_ configuration: Configuration, logger: Logger) {
        precondition(configuration.connections >= 1, "a pool needs a connection")
        self.configuration = configuration
        self.logger = logger
        settings = ConnectionSettings(configuration, statementTimeout: configuration.statementTimeout)
    }

    /// Runs one statement, prepared, sharing a connection with others.
    ///
    /// - Throws: `PostgresError`; `CancellationError`, and then the statement may have run.
    package func query(
        _ sql: String, _ parameters: [PostgresValue] = [], settings: [LocalSetting] = []
    ) async throws -> PostgresRows {
        var statements: [Statement] = []
        for setting in settings { statements.append(try Statement(setting)) }
        statements.append(try Statement(sql, parameters))
        let sent = statements
        return try await Ticket.take(
            { ticket in self.submit(sent, for: ticket, attempt: 1) },
            gaveUp: { ticket in self.withdraw(ObjectIdentifier(ticket)) })
    }

    private func submit(_ statements: [Statement], for ticket: Ticket<PostgresRows>, attempt: Int) {
        let job = Job(statements: statements, isUndoneWhenLost: false) { outcome in
            if outcome.mayBeSentAgain, attempt < PostgresLimits.sendAttemptsMax {
                // Not prepared: whoever prepares it next could fail for reasons of their own, once more.
                self.submit(statements.map(\.unprepared), for: ticket, attempt: attempt + 1)
            } else {
                ticket.finish(outcome.result.mapError { $0 })
            }
        }
        if let refusal = ask(.send(job), for: ticket) { ticket.finish(.failure(refusal)) }
    }

    /// Stops taking work, lets what is in flight finish (up to `PostgresLimits.close`), and disconnects.
    package func close() async {
        let (waiters, listeners) = state.withLock { state in
            state.isClosed = true
            defer { state.listeners = [:] }
            return (state.waiters.removeAll(), Array(state.listeners.values))
        }
        for listener in listeners { listener.stop() }
        for waiter in waiters { refuse(waiter.want, .closed) }
        let limit = DispatchTime.now() + PostgresLimits.close
        queue.asyncAfter(deadline: limit) { [weak self] in self?.endDrain() }
        await withCheckedContinuation { continuation in
            let isBusy = state.withLock { state in
                // A second closer does not wait.
                guard state.isBusy, state.drained == nil else { return false }
                state.drained = continuation
                return true
            }
            if !isBusy { continuation.resume() }
        }
        let slots = state.withLock { state in
            defer { state.slots = [] }
            return state.slots
        }
        for slot in slots { slot.connection.close(PostgresError.closed.message) }
    }

    func endDrain() {
        state.withLock { $0.drained.take() }?.resume()
    }
}
