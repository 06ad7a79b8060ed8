import Postgres
import Testing

@Suite struct PreparedTests {
    private func preparedCount(_ pool: PostgresPool) async throws -> Int64 {
        try await pool.query("select count(*) from pg_prepared_statements").rows[0].int(0)
    }

    @Test func preparedStatementsStayWithinTheirBound() async throws {
        try await withPool(connections: 1, change: { $0.statementsMax = 10 }) { pool in
            for round in 0..<3 {
                for number in 0..<25 {
                    let row = try await pool.query("select \(number) as it").rows[0]
                    #expect(try row.int("it") == Int64(number), "round \(round)")
                }
            }
            #expect(try await preparedCount(pool) <= 10)
            #expect(pool.status.counters.errors == 0)
        }
    }

    @Test func aTableThatChangedIsPreparedAnew() async throws {
        try await withPool(connections: 1, schema: "test_changed") { pool in
            _ = try await pool.query("create table test_changed.items (id int)")
            _ = try await pool.query("insert into test_changed.items values (1)")
            #expect(try await pool.query("select * from test_changed.items").rows[0].columns == ["id"])
            _ = try await pool.query("alter table test_changed.items add column name text default 'new'")
            #expect(try await pool.query("select * from test_changed.items").rows[0].text("name") == "new")
            _ = try await pool.query("select * from test_changed.items")
            // Inside a transaction the whole transaction is run again.
            _ = try await pool.query("alter table test_changed.items add column more int default 3")
            let more = try await pool.transaction {
                try await $0.query("select * from test_changed.items").rows[0].int("more")
            }
            #expect(more == 3)
            #expect(pool.status.counters.transactionRetries == 1)
        }
    }

    @Test func statementsThatVanishedArePreparedAnew() async throws {
        try await withPool(connections: 1, change: { $0.statementsMax = 4 }) { pool in
            for _ in 0..<3 {
                _ = try await pool.query("select 1 as one")
                _ = try await pool.query("deallocate all")
                #expect(try await pool.query("select 1 as one").count == 1)
                for number in 0..<6 { _ = try await pool.query("select \(number)") }
            }
        }
    }

    @Test func aStatementThatCouldNotBePreparedIsTriedAfreshTheNextTime() async throws {
        try await withPool(connections: 1, schema: "test_late") { pool in
            let sql = "select id from test_late.items"
            #expect(await refusal { try await pool.query(sql) }?.sqlState == "42P01")
            _ = try await pool.query("create table test_late.items (id int)")
            #expect(try await pool.query(sql).isEmpty)
        }
    }

    @Test func manyAtOnceWithOneBadStatementFailAlone() async throws {
        try await withPool(connections: 1) { pool in
            let outcomes = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<60 {
                    group.addTask {
                        let sql = number % 2 == 0 ? "select nonsense" : "select \(number)"
                        return await refusal { try await pool.query(sql) }?.sqlState
                            == (number % 2 == 0 ? "42703" : nil)
                    }
                }
                return await group.reduce(into: [Bool]()) { $0.append($1) }
            }
            #expect(outcomes.allSatisfy { $0 })
        }
    }
}
