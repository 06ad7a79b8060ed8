import ArgumentParser
import Base
import Foundation
import Logging
import Redis
import VendorSim

/// Queued calls through a Redis that loses everything: all run, each once.
struct BenchQueue: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "FLUSHALL while calls are queued; the callers hang up at once.")

    @Option(help: "Calls.") var calls = 500
    @Option(help: "Where logs and keys go.") var directory = ".parley/bench"

    static let drainLimit: Duration = .seconds(180)
    static let capacity = 40

    func run() async throws {
        let world = try await BenchWorld.start(
            BenchWorld.Needs(name: "Queue", capacity: Self.capacity, keepsAudio: false) { _ in
                BenchMedia.keypadAgent
            },
            directory: directory)
        do {
            let result = try await flushed(world)
            await world.stop()
            BenchWorld.progress("")
            print(result)
        } catch {
            await world.stop()
            throw error
        }
    }

    private func flushed(_ world: BenchWorld) async throws -> String {
        guard let redisURL = ProcessInfo.processInfo.environment["PARLEY_REDIS_URL"] else {
            throw ValidationError("PARLEY_REDIS_URL is not set")
        }
        world.outside.carrier.subscribeAnybody(.hangsUpAtOnce)
        let start = ContinuousClock.now
        var asked: Set<String> = []
        for index in 0..<calls {
            let to = "+1917\(5_550_000 + index)"
            _ = try await world.tenant.api.post(
                "/v1/calls",
                [
                    "agent_id": .string(world.tenant.agentID), "from": .string(world.tenant.number),
                    "to": .string(to),
                ])
            asked.insert(to)
        }
        let redis = RedisClient(url: redisURL, logger: Logger(label: "bench"))
        _ = try await redis.command(["FLUSHALL"])
        let left = try await waitUntilNoneWaits(world, since: start)
        await redis.close()
        var dialled: [String] = []
        for call in world.outside.carrier.calls { dialled.append(await call.observation().to) }
        let twice = dialled.count - Set(dialled).count
        let seconds = Double((ContinuousClock.now - start).milliseconds) / 1000
        let wallet = try await world.tenant.api.get("/v1/wallet")
        return
            "{\"calls\":\(calls),\"dialled\":\(Set(dialled).intersection(asked).count),\"dialled_twice\":\(twice),"
            + "\"not_ended\":\(left),\"held\":\"\(wallet["held"]?.string ?? "?")\",\"seconds\":\(seconds)}"
    }

    private func waitUntilNoneWaits(_ world: BenchWorld, since start: ContinuousClock.Instant) async throws
        -> Int
    {
        while ContinuousClock.now - start < Self.drainLimit {
            var open = 0
            for state in ["queued", "claimed", "dialing", "in_progress"] {
                open +=
                    try await world.tenant.api.get("/v1/calls?state=\(state)&limit=100")["data"]?.array?.count
                    ?? 0
            }
            if open == 0 { return 0 }
            BenchWorld.progress("\(open == 100 ? "100 or more" : "\(open)") calls not ended yet")
            try await Task.sleep(for: .milliseconds(500))
        }
        return -1
    }
}
