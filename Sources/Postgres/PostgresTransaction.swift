import Connections
import Synchronization

/// Statements that happen together or not at all. Valid inside the `transaction` body it was given to.
package struct PostgresTransaction: Sendable {
    let lease: Lease

    /// Runs one statement inside the transaction.
    ///
    /// - Throws: `PostgresError`; after one the transaction takes no more statements (25P02).
    package func query(_ sql: String, _ parameters: [PostgresValue] = []) async throws -> PostgresRows {
        let statement = try Statement(sql, parameters)
        return try await Ticket.take { ticket in lease.send(statement, for: ticket) }
    }
}

extension PostgresPool {
    /// Runs `body` between BEGIN and COMMIT on a connection of its own; rolls back when it throws.
    ///
    /// `body` is run again, up to `PostgresLimits.transactionAttemptsMax` times, when the server ends it for
    /// a
    /// serialization failure or deadlock: it must not do anything outside the database that cannot be
    /// repeated.
    /// - Throws: what `body` throws; `PostgresError`, with `mayHaveRun` only when the connection went away
    ///   during COMMIT.
    package func transaction<Value: Sendable>(
        settings: [LocalSetting] = [], _ body: @Sendable (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        var prelude = [try Statement("begin", isPrepared: false)]
        for setting in settings { prelude.append(try Statement(setting)) }
        var attempt = 1
        while true {
            let lease = try await lease()
            do {
                return try await lease.run(prelude, body)
            } catch {
                guard lease.mayRunAgain, attempt < PostgresLimits.transactionAttemptsMax, !Task.isCancelled
                else { throw error }
            }
            state.withLock { $0.counters.transactionRetries += 1 }
            let pause = PostgresLimits.conflictPause * attempt
            try await Task.sleep(for: pause * Double.random(in: 0...1))
            attempt += 1
        }
    }

    private func lease() async throws -> Lease {
        try await Ticket.take(
            { ticket in
                if let refusal = self.ask(.lease(ticket), for: ticket) { ticket.finish(.failure(refusal)) }
            },
            gaveUp: { ticket in self.withdraw(ObjectIdentifier(ticket)) })
    }
}

/// A connection held by one transaction.
final class Lease: Sendable {
    private struct State {
        /// BEGIN and the settings: sent with the first statement under one sync, which saves a round trip and
        /// cannot leave a statement running outside when BEGIN fails.
        var prelude: [Statement] = []
        var isEnded = false
        var mayRunAgain = false
    }
    private let pool: PostgresPool
    private let connection: PostgresConnection
    private let state = Mutex(State())

    init(_ pool: PostgresPool, _ connection: PostgresConnection) {
        self.pool = pool
        self.connection = connection
    }

    /// The server undid it for a reason that may be gone the next time.
    var mayRunAgain: Bool { state.withLock { $0.mayRunAgain } }

    func run<Value: Sendable>(
        _ prelude: [Statement], _ body: @Sendable (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        state.withLock { $0.prelude = prelude }
        pool.state.withLock { $0.counters.transactions += 1 }
        defer { pool.release(connection) }
        do {
            let value = try await body(PostgresTransaction(lease: self))
            try await commit()
            return value
        } catch {
            await rollBack()
            throw error
        }
    }

    func send(_ statement: Statement, for ticket: Ticket<PostgresRows>) {
        let isEnded = state.withLock { state in
            if state.isEnded { return true }
            let statements = state.prelude + [statement]
            state.prelude = []
            // Under the lock: of two statements at once the first to take the prelude must be the first sent.
            connection.send(
                Job(statements: statements, isUndoneWhenLost: true) { outcome in
                    self.note(outcome)
                    ticket.finish(outcome.result.mapError { $0 })
                })
            return false
        }
        if isEnded { ticket.finish(.failure(PostgresError.usage("25P01", "the transaction has ended"))) }
    }

    private func note(_ outcome: Job.Outcome) {
        guard case .failure(let error) = outcome.result, error.isConflict || outcome.mayBeSentAgain else {
            return
        }
        state.withLock { $0.mayRunAgain = true }
    }

    private func commit() async throws {
        guard end() else { return }
        let rows = try await control("commit", isUndoneWhenLost: false)
        // COMMIT of a failed transaction answers ROLLBACK, without an error.
        guard rows.command == "COMMIT" else {
            throw PostgresError(
                kind: .server, sqlState: "25P02",
                message: "rolled back: a statement had failed inside the transaction")
        }
    }

    private func rollBack() async {
        guard end() else { return }
        // The running statement, if any, belongs to a caller that gave up: nobody waits for it but us.
        await connection.cancelRunning()
        // A failure is seen by `release`, which closes a connection that is not idle.
        _ = try? await control("rollback", isUndoneWhenLost: true)
    }

    /// True the first time, unless nothing was ever sent.
    private func end() -> Bool {
        state.withLock { state in
            defer { state.isEnded = true }
            return !state.isEnded && state.prelude.isEmpty
        }
    }

    /// Waits for the answer even when the task is cancelled: the connection must be clean when it goes back.
    private func control(_ sql: String, isUndoneWhenLost: Bool) async throws -> PostgresRows {
        let statement = try Statement(sql, isPrepared: false)
        let outcome = await withCheckedContinuation { continuation in
            connection.send(
                Job(statements: [statement], isUndoneWhenLost: isUndoneWhenLost) {
                    continuation.resume(returning: $0)
                })
        }
        note(outcome)
        return try outcome.result.get()
    }
}
