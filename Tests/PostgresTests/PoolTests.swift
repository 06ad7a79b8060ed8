import Base
import Logging
import Postgres
import TestKit
import Testing

@Suite struct PoolTests {
    @Test func twoHundredQueriesAtOnceAllGetTheirOwnAnswer() async throws {
        try await withPool(connections: 4) { pool in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<Int64(200) {
                    group.addTask {
                        let rows = try await pool.query("select $1::bigint * 2 as double", [.int(number)])
                        #expect(try rows.first?.int("double") == number * 2)
                    }
                }
                try await group.waitForAll()
            }
            let status = pool.status
            #expect((1...4).contains(status.open))
            #expect(status.counters.queries == 200)
            #expect(status.counters.errors == 0)
            #expect(status.inFlight == 0 && status.waiting == 0)
        }
    }

    @Test func oneCallerAfterAnotherNeedsOneConnection() async throws {
        try await withPool(connections: 8) { pool in
            for _ in 0..<50 { _ = try await pool.query("select 1") }
            #expect(pool.status.open == 1)
            #expect(pool.status.connecting == 0)
        }
    }

    @Test func aSettingHoldsForItsStatementAndDoesNotLeak() async throws {
        try await withPool(connections: 2) { pool in
            let sql =
                "select nullif(current_setting('parley.test', true), '') as tenant, pg_backend_pid() as pid"
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<400 {
                    // Every third statement has no setting: on the same two connections it must see none.
                    let setting = number % 3 == 0 ? nil : "tenant \(number)"
                    group.addTask {
                        let settings = setting.map { [LocalSetting(name: "parley.test", value: $0)] } ?? []
                        let row = try await pool.query(sql, settings: settings).rows[0]
                        #expect(try row.optionalText("tenant") == setting)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func aSettingDoesNotOutliveAFailedStatement() async throws {
        try await withPool(connections: 1) { pool in
            let settings = [LocalSetting(name: "parley.test", value: "mine")]
            #expect(
                await refusal { try await pool.query("select 1/0", settings: settings) }?.sqlState == "22012")
            let row = try await pool.query("select coalesce(current_setting('parley.test', true), '') as it")
                .rows[0]
            #expect(try row.text("it") == "")
        }
    }

    @Test func aRefusedSettingKeepsTheStatementFromRunning() async throws {
        try await withPool(connections: 1, schema: "test_refused") { pool in
            _ = try await pool.query("create table test_refused.items (id int)")
            let bad = [LocalSetting(name: "statement_timeout", value: "not a time")]
            let error = await refusal {
                try await pool.query("insert into test_refused.items values (1)", settings: bad)
            }
            #expect(error?.sqlState == "22023")
            #expect(try await pool.query("select 1 from test_refused.items").isEmpty)
        }
    }

    @Test func aStatementAndItsSettingAreOneTransaction() async throws {
        try await withPool(connections: 1) { pool in
            let row = try await pool.query(
                "select current_setting('parley.stamp') = now()::text as same",
                settings: [LocalSetting(name: "parley.stamp", value: "x")]
            ).rows[0]
            #expect(try !row.bool("same"))
            // Inside one transaction the setting's own transaction id is the statement's.
            let ids = try await pool.query(
                "select pg_current_xact_id()::text as a, pg_current_xact_id()::text as b"
            ).rows[0]
            #expect(try ids.text("a") == ids.text("b"))
        }
    }

    @Test func everyConnectionActsAsTheRoleEvenAfterReset() async throws {
        try await withPool { admin in
            try await admin.script(
                """
                do $$ begin create role "test role" nologin;
                exception when duplicate_object then null; end $$;
                """)
        }
        try await withPool(change: { $0.role = "test role" }) { pool in
            let sql = "select current_user::text as role, current_setting('application_name') as name"
            #expect(try await pool.query(sql).rows[0].text("role") == "test role")
            _ = try await pool.query("reset role")
            #expect(try await pool.query(sql).rows[0].text("role") == "test role")
        }
    }

    @Test func aStatementThatTakesTooLongIsStopped() async throws {
        try await withPool(change: { $0.statementTimeout = .milliseconds(50) }) { pool in
            let error = await refusal { try await pool.query("select pg_sleep(60)") }
            #expect(error?.sqlState == "57014")
            #expect(error?.fault.code == "postgres.statement_timeout")
            let next = try await pool.query("select 1 as one")
            #expect(try next.rows[0].int("one") == 1)
        }
    }

    @Test func theQueueOfWaitersIsBounded() async throws {
        let sleep = "select pg_sleep(60) /* bounded */"
        try await withPool(
            connections: 1,
            change: {
                $0.waitersMax = 3; $0.applicationName = "test bounded"
            }
        ) { pool in
            try await withPool(connections: 1) { observer in
                let holder = Task { try await pool.transaction { _ = try await $0.query(sleep) } }
                try await until { try await observer.running("bounded", as: "test bounded") == 1 }
                let waiting = (0..<3).map { _ in Task { try await pool.query("select 1") } }
                try await until { pool.status.waiting == 3 }
                let error = await refusal { try await pool.query("select 1") }
                #expect(error?.kind == .poolBusy)
                #expect(pool.status.counters.refused == 1)
                holder.cancel()
                for task in waiting { #expect(try await task.value.count == 1) }
                _ = await holder.result
            }
        }
    }

    @Test func waitingEndsAfterTheLimit() async throws {
        try await withPool(connections: 1, change: { $0.waitLimit = .milliseconds(50) }) { pool in
            // On a loaded machine connecting alone may take longer than the limit.
            try await until { await refusal { try await pool.query("select 1") } == nil }
            let expired = pool.status.counters.expired
            let error = await refusal {
                try await pool.transaction { held in
                    _ = try await held.query("select 1")
                    _ = try await pool.query("select 2")
                }
            }
            #expect(error?.kind == .poolBusy)
            #expect(error?.mayHaveRun == false)
            #expect(pool.status.counters.expired == expired + 1)
            #expect(pool.status.waiting == 0)
        }
    }

    @Test func waitersAreServedInTheOrderTheyCame() async throws {
        try await withPool(connections: 1, schema: "test_order") { pool in
            _ = try await pool.query("create table test_order.log (id serial, who int)")
            try await pool.transaction { held in
                _ = try await held.query("select 1")
                for number in 0..<6 {
                    // Transactions and single statements in turn: neither kind overtakes the other.
                    Task {
                        let sql = "insert into test_order.log (who) values ($1)"
                        if number % 2 == 0 {
                            try await pool.transaction { _ = try await $0.query(sql, [.int(Int64(number))]) }
                        } else {
                            _ = try await pool.query(sql, [.int(Int64(number))])
                        }
                    }
                    try await until { pool.status.waiting == number + 1 }
                }
            }
            try await until { try await pool.query("select 1 from test_order.log").count == 6 }
            let rows = try await pool.query("select who from test_order.log order by id").rows
            #expect(try rows.map { try $0.int("who") } == [0, 1, 2, 3, 4, 5])
        }
    }

    @Test func aCancelledWaiterLeavesAtOnceAndTheNextIsServed() async throws {
        try await withPool(connections: 1) { pool in
            try await pool.transaction { held in
                _ = try await held.query("select 1")
                let impatient = Task { try await pool.query("select 1") }
                try await until { pool.status.waiting == 1 }
                impatient.cancel()
                await #expect(throws: CancellationError.self) { try await impatient.value }
                #expect(pool.status.waiting == 0)
            }
            #expect(try await pool.query("select 1").count == 1)
        }
    }

    @Test func aCancelledStatementLetsItsCallerGoAndTheConnectionLives() async throws {
        try await withPool(connections: 1, change: { $0.applicationName = "test cancel" }) { pool in
            try await withPool(connections: 1) { observer in
                let task = Task { try await pool.query("select pg_sleep(0.3) /* cancel */") }
                try await until { try await observer.running("cancel", as: "test cancel") == 1 }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(try await pool.query("select 5 as five").rows[0].int("five") == 5)
                #expect(pool.status.counters.lost == 0)
            }
        }
    }

    @Test func anUnreachableServerIsReportedAfterTheWait() async throws {
        var configuration = PostgresPool.Configuration(url: "postgresql://nobody@/none?host=/nonexistent")
        configuration.waitLimit = .seconds(1)
        let pool = PostgresPool(configuration, logger: .quiet)
        let error = await refusal { try await pool.query("select 1") }
        #expect(error?.kind == .unreachable)
        #expect(error?.sqlState == "08001")
        #expect(error?.message.contains("/nonexistent") == true)
        #expect(pool.status.counters.failedConnects >= 2)
        await pool.close()
    }

    @Test func aMalformedURLIsReportedWithoutItsPassword() async throws {
        let pool = PostgresPool(.init(url: "postgresql://u:secret@[::1/x"), logger: .quiet)
        let error = await refusal { try await pool.query("select 1") }
        #expect(error?.kind == .unreachable)
        #expect(error.map { "\($0)" }?.contains("secret") == false)
        await pool.close()
    }

    @Test func aClosedPoolFinishesItsWorkAndTakesNoMore() async throws {
        let pool = PostgresPool(.init(url: TestServices.databaseURL), logger: .quiet)
        let last = Task { try await pool.query("select pg_sleep(0.1), 7 as seven") }
        try await until { pool.status.inFlight == 1 }
        await pool.close()
        #expect(try await last.value.rows[0].int("seven") == 7)
        #expect(await refusal { try await pool.query("select 1") }?.kind == .closed)
        #expect(
            await refusal { try await pool.transaction { try await $0.query("select 1") } }?.kind == .closed)
    }
}
