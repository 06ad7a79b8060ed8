/// The limits of this target that no configuration sets.
enum PostgresLimits {
    /// From the first packet to a usable connection; includes name look-up, TLS and login.
    static let connect: Duration = .seconds(5)
    /// A reply may be this much later than the server's own statement timeout before the connection counts as
    /// dead.
    static let stallGrace: Duration = .seconds(5)
    /// The server ends a session that holds a transaction open and sends nothing for this long.
    static let idleInTransaction: Duration = .seconds(30)
    /// Single statements one connection may have in flight before further ones wait.
    static let inFlightMax = 64
    /// Runs of one transaction, the first included, before a conflict is thrown to the caller.
    static let transactionAttemptsMax = 5
    /// Pause before running a transaction again: random up to this, times the attempt.
    static let conflictPause: Duration = .milliseconds(20)
    /// Times one single statement is sent while nothing of it takes effect: a stale prepared form, a lost
    /// connection.
    static let sendAttemptsMax = 3
    /// What a fault that is safe to repeat advises.
    static let retryAfter: Duration = .milliseconds(100)
    /// How long `close` waits for what is in flight.
    static let close: Duration = .seconds(5)
    /// One `script`, all its statements together.
    static let script: Duration = .seconds(600)
    /// Notifications a slow listener may leave unread; older ones are dropped.
    static let unreadNotificationsMax = 1024
    /// The wire protocol's limit.
    static let parametersMax = 65_535
    /// Empty results in a row before the connection counts as out of step.
    static let emptyResultsMax = 8
}
