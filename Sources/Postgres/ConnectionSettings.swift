import Base
internal import CLibPQ

/// How to open a connection: libpq's keywords and values.
struct ConnectionSettings: Sendable {
    let keywords: [String]
    let values: [String]
    /// After this long without an answer to the oldest statement the connection counts as dead; nil: never.
    let stallLimit: Duration?
    let statementsMax: Int

    /// Nil when `url` is no connection string.
    init?(_ configuration: PostgresPool.Configuration, statementTimeout: Duration) {
        guard let given = Self.options(in: configuration.url) else { return nil }
        // Given at start-up, the role and the time-outs are what RESET goes back to.
        var options = given.isEmpty ? [] : [given]
        options.append("-c statement_timeout=\(statementTimeout.milliseconds)")
        options.append(
            "-c idle_in_transaction_session_timeout=\(PostgresLimits.idleInTransaction.milliseconds)")
        if let role = configuration.role { options.append("-c role=\(Self.escape(role))") }
        let pairs = [
            ("dbname", configuration.url), ("options", options.joined(separator: " ")),
            ("application_name", configuration.applicationName), ("client_encoding", "UTF8"),
            // For a peer that vanished without a word; ignored on unix sockets. Seconds.
            ("connect_timeout", "\(PostgresLimits.connect.components.seconds)"), ("keepalives_idle", "30"),
            ("keepalives_interval", "10"), ("keepalives_count", "3"),
        ]
        keywords = pairs.map(\.0)
        values = pairs.map(\.1)
        stallLimit = statementTimeout > .zero ? statementTimeout + PostgresLimits.stallGrace : nil
        statementsMax = max(Self.statementsMin, configuration.statementsMax)
    }

    /// One job may need this many at once: its settings' and its own.
    private static let statementsMin = 4

    /// The `options` of a connection string, empty when it has none; nil when it cannot be parsed.
    private static func options(in url: String) -> String? {
        guard let parsed = PQconninfoParse(url, nil) else { return nil }
        defer { PQconninfoFree(parsed) }
        var option = parsed
        while let keyword = option.pointee.keyword {
            if String(cString: keyword) == "options", let value = option.pointee.val {
                return String(cString: value)
            }
            option += 1
        }
        return ""
    }

    private static func escape(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing(" ", with: "\\ ")
    }

    /// Lends the null-terminated arrays of `PQconnect…Params`.
    func withPointers<Result>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        Self.withCStrings(keywords) { keywords in
            Self.withCStrings(values) { values in body(keywords, values) }
        }
    }

    private static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        var bytes: [CChar] = []
        var starts: [Int] = []
        for string in strings {
            starts.append(bytes.count)
            bytes.append(contentsOf: string.utf8CString)
        }
        return bytes.withUnsafeBufferPointer { buffer in
            body(starts.map { buffer.baseAddress! + $0 } + [nil])
        }
    }
}
