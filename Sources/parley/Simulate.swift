import ArgumentParser
import Base
import Conversation
import Foundation
import Simulation

/// Whole conversations in virtual time, with callers and vendors that do all they can to break them.
struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Simulate calls from seeds and check what must hold after every input.",
        discussion: "A seed that fails is played again by `--seed SEED --calls 1 --ladder`.")

    @Option(help: "Seed of the first call; each further call takes the next.") var seed: UInt64 = 1
    @Option(help: "Calls to simulate.") var calls = 2000
    @Option(help: "Cores to spread them over.") var cores = 1
    @Flag(help: "Print every input and decision.") var ladder = false

    /// Seeds one core takes at a time.
    private static let batch: UInt64 = 64
    /// Of a failing call, so many lines before the failure are shown.
    private static let failureLines = 60

    func run() async throws {
        guard calls > 0, cores > 0 else { throw ValidationError("calls and cores must be positive") }
        guard UInt64.max - seed >= UInt64(calls) + Self.batch else {
            throw ValidationError("--seed \(seed): there are no \(calls) seeds from there on")
        }
        if ladder { for seed in seed..<seed + UInt64(calls) { lines(of: seed).forEach { print($0) } } }
        let start = ContinuousClock.now
        let totals = await simulate()
        let minutes = (ContinuousClock.now - start) / .seconds(60)
        printTable(totals)
        for failed in totals.failed { print("seed \(failed.seed) fails at \(failed.failure ?? "")") }
        if let first = totals.failed.first, !ladder {
            print("seed \(first.seed), its last inputs and decisions:")
            lines(of: first.seed).suffix(Self.failureLines).forEach { print($0) }
        }
        let perMinute = totals.callHours / minutes / Double(cores)
        print(
            """
            {"simulated_call_hours_per_min": \(Int(perMinute)), "calls": \(totals.calls), \
            "inputs": \(totals.inputs), "failures": \(totals.failures), "seed": \(seed), \
            "effects_hash": "\(String(totals.effectsHash, radix: 16))"}
            """)
        if totals.failures > 0 { throw ExitCode.failure }
    }

    private func simulate() async -> Totals {
        let end = seed + UInt64(calls)
        var batches = stride(from: seed, to: end, by: UInt64.Stride(Self.batch)).makeIterator()
        return await withTaskGroup(of: Totals.self) { group in
            var totals = Totals()
            func begin(_ first: UInt64) {
                group.addTask {
                    var part = Totals()
                    for seed in first..<min(first + Self.batch, end) {
                        var call = SimulatedCall(seed: seed)
                        part.add(call.run())
                    }
                    return part
                }
            }
            for _ in 0..<cores { if let first = batches.next() { begin(first) } }
            while let part = await group.next() {
                totals.add(part)
                if let first = batches.next() { begin(first) }
            }
            return totals
        }
    }

    private func lines(of seed: UInt64) -> [String] {
        final class Page { var lines: [String] = [] }
        let page = Page()
        var call = SimulatedCall(seed: seed) { time, input, effects in
            page.lines.append(Ladder.line(input, at: time))
            page.lines += effects.map { Ladder.line($0, at: time) }
        }
        _ = call.run()
        return page.lines
    }

    private func printTable(_ totals: Totals) {
        func row(_ name: String, _ value: String) {
            print(name.padding(toLength: 24, withPad: " ", startingAt: 0) + value)
        }
        row("calls", "\(totals.calls)")
        row("call-hours", String(format: "%.1f", totals.callHours))
        row("inputs", "\(totals.inputs)")
        row("turns", "\(totals.turns)")
        row("interruptions", "\(totals.interruptions)")
        row("cut turns, mended", "\(totals.cuts)")
        row("tools run ahead, used", "\(totals.toolsAhead), \(totals.toolsAheadUsed)")
        for (reason, count) in totals.endings.sorted(by: { $0.value > $1.value }) {
            row("ended: \(reason.rawValue)", "\(count)")
        }
        if let longest = totals.longest {
            row("longest call", "\(longest.milliseconds / 1000) s, seed \(longest.seed)")
        }
        if let slowest = totals.slowest {
            row("longest wait for agent", "\(slowest.longestWaitMs) ms, seed \(slowest.seed)")
        }
        row("broken promises", "\(totals.failures)")
    }
}
