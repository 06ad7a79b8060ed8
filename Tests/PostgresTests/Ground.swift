import Logging
import Postgres
import TestKit

/// A pool for the length of `body`, with a schema of its own where `schema` names one.
func withPool<Value>(
    connections: Int = 4, schema: String? = nil,
    change: (inout PostgresPool.Configuration) -> Void = { _ in },
    _ body: (PostgresPool) async throws -> Value
) async throws -> Value {
    var configuration = PostgresPool.Configuration(url: TestServices.databaseURL, connections: connections)
    configuration.waitLimit = patience
    configuration.statementTimeout = patience
    change(&configuration)
    let pool = PostgresPool(configuration, logger: .quiet)
    do {
        if let schema {
            try await pool.script("drop schema if exists \(schema) cascade; create schema \(schema)")
        }
        let value = try await body(pool)
        if let schema { try await pool.script("drop schema \(schema) cascade") }
        await pool.close()
        return value
    } catch {
        await pool.close()
        throw error
    }
}

/// Runs `body` and gives the `PostgresError` it throws; nil when it throws none.
func refusal(_ body: () async throws -> some Any) async -> PostgresError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? PostgresError
    }
}

extension PostgresPool {
    /// How many backends named `name` are running `fragment` right now.
    func running(_ fragment: String, as name: String) async throws -> Int64 {
        try await query(
            """
            select count(*) from pg_stat_activity
            where application_name = $1 and state = 'active' and query like '%' || $2 || '%'
            """, [.text(name), .text(fragment)]
        ).rows[0].int(0)
    }

    func terminate(_ name: String, running fragment: String = "") async throws {
        _ = try await query(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where application_name = $1 and query like '%' || $2 || '%'
            """,
            [.text(name), .text(fragment)])
    }
}
