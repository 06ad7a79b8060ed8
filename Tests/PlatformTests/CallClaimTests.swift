import Base
import CallDispatch
import Operations
import Postgres
import Store
import Testing

@Test func tenThousandRedeliveredEntriesClaimEachCallOnce() async throws {
    try await CallBench.with { bench in
        try await bench.renew()
        var calls: [ID<Call>] = []
        for _ in 0..<20 { calls.append(try await bench.admit().id) }
        let workers = (0..<8).map { _ in ID<Worker>.new() }
        let claimed = try await withThrowingTaskGroup(of: [ID<Call>].self) { [calls] group in
            for (index, worker) in workers.enumerated() {
                group.addTask {
                    var random = SeededGenerator(seed: UInt64(index))
                    var won: [ID<Call>] = []
                    for _ in 0..<10_000 / workers.count {
                        guard let call = calls.randomElement(using: &random),
                            let plan = try await bench.link.claim(call, tenant: bench.tenant, worker: worker)
                        else { continue }
                        #expect(plan.epoch == 1)
                        won.append(plan.call)
                    }
                    return won
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(claimed.sorted() == calls.sorted())
        #expect(try await bench.number("SELECT count(*) FROM call_epochs") == 20)
    }
}

@Test func aClaimThatDiesBeforeDialingIsGivenToAnotherAndFenced() async throws {
    try await CallBench.with { bench in
        let call = try await bench.admit().id
        let second = ID<Worker>.new()
        try await bench.renew()
        #expect(try await bench.link.claim(call, tenant: bench.tenant, worker: bench.worker)?.epoch == 1)
        try await bench.kill()
        #expect(try await bench.sweep() == .init(requeued: 1, ended: 0))
        // The lost worker comes back: neither before nor after the next claim may it dial.
        #expect(try await bench.tell(call, 1, .dialing).fenced == [call])
        try await bench.renew(second)
        #expect(try await bench.link.claim(call, tenant: bench.tenant, worker: second)?.epoch == 2)
        #expect(try await bench.tell(call, 1, .dialing).fenced == [call])
        #expect(try await bench.tell(call, epoch: 2, 1, .dialing).fenced == [])
        #expect(try await bench.find(call).state == .dialing)
    }
}

@Test func afterDialingACallIsNeverDialledAgain() async throws {
    try await CallBench.with { bench in
        let call = try await bench.admit().id
        try await bench.renew()
        _ = try await bench.link.claim(call, tenant: bench.tenant, worker: bench.worker)
        try await bench.tell(call, 1, .dialing)
        try await bench.kill()
        #expect(try await bench.sweep() == .init(requeued: 0, ended: 1))
        let row = try await bench.find(call)
        #expect(row.state == .ended && row.endReason == .workerLost && row.cost == .zero)
        #expect(try await bench.link.claim(call, tenant: bench.tenant, worker: bench.worker) == nil)
        #expect(try await bench.moneyProblems() == [])
    }
}

@Test func renewalTellsWhatToDropAndWhatToEnd() async throws {
    try await CallBench.with { bench in
        let mine = try await bench.connected()
        let moved = try await bench.connected()
        let second = ID<Worker>.new()
        try await bench.renew(second)
        _ = try await ContinueCall(bench.parts)(moved, carrierStatus: nil)
        _ = try await EndCall(bench.parts)(bench.tenant, mine.id)
        let live = [mine, moved].map { CallKey(call: $0.id, tenant: bench.tenant, epoch: 1) }
        let answer = try await bench.renew(live: live)
        #expect(answer.revoked == [moved.id])
        #expect(answer.toEnd == [mine.id])
    }
}

@Test func aStreamIsTakenOnceAndOnlyWithTheNewestToken() async throws {
    try await CallBench.with { bench in
        let call = try await bench.admit().id
        try await bench.renew()
        _ = try await bench.link.claim(call, tenant: bench.tenant, worker: bench.worker)
        try await bench.tell(call, 1, .dialing)
        var stale = try await bench.token(call)
        stale.expires = Timestamp(milliseconds: Timestamp.current.milliseconds - 1)
        await expectRefusal("token_expired") {
            _ = try await bench.link.attach(stale, worker: bench.worker, carrierCallID: "CA1")
        }
        let token = try await bench.token(call)
        // It reaches another worker than it names: the claim moves there.
        let second = ID<Worker>.new()
        let plan = try await bench.link.attach(token, worker: second, carrierCallID: "CA1")
        #expect(plan.epoch == 2 && !plan.isResumed)
        await expectRefusal("stale_epoch") {
            _ = try await bench.link.attach(token, worker: bench.worker, carrierCallID: "CA1")
        }
        await expectRefusal("already_attached") {
            _ = try await bench.link.attach(try await bench.token(call), worker: second, carrierCallID: "CA1")
        }
        try await bench.tell(call, epoch: 2, 1, .ended(.agentEnded, connectedMs: 0, usage: []))
        await expectRefusal("already_ended") {
            _ = try await bench.link.attach(try await bench.token(call), worker: second, carrierCallID: "CA1")
        }
    }
}

@Test func otherTenantsCallsDoNotExist() async throws {
    try await CallBench.with { bench in
        let call = try await bench.connected()
        let (other, _, _) = try await CallBench.seed(
            bench.database, bench.vault, number: CallBench.otherNumber, 10)
        #expect(try await CallStore(bench.database).find(other, call.id) == nil)
        #expect(try await EndCall(bench.parts)(other, call.id) == nil)
        #expect(try await bench.link.claim(call.id, tenant: other, worker: bench.worker) == nil)
        await expectRefusal("not_found") {
            _ = try await bench.link.extendHold(call.id, tenant: other, epoch: 1, number: 1)
        }
        let report = Report(
            call: call.id, tenant: other, epoch: 1, sequence: 70, at: .current,
            fact: .ended(.agentEnded, connectedMs: 1, usage: []))
        #expect(try await bench.link.report([report]).fenced == [call.id])
        #expect(try await bench.find(call.id).state == .inProgress)
    }
}

func expectRefusal(_ code: String, _ body: () async throws -> Void) async {
    do {
        try await body()
        Issue.record("expected the refusal \(code)")
    } catch let refusal as Refusal {
        #expect(refusal.code == code)
    } catch {
        Issue.record("expected the refusal \(code), not \(error)")
    }
}

/// The database says no.
func expectDatabaseRefusal(_ body: () async throws -> Void) async {
    do {
        try await body()
        Issue.record("expected the database to refuse")
    } catch let error as PostgresError {
        #expect(error.kind == .server)
    } catch {
        Issue.record("expected the database to refuse, not \(error)")
    }
}
