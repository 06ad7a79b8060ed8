import Base
import HTTPClient
package import Logging
import NIOCore
import NIOPosix
import OfflineVoices
import Synchronization

/// A telephone company on loopback that speaks Twilio's REST, webhooks and Media Streams from the outside.
///
/// Owns: lines, numbers, callers' ears and voices, what a caller heard. Does not own: anything of the
/// platform;
/// it knows the platform only by the URLs it is given. Calls never share state but the 20 ms clock of their
/// loop.
package final class SimulatedCarrier: Sendable {
    package struct Configuration: Sendable {
        /// 0 takes a free port.
        package var port = 0
        package var account = CarrierAccount.test
        /// Event loops the calls are spread over.
        package var loops = 1
        /// Recogniser threads for callers that listen.
        package var earThreads = 2
        /// The voice of `<Say>`.
        package var sayVoice = "awb"
        /// Keep both tracks of every call; switch off for hundreds of calls at once.
        package var keepsAudio = true
        package init() {}
    }

    /// Most calls at once, and most finished ones remembered.
    static let callsMax = 10_000

    package let port: Int
    package let account: CarrierAccount
    package var url: String { "http://127.0.0.1:\(port)" }

    let tools: CarrierTools
    let state = Mutex(State())
    private let configuration: Configuration
    private let group: MultiThreadedEventLoopGroup
    private let tickers: [(loop: any EventLoop, ticker: CallTicker)]
    private let ears: OfflineRecognizer
    private let server: LocalServer

    struct State {
        var numbers: [String: CarrierNumber] = [:]
        var people: [String: Persona] = [:]
        var anybody = Persona.silent
        var calls: [String: PlacedCall] = [:]
        var placed = 0
        var createFaults: [RESTFault] = []
        var callTimeLimit: Duration = .seconds(4 * 3600)
        var watch: CallWatcher?
        var isStopped = false
    }

    package static func start(
        _ configuration: Configuration = Configuration(), logger: Logger
    ) async throws -> SimulatedCarrier {
        let desk = Desk()
        let server = try await LocalServer.start(port: configuration.port, logger: logger) { request in
            await desk.answer(request)
        }
        let tools = CarrierTools(
            account: configuration.account, sayVoice: configuration.sayVoice,
            http: HTTPClient(addresses: .anyAddress, logger: logger), voices: PersonaVoices())
        let carrier = SimulatedCarrier(configuration, tools: tools, server: server)
        desk.open(carrier)
        return carrier
    }

    private init(_ configuration: Configuration, tools: CarrierTools, server: LocalServer) {
        self.configuration = configuration
        self.tools = tools
        self.server = server
        account = configuration.account
        port = server.port
        group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, configuration.loops))
        tickers = group.makeIterator().map { ($0, CallTicker(loop: $0)) }
        ears = OfflineRecognizer(threads: configuration.earThreads)
    }

    /// Hangs up every call and closes the ports.
    package func stop() async {
        let calls = state.withLock {
            $0.isStopped = true
            return Array($0.calls.values)
        }
        for call in calls { call.hangUp() }
        for call in calls { _ = await call.ended() }
        await server.stop()
        await tools.http.close()
        // A loop that would not stop is the end of a test process anyway.
        try? await group.shutdownGracefully()
    }

    // MARK: the telephone book

    /// A number of the platform's account: who phones it reaches `voiceURL`.
    package func assign(_ number: String, voiceURL: String, statusCallback: String? = nil) {
        state.withLock {
            $0.numbers[number] = CarrierNumber(
                sid: Sid.make("PN"), number: number, voiceURL: voiceURL, statusCallback: statusCallback)
        }
    }

    /// Who picks up when the platform phones `number`.
    package func subscribe(_ number: String, _ persona: Persona) {
        state.withLock { $0.people[number] = persona }
    }

    /// Who picks up at every other number. At first somebody who never says a word.
    package func subscribeAnybody(_ persona: Persona) { state.withLock { $0.anybody = persona } }

    /// Sees every call live, from the calls' event loops: must return at once.
    package func watch(_ watcher: @escaping CallWatcher) { state.withLock { $0.watch = watcher } }

    // MARK: calls

    /// All calls not forgotten yet, in no order.
    package var calls: [PlacedCall] { state.withLock { Array($0.calls.values) } }
    package func call(_ sid: String) -> PlacedCall? { state.withLock { $0.calls[sid] } }

    /// Somebody phones a number of the platform.
    /// - Throws: `NoSuchNumber`; or what the persona's voice gave instead of speech.
    package func placeInbound(from: String, to: String, persona: Persona) async throws -> PlacedCall {
        guard let number = state.withLock({ $0.numbers[to] }) else { throw NoSuchNumber() }
        let callback = number.statusCallback.map { (url: $0, events: [String]()) }
        return try await place(
            Placing(
                from: from, to: to, isInbound: true, persona: persona,
                beginning: .inbound(voiceURL: number.voiceURL), callback: callback))
    }

    package struct NoSuchNumber: Error, Hashable, Sendable {}
    package struct Full: Error, Hashable, Sendable {}

    struct Placing: Sendable {
        var from: String
        var to: String
        var isInbound: Bool
        var persona: Persona
        var beginning: CallRunner.Beginning
        var callback: (url: String, events: [String])?
        var timeLimit: Duration?
    }

    func place(_ placing: Placing) async throws -> PlacedCall {
        let spoken = try await tools.voices.prepare(placing.persona)
        let (index, watch, limit) = state.withLock {
            $0.placed += 1
            return ($0.placed, $0.watch, placing.timeLimit ?? $0.callTimeLimit)
        }
        let (loop, ticker) = tickers[index % tickers.count]
        let setup = CarrierCall.Setup(
            observation: CallObservation(
                sid: Sid.make("CA"), from: placing.from, to: placing.to, isInbound: placing.isInbound),
            accountSid: account.sid, caller: caller(placing.persona, spoken: spoken, loop: loop),
            hangsUpAfter: placing.persona.hangsUpAfter, keepsAudio: configuration.keepsAudio, watch: watch)
        let call = CarrierCall(setup, loop: loop, ticker: ticker)
        let runner = CallRunner(
            call: call, beginning: placing.beginning, callback: placing.callback, timeLimit: limit,
            tools: tools)
        let isOpen = state.withLock { !$0.isStopped && $0.calls.count < Self.callsMax }
        guard isOpen else { throw Full() }
        let placed = PlacedCall(call: call, running: Task { await runner.run() })
        state.withLock { $0.calls[call.sid] = placed }
        return placed
    }

    private func caller(_ persona: Persona, spoken: [String: [UInt8]], loop: any EventLoop) -> any Caller {
        switch persona.behaviour {
        case .silent: SilentCaller()
        case .presses(let keys): KeypadCaller(keys)
        case .recites(let recital): RecitingCaller(recital, spoken: spoken)
        case .talks(let conversation): TalkingCaller(conversation, spoken: spoken, ears: ears, loop: loop)
        }
    }

    /// Drops finished calls from memory.
    package func forgetEndedCalls() {
        state.withLock { state in state.calls = state.calls.filter { !$0.value.isOver } }
    }

    // MARK: faults

    /// The next creates are answered with these errors, one each.
    package func refuseNextCreates(_ faults: [RESTFault]) { state.withLock { $0.createFaults += faults } }

    /// The media socket breaks without a word; the call itself goes on (at its `action` URL).
    package func dropMediaSocket(_ call: PlacedCall) { call.dropMediaSocket() }

    /// Sends a webhook once more, byte for byte. Returns the HTTP status, nil when there was no answer.
    package func replay(_ webhook: SentWebhook) async -> Int? {
        await tools.send(webhook, limit: CallRunner.webhookLimit)?.status
    }
}

