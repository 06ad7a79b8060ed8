import Base
import Logging
import Postgres
import TestKit
import Testing

@Suite struct ReconnectTests {
    @Test func aKilledBackendFailsWhatWasRunningAndNothingElse() async throws {
        try await withPool(connections: 1, change: { $0.applicationName = "test killed" }) { pool in
            try await withPool(connections: 1) { observer in
                async let killed = refusal { try await pool.query("select pg_sleep(60) /* killed */") }
                try await until { try await observer.running("killed", as: "test killed") == 1 }
                // On the wire behind it: the server never came to these, so they are sent again.
                let behind = (0..<5).map { number in Task { try await pool.query("select \(number)").count } }
                try await until { pool.status.inFlight == 6 }
                try await observer.terminate("test killed", running: "killed")
                let error = await killed
                #expect(error?.kind == .disconnected)
                #expect(error?.sqlState == "08006")
                #expect(error?.mayHaveRun == true)
                #expect(error?.fault.retry == .unsafe)
                for task in behind { #expect(try await task.value == 1) }
                #expect(try await pool.query("select 1").count == 1)
                #expect(pool.status.counters.lost == 1)
                #expect(pool.status.counters.opened == 2)
            }
        }
    }

    @Test func aBackendKilledInsideATransactionLeavesNothing() async throws {
        try await withPool(connections: 1, schema: "test_lost", change: { $0.applicationName = "test lost" })
        { pool in
            _ = try await pool.query("create table test_lost.items (id int)")
            try await withPool(connections: 1) { observer in
                let error = await refusal {
                    try await pool.transaction { transaction in
                        _ = try await transaction.query("insert into test_lost.items values (1)")
                        try await observer.terminate("test lost")
                        try await until { pool.status.open == 0 }
                        _ = try await transaction.query("insert into test_lost.items values (2)")
                    }
                }
                // Run again by itself the second time round, and killed again, until it gives up.
                #expect(error?.kind == .disconnected)
                #expect(error?.mayHaveRun == false)
            }
            #expect(try await pool.query("select 1 from test_lost.items").isEmpty)
        }
    }

    @Test func killingIdleConnectionsIsNotNoticedByCallers() async throws {
        try await withPool(connections: 2, change: { $0.applicationName = "test idle" }) { pool in
            try await withPool(connections: 1) { observer in
                for round in 1...3 {
                    _ = try await pool.query("select 1")
                    try await observer.terminate("test idle")
                    try await until { pool.status.counters.lost == UInt64(round) }
                    #expect(try await pool.query("select 1").count == 1, "round \(round)")
                }
            }
        }
    }

    @Test func listeningSurvivesAKilledBackend() async throws {
        try await withPool(connections: 1, change: { $0.applicationName = "test listen" }) { pool in
            try await withPool(connections: 1) { observer in
                var heard = pool.listen("test \"channel\"").makeAsyncIterator()
                // The empty payload says that listening has begun.
                #expect(await heard.next() == "")
                let notify = "select pg_notify('test \"channel\"', $1)"
                _ = try await observer.query(notify, ["first"])
                #expect(await heard.next() == "first")
                try await observer.terminate("test listen")
                #expect(await heard.next() == "")
                _ = try await observer.query(notify, ["second"])
                #expect(await heard.next() == "second")
                await pool.close()
                #expect(await heard.next() == nil)
            }
        }
    }

    @Test func aPoolThatIsDroppedWithoutClosingDisconnects() async throws {
        try await withPool(connections: 1) { observer in
            do {
                var configuration = PostgresPool.Configuration(url: TestServices.databaseURL)
                configuration.applicationName = "test dropped"
                let pool = PostgresPool(configuration, logger: .quiet)
                _ = try await pool.query("select 1")
            }
            try await until {
                try await observer.query(
                    "select 1 from pg_stat_activity where application_name = 'test dropped'"
                ).isEmpty
            }
        }
    }
}
