import Base
import Billing
import CallDispatch
import Operations
import Postgres
import Store
import Testing

private func usage(_ stt: Int64) -> [Usage] {
    [Usage(component: .stt, source: "offline", unit: .milliseconds, quantity: stt)]
}

@Test func aCallIsHeldExtendedAndSettledOnce() async throws {
    try await CallBench.with(dollars: 1) { bench in
        let minute = PriceBook.standard.worstCase(
            connectedMs: 60_000, components: [.telephony, .stt, .tts, .platform])
        let call = try await bench.connected()
        let ledger = LedgerStore(bench.database)
        #expect(
            try await ledger.balances(bench.tenant) == .init(available: .dollars(1) - minute, held: minute))
        for _ in 0..<3 {
            #expect(
                try await bench.link.extendHold(call.id, tenant: bench.tenant, epoch: 1, number: 1)
                    == .funded(untilMs: 120_000))
        }
        #expect(try await ledger.balances(bench.tenant).held == minute + minute)
        for _ in 0..<3 {
            try await bench.tell(call.id, 9, .ended(.agentEnded, connectedMs: 61_000, usage: usage(30_000)))
        }
        let ended = try await bench.find(call.id)
        // 61 s of telephony (0.014) and platform (0.02), 30 s of recognition (0.006) a minute.
        let cost = Money(nanos: 14_233_334 + 20_333_334 + 3_000_000)
        #expect(ended.cost == cost)
        #expect(ended.endReason == .agentEnded)
        #expect(try await ledger.balances(bench.tenant) == .init(available: .dollars(1) - cost))
        #expect(try await bench.moneyProblems() == [])
    }
}

@Test func whatTheHoldDoesNotCoverBecomesDebtAndTheNextTopUpPaysIt() async throws {
    try await CallBench.with(dollars: 0) { bench in
        try await bench.topUp(Money(nanos: 50_000_000))
        let call = try await bench.connected()
        #expect(
            try await bench.link.extendHold(call.id, tenant: bench.tenant, epoch: 1, number: 1) == .refused)
        try await bench.tell(call.id, 5, .ended(.agentEnded, connectedMs: 600_000, usage: []))
        let ledger = LedgerStore(bench.database)
        #expect(try await ledger.balances(bench.tenant).debt == Money(nanos: 50_000_000 - 340_000_000))
        await expectRefusal("insufficient_funds") { _ = try await bench.admit() }
        try await bench.topUp(.dollars(1))
        #expect(
            try await ledger.balances(bench.tenant)
                == .init(available: Money(nanos: 1_050_000_000 - 340_000_000)))
        #expect(try await bench.moneyProblems() == [])
    }
}

@Test func usageThatTheBookDoesNotPriceIsTold() async throws {
    try await CallBench.with { bench in
        let rates = [
            Rate(component: .llm, unit: .inputTokens, price: .dollars(1), per: 1_000_000),
            Rate(component: .platform, unit: .milliseconds, price: .dollars(1), per: 60_000),
        ]
        let row = PriceBookRow(
            tenant: bench.tenant, name: "models only", effectiveFrom: .current,
            book: PriceBook(id: .new(), rates: rates))
        try await bench.database.platformTransaction { try await PriceBookStore.insert(row, in: $0) }
        let call = try await bench.connected()
        let heard = Usage(
            component: .stt, source: "deepgram/nova-3", unit: .milliseconds, quantity: 9_000)
        try await bench.tell(
            call.id, 3, .ended(.agentEnded, connectedMs: 60_000, usage: [heard] + usage(100)))
        #expect(try await bench.find(call.id).cost == .dollars(1))
        #expect(
            try await bench.number(
                """
                SELECT count(*) FROM call_events WHERE type = 'unpriced_usage'
                    AND detail = '{"sources": ["deepgram/nova-3"]}'::jsonb
                """) == 1)
        #expect(try await bench.moneyProblems() == [])
    }
}

