import Base
import CallDispatch
import CallQueue
import Foundation
import Logging
import Operations
import Redis
import Store
import TestKit
import Testing

/// A Redis of the test's own, which it may empty.
struct OwnRedis: Sendable {
    let url: String
    private let process: Process
    private let directory = ScratchDirectory()

    static func with(_ body: @Sendable (OwnRedis) async throws -> Void) async throws {
        let redis = try OwnRedis()
        do {
            try await body(redis)
        } catch {
            redis.stop()
            throw error
        }
        redis.stop()
    }

    private init() throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/redis-server")
        process.arguments = [
            "--port", "0", "--unixsocket", directory.path + "/redis.sock", "--save", "", "--appendonly", "no",
            "--dir", directory.path,
        ]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        url = "unix://" + directory.path + "/redis.sock"
    }

    /// It listens a moment after it started.
    func ready(_ redis: RedisClient) async throws {
        try await until { (try? await redis.command(["PING"])) != nil }
    }

    private func stop() {
        // It inherits a thread's blocked signals, so only this one reaches it.
        kill(process.processIdentifier, SIGKILL)
    }
}

private func with(_ body: @Sendable (CallBench, CallQueue, RedisClient) async throws -> Void) async throws {
    try await OwnRedis.with { own in
        let redis = RedisClient(url: own.url, logger: .quiet)
        try await own.ready(redis)
        try await CallBench.with(concurrency: 500) { bench in
            try await body(bench, CallQueue(redis: redis, region: "local"), redis)
        }
        await redis.close()
    }
}

/// Reads the queue until it is empty for a moment; returns the calls claimed.
private func takeAll(_ bench: CallBench, _ queue: CallQueue, worker: ID<Worker>) async throws -> [ID<Call>] {
    var taken: [ID<Call>] = []
    while let entry = try await queue.next(worker: worker, wait: .milliseconds(50)) {
        if let plan = try await bench.link.claim(entry.call, tenant: entry.tenant, worker: worker) {
            taken.append(plan.call)
        }
        try await queue.done(entry)
    }
    return taken
}

@Test func queuedCallsSurviveTheLossOfAllOfRedis() async throws {
    try await with { bench, queue, redis in
        try await bench.renew()
        var calls: [ID<Call>] = []
        for _ in 0..<100 { calls.append(try await bench.admit().id) }
        let release = ReleaseCalls(database: bench.database, queue: queue, logger: .quiet)
        #expect(try await release(FairShare()).released == 100)
        #expect(try await queue.depth() == 100)
        var taken: [ID<Call>] = []
        for _ in 0..<10 {
            guard let entry = try await queue.next(worker: bench.worker, wait: .milliseconds(500)),
                let plan = try await bench.link.claim(entry.call, tenant: entry.tenant, worker: bench.worker)
            else { continue }
            taken.append(plan.call)
        }
        _ = try await redis.command(["FLUSHALL"])
        #expect(try await takeAll(bench, queue, worker: bench.worker) == [])
        #expect(try await release.ringAgain(after: .zero) == 90)
        // Rung twice: claimed once.
        #expect(try await release.ringAgain(after: .zero) == 90)
        taken += try await takeAll(bench, queue, worker: bench.worker)
        #expect(taken.sorted() == calls.sorted())
        #expect(try await release.ringAgain(after: .zero) == 0)
        #expect(try await bench.moneyProblems() == [])
    }
}

@Test func onlyFreeSlotsAreReleasedAndSomeAreKeptForInbound() async throws {
    try await with { bench, queue, _ in
        for _ in 0..<30 { _ = try await bench.admit() }
        let release = ReleaseCalls(database: bench.database, queue: queue, logger: .quiet)
        #expect(try await release(FairShare()).released == 0)
        try await bench.renew(capacity: 20)
        #expect(try await release(FairShare()).released == 18)
        #expect(try await release(FairShare()).released == 0)
        try await bench.superuser("UPDATE tenants SET concurrency_limit = 25")
        try await bench.renew(capacity: 1000)
        #expect(try await release(FairShare()).released == 7)
        let first = try await takeAll(bench, queue, worker: bench.worker)
        #expect(first.count == 25)
        try await bench.tell(first[0], 1, .ended(.noAnswer, connectedMs: 0, usage: []))
        #expect(try await release(FairShare()).released == 1)
    }
}

@Test func anEntryAWorkerLeftIsTakenByAnother() async throws {
    try await with { bench, queue, _ in
        let call = try await bench.admit().id
        try await queue.ring(call, tenant: bench.tenant)
        let first = try await queue.next(worker: bench.worker, wait: .milliseconds(500))
        #expect(first?.call == call && first?.tenant == bench.tenant)
        let other = ID<Worker>.new()
        #expect(try await queue.next(worker: other, wait: .milliseconds(20)) == nil)
        let left = try await queue.reclaim(worker: other, idle: .zero)
        #expect(left.map(\.call) == [call])
        for entry in left { try await queue.done(entry) }
        #expect(try await queue.depth() == 0)
    }
}

@Test func checkpointsComeBackAsTheyWereUntilTheyAreDropped() async throws {
    try await with { bench, queue, _ in
        let call = ID<Call>.new()
        #expect(try await queue.loadCheckpoint(call) == nil)
        let sealed = [UInt8]((0...255).map { UInt8($0) })
        try await queue.saveCheckpoint(call, sealed: sealed)
        #expect(try await queue.loadCheckpoint(call) == sealed)
        try await queue.dropCheckpoint(call)
        #expect(try await queue.loadCheckpoint(call) == nil)
    }
}

@Test func aLineIsThereForWhoeverAsksForTheSame() async throws {
    try await with { bench, queue, _ in
        let text = "\(ID<Call>.new())"
        #expect(try await queue.loadLine(["v", text]) == nil)
        let audio = [UInt8]((0...255).map { UInt8($0) })
        try await queue.saveLine(["v", text], audio: audio)
        #expect(try await queue.loadLine(["v", text]) == audio)
        // Neither another voice's nor one that only reads alike.
        #expect(try await queue.loadLine(["w", text]) == nil)
        #expect(try await queue.loadLine(["v" + text]) == nil)
    }
}

@Test func lessonsAreThereForWhoeverServesTheTenantNext() async throws {
    try await with { bench, queue, _ in
        let (mine, other) = (ID<Tenant>.new(), ID<Tenant>.new())
        #expect(try await queue.loadLessons(mine) == nil)
        let lessons = [UInt8]((0...255).map { UInt8($0) })
        try await queue.saveLessons(mine, lessons)
        #expect(try await queue.loadLessons(mine) == lessons)
        #expect(try await queue.loadLessons(other) == nil)
    }
}
