package import Base

/// Why a statement has no result.
package struct PostgresError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// The server answered with an error; `sqlState` is its own.
        case server
        /// The connection went away after the statement was handed to it. `08006`.
        case disconnected
        /// No connection could be opened within `waitLimit`. `08001`.
        case unreachable
        /// Every connection stayed busy for `waitLimit`, or `waitersMax` were waiting already. `53300`.
        case poolBusy
        /// The pool was closed. `08003`.
        case closed
        /// The caller asked for what cannot be sent or read: a zero byte in a text, a missing column.
        case usage
    }

    package var kind: Kind
    /// Five characters, PostgreSQL appendix A.
    package var sqlState: String
    /// The server's primary message. May quote a parameter: log `description` or `fault.cause`, not this.
    package var message: String
    /// The violated constraint, when the server names one (class 23).
    package var constraint: String?
    /// The statement may have taken effect although no result came: repeat it only if that is harmless.
    package var mayHaveRun: Bool

    package init(
        kind: Kind, sqlState: String, message: String, constraint: String? = nil, mayHaveRun: Bool = false
    ) {
        self.kind = kind
        self.sqlState = sqlState
        self.message = message
        self.constraint = constraint
        self.mayHaveRun = mayHaveRun
    }

    package var isUniqueViolation: Bool { sqlState == "23505" }

    /// A serialization failure or deadlock: the transaction was rolled back and may be run again.
    package var isConflict: Bool { sqlState == "40001" || sqlState == "40P01" }

    /// Without text that may quote a parameter.
    package var description: String { "postgres \(sqlState): \(safeMessage)" }

    /// Class 22 (bad value) messages quote the value.
    private var safeMessage: String { sqlState.hasPrefix("22") ? "a value was refused" : message }

    package var fault: Fault {
        Fault(code: faultCode, retry: retry, cause: description)
    }

    private var faultCode: String {
        switch kind {
        case .disconnected: mayHaveRun ? "postgres.disconnected" : "postgres.disconnected_before_running"
        case .unreachable: "postgres.unreachable"
        case .poolBusy: "postgres.pool_busy"
        case .closed: "postgres.closed"
        case .usage: "postgres.usage"
        case .server: serverCode
        }
    }

    private var serverCode: String {
        switch sqlState {
        case "40001": "postgres.serialization_failure"
        case "40P01": "postgres.deadlock"
        case "57014": "postgres.statement_timeout"
        case "55P03": "postgres.lock_not_available"
        case let state where state.hasPrefix("53"): "postgres.out_of_resources"
        case let state where state.hasPrefix("23"): "postgres.constraint"
        case let state where state.hasPrefix("22"): "postgres.bad_value"
        default: "postgres.refused"
        }
    }

    private var retry: Fault.Retry {
        if mayHaveRun { return .unsafe }
        return switch kind {
        case .disconnected, .unreachable, .poolBusy: .after(PostgresLimits.retryAfter)
        case .closed, .usage: .never
        case .server:
            switch serverCode {
            case "postgres.refused", "postgres.constraint", "postgres.bad_value": .never
            default: .after(PostgresLimits.retryAfter)
            }
        }
    }
}

extension PostgresError {
    static func usage(_ sqlState: String, _ message: String) -> PostgresError {
        PostgresError(kind: .usage, sqlState: sqlState, message: message)
    }
    static func disconnected(_ message: String, mayHaveRun: Bool) -> PostgresError {
        PostgresError(kind: .disconnected, sqlState: "08006", message: message, mayHaveRun: mayHaveRun)
    }
    static func unreachable(_ message: String) -> PostgresError {
        PostgresError(kind: .unreachable, sqlState: "08001", message: message)
    }
    static func busy(_ message: String) -> PostgresError {
        PostgresError(kind: .poolBusy, sqlState: "53300", message: message)
    }
    static let closed = PostgresError(kind: .closed, sqlState: "08003", message: "the pool is closed")
}
