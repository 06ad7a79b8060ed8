import Base
import VendorSim

/// So many calls at once through the first worker of a world, and what that cost it.
struct WorkerLoad {
    /// Before the calls begin to end.
    private static let tailSeconds = 5
    private static let windowSecondsMin = 5

    var observations: [CallObservation] = []
    var cpuMsPerCallSecond = 0.0
    var residentMBPerCall = 0.0
    /// Before the first call.
    var idleMB = 0.0

    /// `seconds`: how long each call lasts, about. CPU is counted while all of them are up.
    static func measure(
        _ world: BenchWorld, calls: Int, _ persona: Persona, startEvery interval: Duration, warmUp: Duration,
        seconds: Int
    ) async throws -> WorkerLoad {
        let idle = try await world.workerUsage()
        var placed: [PlacedCall] = []
        for index in 0..<calls {
            placed.append(
                try await world.outside.carrier.placeInbound(
                    from: "+1212\(5_550_000 + index)", to: world.tenant.number, persona: persona))
            try await Task.sleep(for: interval)
            if index % 10 == 9 { BenchWorld.progress("\(index + 1) of \(calls) calls up") }
        }
        try await Task.sleep(for: warmUp)
        let (start, before) = (ContinuousClock.now, try await world.workerUsage())
        let startingMs = Int(interval.milliseconds) * calls + Int(warmUp.milliseconds)
        let window = max(windowSecondsMin, seconds - startingMs / 1000 - tailSeconds)
        for second in 0..<window {
            try await Task.sleep(for: .seconds(1))
            BenchWorld.progress("\(calls) calls, \(second + 1) of \(window) s measured")
        }
        let after = try await world.workerUsage()
        let elapsed = Double((ContinuousClock.now - start).milliseconds) / 1000
        var load = WorkerLoad()
        for call in placed { load.observations.append(await call.ended()) }
        load.cpuMsPerCallSecond = Double(after.cpuMs - before.cpuMs) / elapsed / Double(calls)
        load.residentMBPerCall = Double(after.residentBytes - idle.residentBytes) / 1_048_576 / Double(calls)
        load.idleMB = Double(idle.residentBytes) / 1_048_576
        return load
    }
}
