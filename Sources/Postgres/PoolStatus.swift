import Connections
import Synchronization

/// What the pool is doing, for metrics.
extension PostgresPool {
    /// Since the pool was made.
    package struct Counters: Hashable, Sendable {
        /// Statements answered, those inside transactions included (a statement counts once with its
        /// settings).
        package var queries: UInt64 = 0
        /// Of these, how many with an error.
        package var errors: UInt64 = 0
        package var transactions: UInt64 = 0
        /// Transactions run again after a conflict.
        package var transactionRetries: UInt64 = 0
        package var opened: UInt64 = 0
        /// Open connections that went away.
        package var lost: UInt64 = 0
        package var failedConnects: UInt64 = 0
        /// Callers that had to wait for a connection, that waited too long, and that were not let wait.
        package var waited: UInt64 = 0
        package var expired: UInt64 = 0
        package var refused: UInt64 = 0
    }

    package struct Status: Hashable, Sendable {
        package var open: Int
        package var connecting: Int
        package var leased: Int
        package var waiting: Int
        /// Single statements sent and not answered.
        package var inFlight: Int
        package var counters: Counters
    }

    package var status: Status {
        state.withLock { state in
            let open = state.slots.count { $0.isOpen }
            return Status(
                open: open, connecting: state.slots.count - open,
                leased: state.slots.count { $0.isLeased }, waiting: state.waiters.count,
                inFlight: state.slots.reduce(0) { $0 + $1.inFlight }, counters: state.counters)
        }
    }
}
