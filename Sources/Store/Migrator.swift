import Base
package import CallDispatch
import Crypto
import Foundation
package import Logging
import Postgres

/// One file of `migrations/`: `0001_ground.sql`.
package struct Migration: Sendable {
    /// First line of a migration of one statement that cannot run in a transaction (CREATE INDEX CONCURRENTLY).
    package static let noTransaction = "-- parley:no-transaction"

    package let number: Int
    package let name: String
    package let sql: String
    package let checksum: String

    package var isTransactional: Bool { !sql.hasPrefix(Self.noTransaction) }

    package init(number: Int, name: String, sql: String) {
        self.number = number
        self.name = name
        self.sql = sql
        checksum = Hex.text(SHA256.hash(data: Data(sql.utf8)))
    }

    /// All files of a directory in order.
    /// - Throws: `Refusal` `bad_migrations` for a name that is not `NNNN_name.sql`, a number twice, or a gap.
    package static func read(directory: String) throws -> [Migration] {
        let files = try FileManager.default.contentsOfDirectory(atPath: directory)
            .filter { $0.hasSuffix(".sql") }.sorted()
        var migrations: [Migration] = []
        for file in files {
            let stem = file.dropLast(4)
            let parts = stem.split(separator: "_", maxSplits: 1)
            guard parts.count == 2, parts[0].count == 4, let number = Int(parts[0]) else {
                throw refusal("\(file): a migration is named NNNN_name.sql")
            }
            guard number == migrations.count + 1 else {
                throw refusal(
                    "\(file): expected number \(migrations.count + 1), so one is missing or there twice")
            }
            let sql = try String(contentsOfFile: directory + "/" + file, encoding: .utf8)
            migrations.append(Migration(number: number, name: String(parts[1]), sql: sql))
        }
        guard !migrations.isEmpty else { throw refusal("no migrations in \(directory)") }
        return migrations
    }

    static func refusal(_ message: String) -> Refusal { Refusal(code: "bad_migrations", message: message) }
}

/// Brings a database to the newest schema: each file once, in order, under an advisory lock. Repeating it changes nothing.
package struct Migrator: Sendable {
    /// How long one migration may take.
    package static let timeout: Duration = .seconds(3600)
    /// Months of partitions made ahead.
    package static let partitionsAheadMonths = 3
    /// `pg_advisory_lock` number: "parley" in ASCII.
    private static let lockNumber: Int64 = 0x70_61_72_6c_65_79

    private let url: String
    private let migrations: [Migration]
    private let logger: Logger

    package init(url: String, migrations: [Migration], logger: Logger) {
        self.url = url
        self.migrations = migrations
        self.logger = logger
    }

    /// - Returns: how many files were applied.
    /// - Throws: `Refusal` `bad_migrations` when an applied file was changed or is gone.
    @discardableResult
    package func run() async throws -> Int {
        let lock = pool("parley-migrate-lock")
        let work = pool("parley-migrate")
        do {
            let applied = try await apply(lock, work)
            await work.close()
            await lock.close()
            return applied
        } catch {
            await work.close()
            await lock.close()
            throw error
        }
    }

    private func pool(_ name: String) -> PostgresPool {
        var configuration = PostgresPool.Configuration(url: url)
        configuration.connections = 1
        configuration.statementTimeout = Self.timeout
        configuration.applicationName = name
        return PostgresPool(configuration, logger: logger)
    }

    /// The lock belongs to the one session of `lock`, so a migrator that dies lets go of it. Not to a transaction: an
    /// open one would hold a snapshot, for which CREATE INDEX CONCURRENTLY waits, and the server ends idle ones.
    private func apply(_ lock: PostgresPool, _ work: PostgresPool) async throws -> Int {
        _ = try await lock.query("SELECT pg_advisory_lock($1::bigint)", [.int(Self.lockNumber)])
        try await work.script(Self.ledger)
        let pending = try await pending(work)
        for migration in pending {
            logger.info("migrating", metadata: ["migration": "\(migration.number)_\(migration.name)"])
            try await apply(migration, work)
        }
        try await work.script("SELECT parley_keep_partitions(\(Self.partitionsAheadMonths))")
        return pending.count
    }

    private func pending(_ pool: PostgresPool) async throws -> [Migration] {
        let done = try await pool.query(
            "SELECT number, name, checksum FROM schema_migrations ORDER BY number")
        for row in done.rows {
            let number = Int(try row.int("number"))
            let name = try row.text("name")
            guard number <= migrations.count else {
                throw Migration.refusal(
                    "the database has migration \(number)_\(name), which this version of parley does not know"
                )
            }
            let file = migrations[number - 1]
            guard file.name == name, file.checksum == (try row.text("checksum")) else {
                throw Migration.refusal(
                    "migration \(number)_\(name) was changed after it ran here: put the file back, and write a new one"
                )
            }
        }
        return Array(migrations.dropFirst(done.rows.count))
    }

    private func apply(_ migration: Migration, _ pool: PostgresPool) async throws {
        let record = """
            INSERT INTO schema_migrations (number, name, checksum)
            VALUES (\(migration.number), '\(migration.name.replacing("'", with: "''"))', '\(migration.checksum)');
            """
        if migration.isTransactional {
            try await pool.script("BEGIN;" + migration.sql + "\n;" + record + "COMMIT;")
        } else {
            // Such a file holds one statement that may run again (IF NOT EXISTS): a crash before the record repeats it.
            try await pool.script(migration.sql)
            try await pool.script(record)
        }
    }

    private static let ledger = """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            number int PRIMARY KEY,
            name text NOT NULL,
            checksum text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )
        """
}

/// Finds the files that belong to the program but lie beside it: `migrations`, `api/openapi.yaml`.
package enum ProgramFiles {
    /// Directories above the executable and the working directory that are looked through.
    static let parentsMax = 6

    /// `given` wins; else `relative` under the working directory, or beside or above the executable.
    /// - Throws: `Refusal` `file_missing` naming what was looked for.
    package static func locate(_ relative: String, given: String?) throws(Refusal) -> String {
        if let given, !given.isEmpty {
            guard FileManager.default.fileExists(atPath: given) else {
                throw Refusal(code: "file_missing", message: "\(given) does not exist")
            }
            return given
        }
        for start in [FileManager.default.currentDirectoryPath, executableDirectory] {
            var directory = URL(fileURLWithPath: start)
            for _ in 0..<parentsMax {
                let candidate = directory.appendingPathComponent(relative).path
                if FileManager.default.fileExists(atPath: candidate) { return candidate }
                directory.deleteLastPathComponent()
            }
        }
        throw Refusal(
            code: "file_missing",
            message: "cannot find \(relative) beside the program or the working directory")
    }

    private static var executableDirectory: String {
        let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "."
        return URL(fileURLWithPath: path).deletingLastPathComponent().path
    }
}