@Test func usageOfSeveralEpochsAddsUp() async throws {
    try await CallBench.with { bench in
        let call = try await bench.connected()
        try await bench.tell(call.id, 3, .usage(usage(5000), connectedMs: 10_000))
        try await bench.tell(call.id, 4, .usage(usage(9000), connectedMs: 20_000))
        let second = ID<Worker>.new()
        try await bench.renew(second)
        guard
            case .connect(let token, _) = try await ContinueCall(bench.parts)(
                try await bench.find(call.id), carrierStatus: nil)
        else { throw Refusal(code: "test", message: "expected a new stream") }
        #expect(token.worker == second && token.epoch == 2)
        let plan = try await bench.link.attach(token, worker: second, carrierCallID: call.carrierCallID ?? "")
        #expect(plan.isResumed && plan.elapsedMs == 20_000 && plan.epoch == 2)
        try await bench.tell(
            call.id, epoch: 2, 1, .ended(.agentEnded, connectedMs: 40_000, usage: usage(1000)))
        #expect(try await bench.find(call.id).connectedMs == 60_000)
        #expect(try await bench.number("SELECT quantity FROM call_costs WHERE component = 'stt'") == 10_000)
        #expect(try await bench.moneyProblems() == [])
    }
}

/// Many calls of one wallet, each extended and ended by several at once.
@Test func twoHundredConcurrentExtensionsAndSettlementsKeepTheBooks() async throws {
    try await CallBench.with { bench in
        try await bench.renew()
        var calls: [ID<Call>] = []
        for _ in 0..<20 { calls.append(try await bench.connected().id) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                let call = calls[number % calls.count]
                group.addTask { [call] in
                    if number / 20 % 5 == 4 {
                        try await bench.tell(
                            call, 50, .ended(.agentEnded, connectedMs: 30_000 + number, usage: usage(1000)))
                    } else {
                        // An ended call refuses; a live one funds each number once.
                        _ = try? await bench.link.extendHold(
                            call, tenant: bench.tenant, epoch: 1, number: 1 + number / 60)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await bench.moneyProblems() == [])
        #expect(try await bench.number("SELECT count(*) FROM ledger_entries WHERE kind = 'settlement'") == 20)
        #expect(try await bench.number("SELECT count(*) FROM calls WHERE state <> 'ended'") == 0)
        #expect(try await LedgerStore(bench.database).balances(bench.tenant).held == .zero)
    }
}

@Test func theLedgerRefusesWhatDoesNotBalanceAndCannotBeChanged() async throws {
    try await CallBench.with { bench in
        try await bench.renew()
        await expectDatabaseRefusal {
            try await bench.database.tenantTransaction(bench.tenant) { sql in
                _ = try await LedgerStore.lock(bench.tenant, in: sql)
                _ = try await LedgerStore.record(
                    bench.tenant, .topUp, ID<Entry>.new(), number: 0, [.init(.available, .dollars(5))],
                    in: sql)
            }
        }
        for sql in [
            "UPDATE ledger_postings SET amount_nanos = 1", "DELETE FROM ledger_entries",
            "TRUNCATE ledger_postings",
        ] {
            await expectDatabaseRefusal { _ = try await bench.database.tenant(bench.tenant, sql) }
            await expectDatabaseRefusal { _ = try await bench.database.platform(sql) }
        }
        #expect(try await bench.moneyProblems() == [])
    }
}

@Test func withoutMoneyNoCallIsAdmittedAndNothingIsLeftBehind() async throws {
    try await CallBench.with(dollars: 0) { bench in
        try await bench.renew()
        await expectRefusal("insufficient_funds") { _ = try await bench.admit() }
        #expect(try await bench.number("SELECT count(*) FROM calls") == 0)
        #expect(try await bench.number("SELECT count(*) FROM outbox") == 0)
        #expect(try await bench.moneyProblems() == [])
    }
}
