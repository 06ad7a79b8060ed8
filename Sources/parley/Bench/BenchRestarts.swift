import ArgumentParser
import Base
import Foundation
import VendorSim

/// Redis and PostgreSQL die and come back in mid-call: the call must go on, book, and be settled once.
struct BenchRestarts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restarts",
        abstract: "Redis and PostgreSQL killed and started again in the middle of appointment calls.",
        discussion:
            "Kills the services of PARLEY_HOME, which must be set: `make bench-restarts` starts some of its own."
    )

    @Option(help: "Calls, one after another.") var calls = 2
    @Option(help: "Draws callers and moments.") var seed: UInt64 = 1
    @Option(help: "Where logs and keys go.") var directory = ".parley/bench"

    /// Each service is killed this many milliseconds after the last step.
    static let killWindowMs = 4000..<8000
    static let settleLimit: Duration = .seconds(10)

    struct Outcome {
        var isBooked: Bool
        var lateFrames: Int
        var streams: Int
        /// Of the carrier's last word; nil when the call was never settled.
        var settleMs: Int?
        var cost: Money
        var endings: Int
    }

    func validate() throws {
        guard ProcessInfo.processInfo.environment["PARLEY_HOME"] != nil else {
            throw ValidationError("PARLEY_HOME is not set: whose services may be killed?")
        }
    }

    func run() async throws {
        let needs = BenchWorld.Needs(name: "Restarts", capacity: 20) { outside in
            try ExampleAgent.body(
                "appointment-desk", toolURL: outside.sink.url,
                directory: FileManager.default.currentDirectoryPath)
        }
        let world = try await BenchWorld.start(needs, directory: directory)
        do {
            let before = try await balance(world)
            var random = SeededGenerator(seed: seed)
            var outcomes: [Outcome] = []
            for number in 0..<calls { outcomes.append(try await one(number, &random, world)) }
            let spent = before - (try await balance(world))
            let held = try await world.tenant.api.get("/v1/wallet").text("held")
            await world.stop()
            BenchWorld.progress("")
            report(outcomes, spent: spent, held: held)
        } catch {
            await world.stop()
            throw error
        }
    }

    private func one(_ number: Int, _ random: inout SeededGenerator, _ world: BenchWorld) async throws
        -> Outcome
    {
        let from = "+1646555\(3000 + number)"
        let appointment = AppointmentPersona(seed: seed &* 1000 &+ UInt64(number))
        let placed = try await world.outside.phoneForAppointment(
            appointment, from: from, to: world.tenant.number)
        let callID = try await world.call(from: from)
        for service in ["redis", "postgres"] {
            let pause = Self.killWindowMs.lowerBound + Int(random.next() % UInt64(Self.killWindowMs.count))
            BenchWorld.progress("call \(number + 1) of \(calls), \(service) dies in \(pause) ms")
            try await Task.sleep(for: .milliseconds(pause))
            try services("kill-\(service)")
            try services("start")
        }
        let seen = await placed.ended()
        let over = ContinuousClock.now
        let call = try await world.ended(callID, within: Self.settleLimit)
        let settled = ContinuousClock.now - over
        let events = try await world.tenant.api.get("/v1/calls/\(callID)/events")["data"]?.array ?? []
        return Outcome(
            isBooked: world.outside.sink.received.contains {
                $0.isRight && $0.expected == appointment.expected
            },
            lateFrames: seen.lateFrames, streams: seen.streams.count,
            settleMs: call == nil ? nil : Int(settled.milliseconds),
            cost: call?["cost"]?.string.flatMap(Money.init(decimal:)) ?? .zero,
            endings: events.count { $0["type"] == "ended" })
    }

    private func services(_ command: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "deploy/services")
        process.arguments = [command]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw DemoFailure("deploy/services \(command) failed") }
    }

    private func balance(_ world: BenchWorld) async throws -> Money {
        let text = try await world.tenant.api.get("/v1/wallet").text("balance")
        guard let money = Money(decimal: text) else { throw DemoFailure("no amount: \(text)") }
        return money
    }

    private func report(_ outcomes: [Outcome], spent: Money, held: String) {
        let cost = outcomes.map(\.cost).reduce(.zero, +)
        let isSettledOnce = cost > .zero && cost == spent && outcomes.allSatisfy { $0.endings == 1 }
        print(
            "{\"calls\":\(outcomes.count),\"restarts\":\(outcomes.count * 2),"
                + "\"went_on\":\(outcomes.count { $0.streams == 1 }),"
                + "\"booked\":\(outcomes.count(where: \.isBooked)),"
                + "\"late_frames\":\(outcomes.reduce(0) { $0 + $1.lateFrames }),"
                + "\"settled\":\(outcomes.count { $0.settleMs != nil }),"
                + "\"settle_ms_max\":\(outcomes.compactMap(\.settleMs).max() ?? -1),"
                + "\"settled_once\":\(isSettledOnce),\"nothing_held\":\(Money(decimal: held) == .zero)}")
    }
}
