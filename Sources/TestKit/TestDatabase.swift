import Foundation
import Logging
package import Postgres
import Store

/// A database of a test's own: migrated, empty, dropped at the end.
///
/// The migrations run once for each set of files, into a template that later runs copy (some 50 ms).
package struct TestDatabase: Sendable {
    /// Connection string of the superuser; `Database` takes the roles from there.
    package let url: String
    package let name: String

    package static func make() async throws -> TestDatabase {
        let home = pool(TestServices.databaseURL)
        let migrations = try Migration.read(directory: try ProgramFiles.locate("migrations", given: nil))
        let template =
            "parley_template_" + Hex.text(Hex.digest(migrations.map(\.checksum).joined()).prefix(8))
        let name = "parley_test_" + String(UInt64.random(in: .min ... .max), radix: 36)
        do {
            // Held until the copy is made: suites and processes take turns.
            try await home.transaction { lock in
                _ = try await lock.query("SELECT pg_advisory_xact_lock(7265)")
                let found = try await lock.query(
                    "SELECT 1 FROM pg_database WHERE datname = $1", [.text(template)])
                if found.rows.isEmpty { try await makeTemplate(template, migrations, home) }
                try await home.script("CREATE DATABASE \(name) TEMPLATE \(template)")
            }
        } catch {
            await home.close()
            throw error
        }
        await home.close()
        return TestDatabase(url: url(of: name), name: name)
    }

    /// Runs `body` with a fresh database and drops it, whatever happens.
    package static func with<T: Sendable>(_ body: @Sendable (TestDatabase) async throws -> T) async throws
        -> T
    {
        let database = try await make()
        do {
            let result = try await body(database)
            try await database.drop()
            return result
        } catch {
            try await database.drop()
            throw error
        }
    }

    package func drop() async throws {
        let home = Self.pool(TestServices.databaseURL)
        do {
            try await home.script("DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
        } catch {
            await home.close()
            throw error
        }
        await home.close()
    }

    /// One statement as superuser, for looking behind row-level security.
    package func query(_ sql: String, _ parameters: [PostgresValue] = []) async throws -> PostgresRows {
        let pool = Self.pool(url)
        do {
            let rows = try await pool.query(sql, parameters)
            await pool.close()
            return rows
        } catch {
            await pool.close()
            throw error
        }
    }

    /// Empty, not migrated, for tests of migrations.
    package static func makeEmpty() async throws -> TestDatabase {
        let home = pool(TestServices.databaseURL)
        let name = "parley_test_" + String(UInt64.random(in: .min ... .max), radix: 36)
        try await home.script("CREATE DATABASE \(name)")
        await home.close()
        return TestDatabase(url: url(of: name), name: name)
    }

    private static func makeTemplate(_ name: String, _ migrations: [Migration], _ home: PostgresPool)
        async throws
    {
        let building = name + "_building"
        try await home.script("DROP DATABASE IF EXISTS \(building) WITH (FORCE)")
        try await home.script("CREATE DATABASE \(building)")
        try await Migrator(url: url(of: building), migrations: migrations, logger: logger).run()
        try await home.script("ALTER DATABASE \(building) RENAME TO \(name)")
    }

    private static func pool(_ url: String) -> PostgresPool {
        var configuration = PostgresPool.Configuration(url: url)
        configuration.connections = 2
        configuration.statementTimeout = .seconds(60)
        configuration.applicationName = "parley-test"
        return PostgresPool(configuration, logger: logger)
    }

    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// The services' connection string with another database's name.
    private static func url(of name: String) -> String {
        let url = TestServices.databaseURL
        guard let scheme = url.range(of: "://"), let slash = url[scheme.upperBound...].firstIndex(of: "/")
        else {
            fatalError("PARLEY_DATABASE_URL must look like postgresql://user@host/database")
        }
        let query = url.firstIndex(of: "?") ?? url.endIndex
        return String(url[...slash]) + name + String(url[query...])
    }
}
