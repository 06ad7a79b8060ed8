import Base
import CallDispatch
import Foundation
import Logging
import Postgres
import Store
import TestKit
import Testing

@Suite struct MigratorTests {
    static func ground() throws -> [Migration] {
        try Migration.read(directory: try ProgramFiles.locate("migrations", given: nil))
    }

    static func onEmpty(_ body: @Sendable (TestDatabase) async throws -> Void) async throws {
        let raw = try await TestDatabase.makeEmpty()
        do {
            try await body(raw)
            try await raw.drop()
        } catch {
            try await raw.drop()
            throw error
        }
    }

    @Test func eachFileRunsOnceHoweverManyStart() async throws {
        try await Self.onEmpty { raw in
            let all = try Self.ground()
            let migrator = Migrator(url: raw.url, migrations: all, logger: .quiet)
            let counts = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<3 { group.addTask { try await migrator.run() } }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(counts.sorted() == [0, 0, all.count])
        }
    }

    @Test func aChangedOrMissingFileIsRefusedByName() async throws {
        try await Self.onEmpty { raw in
            let all = try Self.ground()
            let next = all.count + 1
            let more = all + [Migration(number: next, name: "more", sql: "CREATE TABLE more (id int)")]
            try await Migrator(url: raw.url, migrations: more, logger: .quiet).run()
            let changed = all + [Migration(number: next, name: "more", sql: "CREATE TABLE more (id bigint)")]
            for (files, says) in [(changed, "was changed"), (all, "does not know")] {
                let refusal = await #expect(throws: Refusal.self) {
                    try await Migrator(url: raw.url, migrations: files, logger: .quiet).run()
                }
                #expect(refusal?.message.contains(says) == true)
            }
        }
    }

    @Test func aFileThatFailsLeavesNothingBehind() async throws {
        try await Self.onEmpty { raw in
            let all = try Self.ground()
            let broken =
                all + [
                    Migration(
                        number: all.count + 1, name: "broken",
                        sql: "CREATE TABLE half (id int); SELECT nonsense")
                ]
            await #expect(throws: PostgresError.self) {
                try await Migrator(url: raw.url, migrations: broken, logger: .quiet).run()
            }
            let pool = raw
            #expect(try await pool.query("SELECT to_regclass('half') IS NULL AS gone").rows[0].bool("gone"))
            #expect(try await Migrator(url: raw.url, migrations: all, logger: .quiet).run() == 0)
        }
    }

    @Test func aFileMayAskToRunOutsideATransaction() async throws {
        try await Self.onEmpty { raw in
            let all = try Self.ground()
            let sql =
                Migration.noTransaction + "\nCREATE INDEX CONCURRENTLY IF NOT EXISTS later ON agents (name)"
            let more = all + [Migration(number: all.count + 1, name: "later", sql: sql)]
            #expect(
                try await Migrator(url: raw.url, migrations: more, logger: .quiet).run() == more.count)
        }
    }

    @Test(arguments: [["0001_a.sql", "0003_b.sql"], ["0001_a.sql", "0001_b.sql"], ["1_a.sql"], []])
    func namesThatLeaveGapsAreRefused(files: [String]) throws {
        let directory = ScratchDirectory()
        for file in files {
            try Data("SELECT 1".utf8).write(to: URL(filePath: directory.path).appending(path: file))
        }
        #expect(throws: Refusal.self) { try Migration.read(directory: directory.path) }
    }
}
