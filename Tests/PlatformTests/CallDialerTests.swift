import Base
import CallDispatch
import CallQueue
import Dialer
import Logging
import Operations
import Redis
import Store
import TestKit
import Testing

/// The dialer's own loops over a real database and Redis: a call is released, lost with all of Redis, rung again,
/// claimed by a worker that dies, given to another, and settled when that one dies in the call.
@Test func theDialerMovesWhatWaitsAndWhatIsLost() async throws {
    try await OwnRedis.with { own in
        let redis = RedisClient(url: own.url, logger: .quiet)
        try await own.ready(redis)
        try await CallBench.with { bench in
            let queue = CallQueue(redis: redis, region: "local")
            var patience = SweepStore.Patience()
            patience.reattach = .milliseconds(100)
            var rhythm = Dialer.Rhythm()
            rhythm.ringAgain = .milliseconds(300)
            let dialer = Dialer(
                bench.parts, queue: queue, delivery: nil, recordings: "/nowhere", rhythm: rhythm,
                patience: patience,
                logger: .quiet)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await dialer.run() }
                group.addTask { try await play(bench, queue, redis) }
                try await group.next()
                group.cancelAll()
            }
        }
        await redis.close()
    }
}

private func play(_ bench: CallBench, _ queue: CallQueue, _ redis: RedisClient) async throws {
    try await bench.renew()
    let call = try await bench.admit().id
    try await until { try await bench.find(call).times.released != nil }
    try await until { try await queue.depth() > 0 }
    _ = try await redis.command(["FLUSHALL"])
    let entry = try await take(queue, bench.worker)
    #expect(entry.call == call)
    #expect(try await bench.link.claim(call, tenant: bench.tenant, worker: bench.worker)?.epoch == 1)
    try await queue.done(entry)
    try await bench.kill()
    try await until { try await bench.find(call).state == .queued }
    let second = ID<Worker>.new()
    try await bench.renew(second)
    let again = try await take(queue, second)
    #expect(try await bench.link.claim(again.call, tenant: bench.tenant, worker: second)?.epoch == 2)
    try await bench.tell(call, epoch: 2, 1, .dialing)
    _ = try await bench.link.attach(try await bench.token(call), worker: second, carrierCallID: "CA1")
    try await bench.tell(call, epoch: 2, 2, .usage([], connectedMs: 4000))
    try await bench.kill(second)
    try await until { try await bench.find(call).state == .ended }
    let row = try await bench.find(call)
    #expect(row.endReason == .workerLost && row.connectedMs == 4000)
    #expect(try await bench.moneyProblems() == [])
}

private func take(_ queue: CallQueue, _ worker: ID<Worker>) async throws -> QueueEntry {
    guard let entry = try await queue.next(worker: worker, wait: patience) else {
        throw Refusal(code: "test", message: "nothing was rung in \(patience)")
    }
    return entry
}
