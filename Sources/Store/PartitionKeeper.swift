package import Base
import Postgres

/// Makes monthly partitions ahead of time and tells when one that will be needed is missing.
package struct PartitionKeeper: Sendable {
    private let database: Database
    package init(_ database: Database) { self.database = database }

    /// Repeatable; cheap when nothing is missing. - Returns: how many were made.
    @discardableResult
    package func keep() async throws -> Int {
        let made = try await database.platform(
            "SELECT parley_keep_partitions($1::int) AS made", [.int(Int64(Migrator.partitionsAheadMonths))])
        return Int(try made.rows[0].int("made"))
    }

    /// Partitions of this month and the next that do not exist.
    package func missing(at now: Timestamp = .current) async throws -> [String] {
        try await database.platform(
            "SELECT name FROM parley_missing_partitions($1::timestamptz) AS name", [.time(now)]
        ).rows.map { try $0.text("name") }
    }
}
