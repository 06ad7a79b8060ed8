import ArgumentParser
import Base
import Foundation
import VendorSim

/// Kills the worker of a live call at seeded moments: how soon is the caller spoken to again, and is it billed once?
struct BenchTakeover: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "takeover",
        abstract: "kill -9 of a call's worker at seeded points of an appointment call.")

    @Option(help: "Calls, each losing its worker once.") var kills = 20
    @Option(help: "Draws callers and moments.") var seed: UInt64 = 1
    @Option(help: "Where logs and keys go.") var directory = ".parley/bench"

    /// The kill comes this many milliseconds after the greeting began.
    static let killWindowMs = 500..<30_000
    static let speakAgainMsMax = 3000
    static let settleLimit: Duration = .seconds(10)

    struct Outcome {
        var killedAtMs: Int
        var gapMs: Int?
        var settleMs: Int?
        var isBooked: Bool
        var isBilledOnce: Bool
        var heldNanos: String
    }

    func run() async throws {
        let needs = BenchWorld.Needs(name: "Takeover", workers: 2, capacity: 20) { outside in
            try ExampleAgent.body(
                "appointment-desk", toolURL: outside.sink.url,
                directory: FileManager.default.currentDirectoryPath)
        }
        let world = try await BenchWorld.start(needs, directory: directory)
        do {
            var random = SeededGenerator(seed: seed)
            var outcomes: [Outcome] = []
            for number in 0..<kills {
                let at = Self.killWindowMs.lowerBound + Int(random.next() % UInt64(Self.killWindowMs.count))
                BenchWorld.progress("call \(number + 1) of \(kills), its worker dies after \(at) ms")
                outcomes.append(try await one(number, killAfterMs: at, world))
            }
            await world.stop()
            BenchWorld.progress("")
            report(outcomes)
        } catch {
            await world.stop()
            throw error
        }
    }

    private func one(_ number: Int, killAfterMs: Int, _ world: BenchWorld) async throws -> Outcome {
        let from = "+1646555\(1000 + number)"
        let appointment = AppointmentPersona(seed: seed &* 1000 &+ UInt64(number))
        let placed = try await world.outside.phoneForAppointment(
            appointment, from: from, to: world.tenant.number)
        let callID = try await world.call(from: from)
        try await Task.sleep(for: .milliseconds(killAfterMs))
        let before = await placed.observation()
        let index = world.workerIndex(of: before)
        await world.platform.killWorker(index)
        async let restarted: Void = world.platform.startWorker(index)
        let seen = await placed.ended()
        let over = ContinuousClock.now
        try await restarted
        let call = try await world.ended(callID, within: Self.settleLimit)
        let settled = ContinuousClock.now - over
        let wallet = try await world.tenant.api.get("/v1/wallet")
        let resumed = seen.streams.count > 1 ? seen.streams[1].startedMs : nil
        let again = resumed.flatMap { start in
            seen.heard.first { $0.endMs >= start }.map { max($0.startMs, start) }
        }
        let lostAt = seen.streams.first?.endedMs
        return Outcome(
            killedAtMs: killAfterMs, gapMs: again.flatMap { heard in lostAt.map { heard - $0 } },
            settleMs: call == nil ? nil : Int(settled.milliseconds),
            isBooked: world.outside.sink.received.contains {
                $0.isRight && $0.expected == appointment.expected
            },
            isBilledOnce: call?["cost"]?.string.flatMap(Money.init(decimal:)).map { $0 > .zero } ?? false,
            heldNanos: wallet["held"]?.string ?? "?")
    }

    private func report(_ outcomes: [Outcome]) {
        var table = Table(
            header: ["killed at ms", "spoken to again ms", "settled ms", "booked", "billed", "held after"],
            numeric: [0, 1, 2, 5])
        for outcome in outcomes {
            table.rows.append([
                "\(outcome.killedAtMs)", outcome.gapMs.map(String.init) ?? "–",
                outcome.settleMs.map(String.init) ?? "–",
                outcome.isBooked ? "yes" : "no", outcome.isBilledOnce ? "yes" : "no", outcome.heldNanos,
            ])
        }
        print(table.rendered())
        let gaps = outcomes.compactMap(\.gapMs).sorted()
        let settles = outcomes.compactMap(\.settleMs).sorted()
        let inTime = gaps.filter { $0 <= Self.speakAgainMsMax }.count
        print(
            "{\"kills\":\(outcomes.count),\"spoken_to_again\":\(gaps.count),\"within_3_s\":\(inTime),"
                + "\"gap_ms_p50\":\(gaps.isEmpty ? -1 : gaps[gaps.count / 2]),\"gap_ms_max\":\(gaps.last ?? -1),"
                + "\"settled\":\(settles.count),\"settle_ms_max\":\(settles.last ?? -1),"
                + "\"billed\":\(outcomes.filter(\.isBilledOnce).count),\"booked\":\(outcomes.filter(\.isBooked).count),"
                + "\"nothing_held\":\(outcomes.allSatisfy { Money(decimal: $0.heldNanos) == .zero })}")
    }
}

extension BenchWorld {
    /// Which worker carries the call, told by the port of its media socket.
    func workerIndex(of seen: CallObservation) -> Int {
        let url = seen.streams.last?.url ?? ""
        return platform.layout.mediaPorts.firstIndex { url.contains(":\($0)/") } ?? 0
    }
}
