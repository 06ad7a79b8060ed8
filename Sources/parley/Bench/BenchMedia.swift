import ArgumentParser
import Base
import Foundation
import VendorSim

struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measurements that end in one line of JSON.",
        subcommands: [
            BenchMedia.self, BenchTakeover.self, BenchQueue.self, BenchRestarts.self, BenchVAD.self,
            BenchTurns.self, BenchModels.self, BenchCalls.self,
        ])
}

/// Many keypad calls at once through one worker process: is the media loop sound?
struct BenchMedia: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "media",
        abstract: "Calls with a keypad-only flow through one worker, against the simulated carrier.")

    @Option(help: "Calls at once.") var calls = 100
    @Option(help: "Seconds each call lasts, about.") var seconds = 40
    @Option(help: "Where logs and keys go.") var directory = ".parley/bench"

    /// Calls are started this far apart, so that set-up is not what is measured.
    static let startInterval: Duration = .milliseconds(100)
    static let warmUp: Duration = .seconds(3)
    static let menuSeconds = 4

    func run() async throws {
        let world = try await BenchWorld.start(
            BenchWorld.Needs(name: "Bench", capacity: calls + 10, keepsAudio: false) { _ in Self.keypadAgent
            },
            directory: directory)
        do {
            let result = try await measure(world)
            await world.stop()
            BenchWorld.progress("")
            report(result)
        } catch {
            await world.stop()
            throw error
        }
    }

    struct Result {
        var observations: [CallObservation]
        var failed: Int
        var cpuMsPerCallSecond: Double
        var residentMBPerCall: Double
        var idleMB: Double
    }

    private func measure(_ world: BenchWorld) async throws -> Result {
        let presses = max(1, seconds / Self.menuSeconds)
        let persona = Persona.keypad(Array(repeating: "1", count: presses) + ["9"])
        let worker = await world.platform.processID(ofWorker: 0)
        guard let idle = ProcessUsage(of: worker) else { throw DemoFailure("the worker is gone") }
        var placed: [PlacedCall] = []
        for index in 0..<calls {
            placed.append(
                try await world.outside.carrier.placeInbound(
                    from: "+1212\(5_550_000 + index)", to: world.tenant.number, persona: persona))
            try await Task.sleep(for: Self.startInterval)
            if index % 10 == 9 { BenchWorld.progress("\(index + 1) of \(calls) calls up") }
        }
        try await Task.sleep(for: Self.warmUp)
        let start = ContinuousClock.now
        guard let before = ProcessUsage(of: worker) else { throw DemoFailure("the worker is gone") }
        let startingMs = Int(Self.startInterval.milliseconds) * calls + Int(Self.warmUp.milliseconds)
        let window = max(5, seconds - startingMs / 1000 - 5)
        for second in 0..<window {
            try await Task.sleep(for: .seconds(1))
            BenchWorld.progress("measuring, \(second + 1) of \(window) s")
        }
        guard let after = ProcessUsage(of: worker) else { throw DemoFailure("the worker is gone") }
        let elapsed = Double((ContinuousClock.now - start).milliseconds) / 1000
        var observations: [CallObservation] = []
        for call in placed { observations.append(await call.ended()) }
        let failed = observations.filter { $0.pressed.last != "9" || $0.streams.count != 1 }
        return Result(
            observations: observations, failed: failed.count,
            cpuMsPerCallSecond: Double(after.cpuMs - before.cpuMs) / elapsed / Double(calls),
            residentMBPerCall: Double(after.residentBytes - idle.residentBytes) / 1_048_576 / Double(calls),
            idleMB: Double(idle.residentBytes) / 1_048_576)
    }

    private func report(_ result: Result) {
        let frames = result.observations.reduce(0) { $0 + $1.framesPlayed }
        let late = result.observations.reduce(0) { $0 + $1.lateFrames }
        let first = result.observations.compactMap(\.firstSoundMs).sorted()
        let clock = result.observations.map(\.clockLateMaxMs).max() ?? 0
        func share(_ value: Double) -> String { String(format: "%.4f", value) }
        print(
            "{\"calls\":\(calls),\"failed_calls\":\(result.failed),\"late_frames\":\(late),\"frames\":\(frames),"
                + "\"late_frame_share\":\(share(frames == 0 ? 1 : Double(late) / Double(frames))),"
                + "\"cpu_ms_per_call_s\":\(share(result.cpuMsPerCallSecond)),"
                + "\"rss_mb_per_call\":\(share(result.residentMBPerCall)),\"idle_rss_mb\":\(share(result.idleMB)),"
                + "\"first_sound_ms_p50\":\(first.isEmpty ? -1 : first[first.count / 2]),"
                + "\"first_sound_ms_max\":\(first.last ?? -1),\"generator_clock_late_ms_max\":\(clock)}")
    }

    /// Says a line, waits for a key, says it again; 9 ends the call.
    static let keypadAgent: JSON = [
        "name": "Keypad",
        "definition": [
            "speaks_first": "agent",
            "flow": [
                "start": "menu",
                "nodes": [
                    [
                        "id": "menu", "say": "Press one to hear this again, or nine to end the call.",
                        "expect": ["kind": "digits", "min": 1, "max": 1],
                        "edges": [
                            ["when": ["digits": "9"], "to": "bye"], ["when": "matched", "to": "menu"],
                        ],
                    ],
                    ["id": "bye", "say": "Goodbye.", "end": true],
                ],
            ],
        ],
    ]
}
