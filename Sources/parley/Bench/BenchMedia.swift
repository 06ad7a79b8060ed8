import ArgumentParser
import Base
import Foundation
import VendorSim

struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measurements that end in one line of JSON.",
        subcommands: [
            BenchMedia.self, BenchTakeover.self, BenchQueue.self, BenchRestarts.self, BenchVAD.self,
            BenchTurns.self, BenchModels.self, BenchCuts.self, BenchCalls.self, BenchChurn.self,
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
        var load: WorkerLoad
        var failed: Int
    }

    private func measure(_ world: BenchWorld) async throws -> Result {
        let presses = max(1, seconds / Self.menuSeconds)
        let persona = Persona.keypad(Array(repeating: "1", count: presses) + ["9"])
        let load = try await WorkerLoad.measure(
            world, calls: calls, persona, startEvery: Self.startInterval, warmUp: Self.warmUp,
            seconds: seconds)
        let failed = load.observations.filter { $0.pressed.last != "9" || $0.streams.count != 1 }
        return Result(load: load, failed: failed.count)
    }

    private func report(_ result: Result) {
        let frames = result.load.observations.reduce(0) { $0 + $1.framesPlayed }
        let late = result.load.observations.reduce(0) { $0 + $1.lateFrames }
        let first = result.load.observations.compactMap(\.firstSoundMs).sorted()
        let clock = result.load.observations.map(\.clockLateMaxMs).max() ?? 0
        func share(_ value: Double) -> String { String(format: "%.4f", value) }
        print(
            "{\"calls\":\(calls),\"failed_calls\":\(result.failed),\"late_frames\":\(late),\"frames\":\(frames),"
                + "\"late_frame_share\":\(share(frames == 0 ? 1 : Double(late) / Double(frames))),"
                + "\"cpu_ms_per_call_s\":\(share(result.load.cpuMsPerCallSecond)),"
                + "\"rss_mb_per_call\":\(share(result.load.residentMBPerCall)),\"idle_rss_mb\":\(share(result.load.idleMB)),"
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
