import ArgumentParser
import Base
import Foundation
import Logging
import VendorSim

/// Spoken calls that come and go through one worker: does anything of them stay behind?
struct BenchChurn: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "churn",
        abstract:
            "Calls come and go; memory, descriptors and threads of the worker as they do. JSON at the end.")

    @Option(help: "Calls at once.") var calls = 40
    @Option(help: "Minutes of coming and going.") var minutes = 10
    @Option(help: "Seed of how long calls last.") var seed: UInt64 = 1
    @Option(help: "Where logs, keys and recordings go.") var directory = ".parley/bench-churn"

    /// Things a caller says before it hangs up: about 5 to 30 s of a call.
    private static let turns = 1...6
    /// Calls whose caller has gone and whose end the platform is still writing down.
    private static let leaving = 20
    private static let startInterval: Duration = .milliseconds(100)
    /// After the last call: what lingers by design is gone by then, and idle vendors' sockets are not.
    private static let settles: Duration = .seconds(20)

    func run() async throws {
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let known = try await KnownSpeech.of(RecitedCall.persona(turns: Self.turns.upperBound))
        let spoken = try await SpokenWorld.start(
            .fixed, known: known, capacity: calls + Self.leaving, cores: nil, directory: directory,
            logger: logger)
        do {
            let result = try await measure(spoken.world)
            await spoken.stop()
            BenchWorld.progress("")
            print(result.text)
        } catch {
            await spoken.stop()
            throw error
        }
    }

    /// What became of the calls of one slot after the other.
    private struct Ends {
        var calls = 0
        var failedTurns = 0
        var brokenCalls = 0
    }

    private func measure(_ world: BenchWorld) async throws -> JSON {
        let idle = try await world.workerUsage()
        let end = ContinuousClock.now + .seconds(60 * minutes)
        var samples: [ProcessUsage] = []
        let ends = try await withThrowingTaskGroup(of: Ends.self) { group in
            for slot in 0..<calls {
                group.addTask { try await keepCalling(world, slot, until: end) }
            }
            for minute in 1...max(1, minutes) {
                try await Task.sleep(until: end - .seconds(60 * (minutes - minute)) - .seconds(1))
                let usage = try await world.workerUsage()
                samples.append(usage)
                BenchWorld.progress(Self.row(minute, usage))
            }
            return try await group.reduce(into: Ends()) {
                $0.calls += $1.calls
                $0.failedTurns += $1.failedTurns
                $0.brokenCalls += $1.brokenCalls
            }
        }
        try await Task.sleep(for: Self.settles)
        return report(idle: idle, samples, after: try await world.workerUsage(), ends)
    }

    private static func row(_ minute: Int, _ usage: ProcessUsage) -> String {
        "minute \(minute): \(usage.residentBytes >> 20) MB, \(usage.descriptors) descriptors, \(usage.threads) threads\n"
    }

    /// One call after another, from numbers of this slot.
    private func keepCalling(_ world: BenchWorld, _ slot: Int, until end: ContinuousClock.Instant)
        async throws
        -> Ends
    {
        var ends = Ends()
        var numbers = SeededGenerator(seed: seed &* 1_000_003 &+ UInt64(slot))
        try await Task.sleep(for: Self.startInterval * slot)
        while ContinuousClock.now < end {
            let call = try await world.outside.carrier.placeInbound(
                from: "+1212\(5_550_000 + slot)", to: world.tenant.number,
                persona: RecitedCall.persona(turns: .random(in: Self.turns, using: &numbers)))
            let observation = await call.ended()
            ends.calls += 1
            ends.failedTurns += RecitedCall(observation).failedTurns
            if observation.streams.count != 1 { ends.brokenCalls += 1 }
            world.outside.carrier.forgetEndedCalls()
        }
        return ends
    }

    private func report(idle: ProcessUsage, _ samples: [ProcessUsage], after: ProcessUsage, _ ends: Ends)
        -> JSON
    {
        func megabytes(_ usage: ProcessUsage?) -> JSON {
            .double((Double(usage?.residentBytes ?? 0) / 104_857.6).rounded() / 10)
        }
        func count(_ value: Int) -> JSON { .int(Int64(value)) }
        let half = samples[(samples.count / 2)...].first
        return .object([
            "minutes": count(minutes), "calls_at_once": count(calls), "calls": count(ends.calls),
            "failed_turns": count(ends.failedTurns), "broken_calls": count(ends.brokenCalls),
            "rss_mb_idle": megabytes(idle), "rss_mb_first_minute": megabytes(samples.first),
            "rss_mb_half": megabytes(half), "rss_mb_last_minute": megabytes(samples.last),
            "rss_mb_after": megabytes(after), "descriptors_idle": count(idle.descriptors),
            "descriptors_last_minute": count(samples.last?.descriptors ?? 0),
            "descriptors_after": count(after.descriptors), "threads_idle": count(idle.threads),
            "threads_after": count(after.threads),
        ])
    }
}
