import ArgumentParser
import Base
import Foundation
import HTTPClient
import Logging
import VendorSim

/// A real spoken call with nothing from outside: what `make demo` runs once everything is built and migrated.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "A simulated caller phones an appointment desk, over real sockets, and must be booked in.")

    @Option(help: "Draws the caller's name, day and number.") var seed: UInt64 = 7
    @Option(help: "Callers at once.") var calls = 1
    @Option(help: "Worker processes.") var workers = 1
    @Option(help: "Where logs, recordings and keys go.") var directory = ".parley/demo"
    @Flag(help: "Leave everything running afterwards, on ports 8080 and 8081.") var stay = false

    static let callLimit: Duration = .seconds(150)
    static let callsMax = 100

    func validate() throws {
        guard (1...Self.callsMax).contains(calls) else {
            throw ValidationError("--calls takes 1 to \(Self.callsMax)")
        }
        guard (1...8).contains(workers) else { throw ValidationError("--workers takes 1 to 8") }
    }

    func run() async throws {
        let logger = LogSetup.bootstrap(verbose: false, level: .critical)
        let started = ContinuousClock.now
        let http = HTTPClient(addresses: .anyAddress, logger: logger)
        var carrier = SimulatedCarrier.Configuration()
        carrier.earThreads = 2
        var world = SimulatedWorld.Configuration()
        world.carrier = carrier
        let outside = try await SimulatedWorld.start(world, logger: logger)
        let platform = try DemoPlatform(layout: layout(), http: http)
        let stopper = Stopper { await platform.stop() }
        defer { stopper.disarm() }
        do {
            let isBooked = try await play(outside, platform, http, since: started)
            if stay { try await leaveRunning(outside, platform) }
            await platform.stop()
            await outside.stop()
            guard isBooked else { throw ExitCode(1) }
        } catch let failure as DemoFailure {
            print("demo failed: \(failure)\nlogs: \(platform.layout.directory)/*.log")
            await platform.stop()
            throw ExitCode(1)
        }
    }

    private func layout() throws -> DemoPlatform.Layout {
        let path = DemoPlatform.absolute(directory)
        let control = stay ? 8080 : try DemoPlatform.freePort()
        let media = stay ? [8081] : try (0..<workers).map { _ in try DemoPlatform.freePort() }
        return DemoPlatform.Layout(controlPort: control, mediaPorts: media, directory: path)
    }

    /// - Returns: whether every caller was booked in with the right name, day and number.
    private func play(
        _ outside: SimulatedWorld, _ platform: DemoPlatform, _ http: HTTPClient,
        since started: ContinuousClock.Instant
    ) async throws -> Bool {
        print(
            "starting control plane and \(workers == 1 ? "media worker" : "\(workers) media workers") as separate processes …"
        )
        try await platform.start()
        let tenant = try await setUp(outside, platform, http)
        let offer = try await offer(outside, tenant)
        print("tenant, agent, number and key made through the REST API (\(seconds(since: started)) s)")
        print("the voices are stand-ins: PocketSphinx listens, flite speaks\n")
        let isBooked =
            calls == 1
            ? try await one(outside, platform, tenant) : try await many(outside, tenant)
        if let offer {
            print(offer.lines(url: platform.controlURL, key: tenant.key, isLeftRunning: stay))
        }
        print("\nthe whole demo took \(seconds(since: started)) s")
        return isBooked
    }

    private func setUp(_ outside: SimulatedWorld, _ platform: DemoPlatform, _ http: HTTPClient) async throws
        -> DemoTenant
    {
        let operatorAPI = APIClient(
            client: http, baseURL: platform.controlURL, key: platform.secrets.operatorKey, tenant: nil)
        let agent = try ExampleAgent.body(
            "appointment-desk", toolURL: outside.sink.url, directory: Self.repository)
        let plan = DemoTenant.Plan(name: "Demo clinic", agent: agent, number: DemoTenant.freshNumber())
        return try await DemoTenant.create(
            plan, operatorAPI: operatorAPI, carrier: outside.carrier, publicURL: platform.controlURL)
    }

    /// The prompt agent, if the environment has an account for its model.
    private func offer(_ outside: SimulatedWorld, _ tenant: DemoTenant) async throws -> PromptOffer? {
        guard let account = ModelAccount() else { return nil }
        return try await PromptOffer.create(
            account, toolURL: outside.sink.url, directory: Self.repository, api: tenant.api)
    }

    private static var repository: String { FileManager.default.currentDirectoryPath }

    // MARK: one call, shown

    private func one(_ outside: SimulatedWorld, _ platform: DemoPlatform, _ tenant: DemoTenant) async throws
        -> Bool
    {
        let appointment = AppointmentPersona(seed: seed)
        let from = Self.callerNumber(0)
        let wanted = appointment.expected
        print(
            "seed \(seed): \(wanted.name) wants \(wanted.day.spoken), number \(wanted.phone), and phones \(tenant.number)\n"
        )
        let call = try await outside.phoneForAppointment(appointment, from: from, to: tenant.number)
        let callID = try await find(from, tenant)
        let view = DemoView(api: tenant.api, callID: callID)
        let turns = try await view.follow(limit: Self.callLimit)
        let heard = await call.ended()
        let record = try await tenant.api.get("/v1/calls/\(callID)")
        let recording = platform.layout.directory + "/\(callID).wav"
        try Data(try await tenant.api.bytes("/v1/calls/\(callID)/recording")).write(
            to: URL(filePath: recording))
        print("\nWhat each answer took, in milliseconds from the end of the caller's speech:\n")
        print(DemoView.stageTable(turns))
        print(
            "\n  first sound of the greeting \(heard.firstSoundMs.map { "\($0) ms" } ?? "never") after media started, "
                + "\(heard.lateFrames) of \(heard.framesPlayed) frames late")
        print("\nWhat it cost:\n")
        print(DemoView.costTable(record))
        let isBooked = outside.sink.received.count == 1 && outside.sink.isAllRight
        if !isBooked { print("\n" + callerSide(heard)) }
        print("\n" + verdict(outside.sink.received.first, wanted: wanted))
        print("recording: \(recording) (left the caller, right what the caller heard)\n")
        showCommands(callID, tenant, platform)
        return isBooked
    }

    /// What the caller understood and said: where a call that went wrong went wrong.
    private func callerSide(_ seen: CallObservation) -> String {
        let lines = (seen.heard.map { ("heard", $0) } + seen.said.map { ("said ", $0) }).sorted {
            $0.1.startMs < $1.1.startMs
        }
        let ending = "  the call ended: \(seen.endedBy)"
        return "The caller's side:\n"
            + lines.map { "  \($0.1.startMs)–\($0.1.endMs) ms \($0.0) “\($0.1.text)”" }.joined(
                separator: "\n") + "\n" + ending
    }

    private func verdict(_ received: ToolSink.Received?, wanted: Booking) -> String {
        guard let received else { return "NOT BOOKED: the tool was never called" }
        let what = "\(received.name ?? "–"), \(received.day ?? "–"), \(received.phone ?? "–")"
        if received.isRight { return "BOOKED: \(what), as the caller wanted" }
        return "WRONGLY BOOKED: \(what); differs in \(received.differences.joined(separator: ", "))"
    }

    private func showCommands(_ callID: String, _ tenant: DemoTenant, _ platform: DemoPlatform) {
        let auth = "-H 'Authorization: Bearer \(tenant.key)'"
        print("look at it (\(stay ? "while this runs" : "`make serve` keeps a platform running for this")):")
        for path in ["", "/transcript", "/events"] {
            print("  curl -s \(platform.controlURL)/v1/calls/\(callID)\(path) \(auth)")
        }
        print("  curl -s '\(platform.controlURL)/v1/usage?group_by=component' \(auth)")
        print("  .build/release/parley replay \(callID) --url \(platform.controlURL) --key \(tenant.key)")
    }

    // MARK: many calls, judged

    private func many(_ outside: SimulatedWorld, _ tenant: DemoTenant) async throws -> Bool {
        print("\(calls) callers phone at once …")
        let personas = (0..<calls).map { AppointmentPersona(seed: seed &+ UInt64($0)) }
        let results = try await withThrowingTaskGroup(of: (Int, CallObservation).self) { group in
            for (index, persona) in personas.enumerated() {
                group.addTask {
                    let call = try await outside.phoneForAppointment(
                        persona, from: Self.callerNumber(index), to: tenant.number)
                    return (index, await call.ended())
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        var table = Table(
            header: ["caller", "wanted", "booked", "first sound ms", "late frames", "s"], numeric: [3, 4, 5])
        var right = 0
        for (index, persona) in personas.enumerated() {
            let wanted = persona.expected
            let booking = outside.sink.received.first { $0.expected == wanted && $0.isRight }
            let leaks = try await foreignWords(in: Self.callerNumber(index), of: index, personas, tenant)
            right += booking != nil && leaks.isEmpty ? 1 : 0
            let seen = results[index]
            table.rows.append([
                wanted.name, "\(wanted.day.spoken) \(wanted.phone)",
                booking == nil ? "NO" : leaks.isEmpty ? "yes" : "heard \(leaks.joined(separator: ","))",
                seen?.firstSoundMs.map(String.init) ?? "–", "\(seen?.lateFrames ?? 0)",
                "\((seen?.durationMs ?? 0) / 1000)",
            ])
        }
        print(table.rendered())
        print(
            "\n\(right) of \(calls) booked right, none with another's words: \(right == calls ? "yes" : "no")"
        )
        return right == calls && outside.sink.received.count == calls
    }

    /// Phone numbers of other callers that appear in this caller's transcript.
    private func foreignWords(
        in from: String, of index: Int, _ personas: [AppointmentPersona], _ tenant: DemoTenant
    ) async throws -> [String] {
        let callID = try await find(from, tenant)
        let turns = try await DemoView(api: tenant.api, callID: callID).transcript()
        let digits = turns.compactMap { $0["text"]?.string }.joined(separator: " ").filter(\.isNumber)
        return personas.enumerated().filter {
            $0.offset != index && digits.contains($0.element.expected.phone)
        }
        .map { $0.element.expected.phone }
    }

    private static func callerNumber(_ index: Int) -> String { "+1212555\(1000 + index)" }

    private func find(_ from: String, _ tenant: DemoTenant) async throws -> String {
        let limit = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < limit {
            if let call = try await tenant.calls(from: from).first { return try call.text("id") }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw DemoFailure("the call never reached the platform")
    }

    private func leaveRunning(_ outside: SimulatedWorld, _ platform: DemoPlatform) async throws {
        outside.carrier.subscribeAnybody(AppointmentPersona(seed: seed).persona)
        print("\nleft running: API \(platform.controlURL), operator key in \(directory)/operator-key")
        print(
            "numbers you call with POST /v1/calls are answered by the simulated caller; Ctrl-C ends everything"
        )
        try await Task.sleep(for: .seconds(7 * 86_400))
    }

    private func seconds(since start: ContinuousClock.Instant) -> String {
        let tenths = (ContinuousClock.now - start).milliseconds / 100
        return "\(tenths / 10).\(tenths % 10)"
    }
}

/// Ends the child processes when the demonstration is interrupted from the keyboard.
final class Stopper {
    private let sources: [any DispatchSourceSignal]

    init(_ stop: @escaping @Sendable () async -> Void) {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                Task {
                    await stop()
                    exit(130)
                }
            }
            source.activate()
            return source
        }
    }

    func disarm() { for source in sources { source.cancel() } }
}
