import ArgumentParser
import Base
import Foundation
import HTTPClient
import Logging
import NIOCore
import NIOPosix
import Speech
import VendorSim
import WebSockets

/// Spoken calls through one worker process against simulated vendors over TLS: how soon, how many, at what cost.
struct BenchCalls: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calls",
        abstract:
            "Spoken calls through a worker of its own process and core, vendors over TLS; ends in one line of JSON."
    )

    @Option(help: "Calls at once when CPU and memory are measured.") var calls = 200
    @Option(help: "Calls at once when latency is measured, beside the floor.") var latencyCalls = 50
    @Option(help: "Seconds each measurement lasts, about.") var duration = 45
    @Flag(help: "Vendors' delays vary (log-normal) instead of being fixed.") var spread = false
    @Option(help: "Where logs, keys and recordings go.") var directory = ".parley/bench-calls"

    /// Calls that the growth of a call's CPU is counted from.
    static let fewCalls = 20
    static let startInterval: Duration = .milliseconds(50)
    static let warmUp: Duration = .seconds(5)
    static let floorBots = 4
    static let cores = (workers: 1, others: 0)

    func run() async throws {
        let persona = RecitedCall.persona(turns: max(4, duration / 4))
        let known = try await KnownSpeech.of(persona)
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let spoken = try await SpokenWorld.start(
            spread ? .spread : .fixed, known: known, capacity: calls + Self.fewCalls, cores: Self.cores,
            directory: directory, logger: logger)
        do {
            // Generator, vendors and control plane share one core, the worker has the other.
            try VendorGround.run(
                "taskset", ["-apc", "\(Self.cores.others)", "\(ProcessInfo.processInfo.processIdentifier)"])
            let few = try await measure(spoken.world, calls: Self.fewCalls, persona)
            async let floors = floor(spoken.vendors, known, logger: logger)
            let some = try await measure(spoken.world, calls: latencyCalls, persona)
            let floor = try await floors
            let many = try await measure(spoken.world, calls: calls, persona)
            await spoken.stop()
            BenchWorld.progress("")
            print(report(few, some, many, floor).text)
        } catch {
            await spoken.stop()
            throw error
        }
    }

    struct Load {
        var calls: [RecitedCall]
        var worker: WorkerLoad
    }

    private func measure(_ world: BenchWorld, calls: Int, _ persona: Persona) async throws -> Load {
        let load = try await WorkerLoad.measure(
            world, calls: calls, persona, startEvery: Self.startInterval, warmUp: Self.warmUp,
            seconds: duration)
        world.outside.carrier.forgetEndedCalls()
        return Load(calls: load.observations.map { RecitedCall($0) }, worker: load)
    }

    /// Turns without inner pauses, answered by bots that only wait.
    private func floor(_ vendors: VendorGround, _ known: [KnownSpeech], logger: Logger) async throws
        -> [Double]
    {
        try await Task.sleep(for: Self.warmUp)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let key = Redacted("simulated-key")
        let http = HTTPClient(addresses: .anyAddress, caFile: vendors.caFile, logger: logger)
        let reach = WebSocketReach(addresses: .anyAddress, caFile: vendors.caFile)
        let model = OpenAIChatModel(
            ModelEndpoint(vendor: "openai", key: key, baseURL: vendors.llm.url, http: http))
        let whole = known.filter { RecitedCall.whole.contains($0.words.joined(separator: " ")) }
        var times: [Double] = []
        let bots = try await loop.submit {
            (0..<Self.floorBots).map { _ in
                FloorBot(
                    DeepgramSpeechToText(
                        access: VendorAccess(key: key, baseURL: vendors.stt.url),
                        options: DeepgramOptions(), reach: reach),
                    model,
                    SocketTextToSpeech.cartesia(
                        access: VendorAccess(key: key, baseURL: vendors.tts.url),
                        options: CartesiaOptions(), reach: reach), voice: SpokenWorld.voice, on: loop)
            }
        }.get()
        for round in 0..<max(4, duration / 4) {
            let speech = whole[round % whole.count].audio
            let turns = try await loop.submit { bots.map { $0.turn(speech, tailMs: RecitedCall.tailMs) } }
                .get()
            // The first has handshakes in it.
            for turn in turns { if let time = try await turn.get(), round > 0 { times.append(time) } }
        }
        try await loop.submit { for bot in bots { bot.close() } }.get()
        await http.close()
        return times
    }

    private func report(_ few: Load, _ some: Load, _ many: Load, _ floor: [Double]) -> JSON {
        let plain = some.calls.flatMap(\.answersMs).map(Double.init)
        let hesitating = some.calls.flatMap(\.hesitatingMs).map(Double.init)
        let silent = some.calls.flatMap(\.silentMs).map(Double.init)
        let all = plain + hesitating
        let frames = many.calls.reduce(0) { $0 + $1.frames }
        let late = many.calls.reduce(0) { $0 + $1.lateFrames }
        func share(over ms: Double) -> JSON {
            all.isEmpty ? nil : .double(Self.short(Double(all.count { $0 > ms }) / Double(all.count)))
        }
        func count(_ loads: [Load], _ value: (RecitedCall) -> Int) -> JSON {
            .int(Int64(loads.reduce(0) { $0 + $1.calls.reduce(0) { $0 + value($1) } }))
        }
        return .object([
            "calls": .int(Int64(calls)), "latency_calls": .int(Int64(latencyCalls)),
            "delays": .string(spread ? "log-normal" : "fixed"),
            "voice_to_voice_ms_p50": plain.percentile(50),
            "voice_to_voice_ms_p95": plain.percentile(95),
            "hesitating_ms_p50": hesitating.percentile(50),
            "floor_ms_p50": floor.percentile(50), "floor_ms_p95": floor.percentile(95),
            "over_800_ms": share(over: 800), "over_1200_ms": share(over: 1200),
            "silent_ms_p95": silent.percentile(95),
            "cpu_ms_per_call_s": .double(Self.short(many.worker.cpuMsPerCallSecond)),
            "rss_mb_per_call": .double(Self.short(many.worker.residentMBPerCall)),
            "late_frames": .double(Self.short(frames == 0 ? 1 : Double(late) / Double(frames))),
            "turns": count([some], \.turns), "turns_with_gaps": count([some, many], \.gaps),
            "failed_turns": count([few, some, many], \.failedTurns),
            "cut_turns": count([few, some, many], \.cutTurns),
            "cpu_growth_20_to_200": .double(
                Self.short(many.worker.cpuMsPerCallSecond / max(few.worker.cpuMsPerCallSecond, 0.001) - 1)),
            "generator_clock_late_ms_max": .int(
                Int64((some.calls + many.calls).map(\.clockLateMs).max() ?? 0)),
        ])
    }

    private static func short(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }
}
