internal import CLibPQ

/// An error the server sent.
struct ServerFailure {
    let error: PostgresError
    /// The server ends the connection with it (severity FATAL or PANIC).
    let isFatal: Bool
    /// "prepared statement does not exist": somebody ran `discard all`, or its preparation failed.
    let isStatementGone: Bool
    /// "cached plan must not change result type": a table changed under a prepared statement.
    let isPlanOutdated: Bool

    init(_ result: OpaquePointer) {
        func field(_ code: Unicode.Scalar) -> String? {
            PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
        }
        // Field codes: PostgreSQL manual, "Error and Notice Message Fields". Without a state the text is
        // libpq's own.
        let state = field("C") ?? "XX000"
        let message = field("M") ?? String(cString: PQresultErrorMessage(result))
        error = PostgresError(kind: .server, sqlState: state, message: message, constraint: field("n"))
        isFatal = ["FATAL", "PANIC"].contains(field("V"))
        isStatementGone = state == "26000"
        isPlanOutdated = state == "0A000" && field("R") == "RevalidateCachedQuery"
    }
}