package struct CarrierNumber: Hashable, Sendable {
    package var sid: String
    package var number: String
    package var voiceURL: String
    package var statusCallback: String?
}

/// An error answer of the REST API.
package struct RESTFault: Hashable, Sendable {
    package var status: Int
    package var code: Int
    package var message: String
    package init(status: Int, code: Int, message: String) {
        self.status = status
        self.code = code
        self.message = message
    }
    package static let tooManyRequests = RESTFault(status: 429, code: 20429, message: "Too Many Requests")
    package static let serverError = RESTFault(status: 500, code: 20500, message: "Internal Server Error")
}

/// A call the carrier holds or held.
package struct PlacedCall: Sendable {
    let call: CarrierCall
    let running: Task<CallObservation, Never>
    private let over = Flag()

    init(call: CarrierCall, running: Task<CallObservation, Never>) {
        self.call = call
        self.running = running
        let over = over
        Task {
            _ = await running.value
            over.raise()
        }
    }

    package var sid: String { call.sid }
    var isOver: Bool { over.isRaised }

    /// Waits for the end of the call and of its last callback.
    package func ended() async -> CallObservation { await running.value }

    /// The call as it stands.
    package func observation() async -> CallObservation {
        let call = call
        if let now = try? await call.loop.submit({ call.observation }).get() { return now }
        return await running.value
    }

    /// The caller puts the receiver down.
    package func hangUp() {
        let call = call
        call.loop.execute { call.hangUpByCaller() }
    }

    package func dropMediaSocket() {
        let call = call
        call.loop.execute { call.dropStream() }
    }
}

final class Flag: Sendable {
    private let value = Atomic(false)
    var isRaised: Bool { value.load(ordering: .acquiring) }
    func raise() { value.store(true, ordering: .releasing) }
}
