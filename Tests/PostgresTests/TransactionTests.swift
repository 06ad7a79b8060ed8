import Base
import Postgres
import TestKit
import Testing

@Suite struct TransactionTests {
    private struct Stop: Error {}

    @Test func whatThrowsIsRolledBack() async throws {
        try await withPool(schema: "test_rollback") { pool in
            _ = try await pool.query("create table test_rollback.items (id int)")
            await #expect(throws: Stop.self) {
                try await pool.transaction { transaction in
                    _ = try await transaction.query("insert into test_rollback.items values (1)")
                    throw Stop()
                }
            }
            #expect(try await pool.query("select 1 from test_rollback.items").isEmpty)
            let count = try await pool.transaction { transaction in
                _ = try await transaction.query("insert into test_rollback.items values (2)")
                return try await transaction.query("select 1 from test_rollback.items").count
            }
            #expect(count == 1)
            #expect(try await pool.query("select 1 from test_rollback.items").count == 1)
            #expect(pool.status.leased == 0)
        }
    }

    @Test func settingsLastForTheTransactionOnly() async throws {
        try await withPool(connections: 1) { pool in
            let sql = "select coalesce(current_setting('parley.test', true), '') as it"
            try await pool.transaction(settings: [LocalSetting(name: "parley.test", value: "mine")]) {
                transaction in
                for _ in 0..<3 {
                    let row = try await transaction.query(sql).rows[0]
                    #expect(try row.text("it") == "mine")
                }
            }
            #expect(try await pool.query(sql).rows[0].text("it") == "")
        }
    }

    @Test func othersStatementsNeverRunInsideIt() async throws {
        try await withPool(connections: 3) { pool in
            let sql = "select coalesce(current_setting('parley.test', true), '') as it"
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<300 {
                    group.addTask {
                        guard number % 5 == 0 else {
                            #expect(try await pool.query(sql).rows[0].text("it") == "")
                            return
                        }
                        let mine = "transaction \(number)"
                        try await pool.transaction(settings: [.init(name: "parley.test", value: mine)]) {
                            transaction in
                            for _ in 0..<3 {
                                let row = try await transaction.query(sql).rows[0]
                                #expect(try row.text("it") == mine)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func twoThatDeadlockBothSucceedInTheEnd() async throws {
        try await withPool(schema: "test_deadlock") { pool in
            _ = try await pool.query(
                "create table test_deadlock.items (id int primary key, hits int not null)")
            _ = try await pool.query("insert into test_deadlock.items values (1, 0), (2, 0)")
            let update = "update test_deadlock.items set hits = hits + 1 where id = $1"
            let holding = Watched(0)
            let cross: @Sendable (Int64, Int64) async throws -> Void = { first, second in
                try await pool.transaction { transaction in
                    _ = try await transaction.query("set local deadlock_timeout = '20ms'")
                    _ = try await transaction.query(update, [.int(first)])
                    holding.change { $0 += 1 }
                    // In the first run both hold one row before either asks for the other's.
                    try await holding.until { $0 >= 2 }
                    _ = try await transaction.query(update, [.int(second)])
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await cross(1, 2) }
                group.addTask { try await cross(2, 1) }
                try await group.waitForAll()
            }
            let hits = try await pool.query("select sum(hits) as hits from test_deadlock.items").rows[0].int(
                "hits")
            #expect(hits == 4)
            #expect(pool.status.counters.transactionRetries >= 1)
        }
    }

    @Test func aSerializationFailureIsRunAgainEvenWhenTheBodyWrapsTheError() async throws {
        try await withPool(schema: "test_serial") { pool in
            _ = try await pool.query("create table test_serial.items (id int primary key, hits int not null)")
            _ = try await pool.query("insert into test_serial.items values (1, 0)")
            let runs = Watched(0)
            try await pool.transaction { transaction in
                let run = runs.change { run in
                    run += 1
                    return run
                }
                _ = try await transaction.query("set transaction isolation level repeatable read")
                _ = try await transaction.query("select hits from test_serial.items")
                if run == 1 { _ = try await pool.query("update test_serial.items set hits = hits + 1") }
                do {
                    _ = try await transaction.query("update test_serial.items set hits = hits + 10")
                } catch is PostgresError {
                    throw Stop()
                }
            }
            #expect(runs.value == 2)
            #expect(try await pool.query("select hits from test_serial.items").rows[0].int("hits") == 11)
        }
    }

    @Test func aConflictThatNeverEndsIsThrown() async throws {
        try await withPool { pool in
            let runs = Watched(0)
            let error = await refusal {
                try await pool.transaction { transaction in
                    runs.change { $0 += 1 }
                    _ = try await transaction.query("do $$ begin raise serialization_failure; end $$")
                }
            }
            #expect(error?.isConflict == true)
            #expect(runs.value == 5)
        }
    }

    @Test func aSwallowedErrorDoesNotLookLikeACommit() async throws {
        try await withPool(schema: "test_swallowed") { pool in
            _ = try await pool.query("create table test_swallowed.items (id int)")
            let error = await refusal {
                try await pool.transaction { transaction in
                    _ = try await transaction.query("insert into test_swallowed.items values (1)")
                    _ = await refusal { try await transaction.query("select 1/0") }
                }
            }
            #expect(error?.sqlState == "25P02")
            #expect(try await pool.query("select 1 from test_swallowed.items").isEmpty)
        }
    }

    @Test func itCannotBeUsedAfterItsEnd() async throws {
        try await withPool(connections: 1) { pool in
            let kept = try await pool.transaction { transaction in
                _ = try await transaction.query("select 1")
                return transaction
            }
            #expect(await refusal { try await kept.query("select 1") }?.sqlState == "25P01")
        }
    }

    @Test func aCancelledTransactionStopsItsStatementAndGivesTheConnectionBack() async throws {
        try await withPool(connections: 1, change: { $0.applicationName = "test stop" }) { pool in
            try await withPool(connections: 1) { observer in
                let task = Task {
                    try await pool.transaction { _ = try await $0.query("select pg_sleep(600) /* stop */") }
                }
                try await until { try await observer.running("stop", as: "test stop") == 1 }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(try await pool.query("select 1").count == 1)
                #expect(pool.status.counters.lost == 0)
            }
        }
    }

    @Test func aScriptIsAllOrNothing() async throws {
        try await withPool(schema: "test_script") { pool in
            try await pool.script(
                "create table test_script.a (id int); insert into test_script.a values (1), (2);")
            #expect(try await pool.query("select 1 from test_script.a").count == 2)
            let error = await refusal {
                try await pool.script("insert into test_script.a values (3); select nonsense; select 1")
            }
            #expect(error?.sqlState == "42703")
            #expect(try await pool.query("select 1 from test_script.a").count == 2)
        }
    }
}
