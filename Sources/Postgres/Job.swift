/// One statement as a connection sends it.
struct Statement: Sendable {
    let sql: String
    let parameters: Parameters
    /// Kept prepared under its SQL. Control statements are not: their preparation could fail in a failed
    /// transaction.
    private(set) var isPrepared: Bool

    var unprepared: Statement {
        var statement = self
        statement.isPrepared = false
        return statement
    }

    /// - Throws: `usage` as `Parameters` does, or for a zero byte in the SQL.
    init(_ sql: String, _ parameters: [PostgresValue] = [], isPrepared: Bool = true) throws(PostgresError) {
        guard !sql.utf8.contains(0) else { throw .usage("22021", "the statement holds a zero byte") }
        self.sql = sql
        self.parameters = try Parameters(parameters)
        self.isPrepared = isPrepared
    }

    init(_ setting: LocalSetting) throws(PostgresError) {
        try self.init("select set_config($1, $2, true)", [.text(setting.name), .text(setting.value)])
    }
}

/// Statements sent under one sync: outside a transaction they are one implicit transaction.
struct Job: Sendable {
    struct Outcome: Sendable {
        /// Of the last statement.
        let result: Result<PostgresRows, PostgresError>
        /// Nothing of the job took effect, and it may do better as it is: a prepared statement was stale, or
        /// the
        /// connection ended before the server came to it.
        let mayBeSentAgain: Bool
    }

    let statements: [Statement]
    /// Inside a transaction that the server rolls back when the connection is lost.
    let isUndoneWhenLost: Bool
    /// Called once, on the connection's queue, under no lock.
    let finish: @Sendable (Outcome) -> Void
}

/// A job on the wire, with the answers so far.
struct InFlight {
    enum Step {
        case deallocate
        case prepare(sql: String, name: String)
        case execute(sql: String, name: String?)
    }

    let job: Job
    let steps: [Step]
    private(set) var step = 0
    private(set) var result: ResultMemory?
    private(set) var error: PostgresError?
    private(set) var isStale = false

    init(_ job: Job, _ steps: [Step]) {
        self.job = job
        self.steps = steps
    }

    mutating func nextStep() { step += 1 }

    mutating func succeeded(_ memory: ResultMemory) { result = memory }

    /// The first error counts; `nil` is a step skipped because of it.
    mutating func failed(_ failure: ServerFailure?, forget cache: inout StatementCache) {
        if error == nil { error = failure?.error }
        guard step < steps.count else { return }
        switch steps[step] {
        case .deallocate:
            if failure?.isStatementGone == true { isStale = true }
        case .prepare(let sql, let name):
            cache.forget(sql, name: name)
        case .execute(let sql, let name?):
            guard let failure, failure.isStatementGone || failure.isPlanOutdated else { return }
            cache.forget(sql, name: name)
            isStale = true
        case .execute: break
        }
    }

    var outcome: Job.Outcome {
        Job.Outcome(
            result: error.map { .failure($0) } ?? .success(PostgresRows(result)), mayBeSentAgain: isStale)
    }
}
