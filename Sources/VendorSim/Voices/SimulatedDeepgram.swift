package import Base
import NIOCore
package import NIOSSL
import Synchronization

/// A recogniser on loopback that speaks Deepgram's `/v1/listen` (Nova) and `/v2/listen` (Flux).
///
/// It understands callers by `KnownSpeech`, or hears speech by its loudness and takes the words from a script. Partials come
/// every `partialEvery` of audio, the final `finalDelay` after the last sound.
/// Source: reference/providers/deepgram.md.
package final class SimulatedDeepgram: Sendable {
    package struct Configuration: Sendable {
        /// 0 takes a free port.
        package var port = 0
        /// nil: plain `ws`.
        package var tls: TLSConfiguration?
        /// Event loops; one carries some hundred callers.
        package var loops = 1
        /// nil: any key is good.
        package var key: String?
        package var seed: UInt64 = 1
        package var rates = TroubleRates()
        package var known: [KnownSpeech] = []
        /// Lines of every caller in order, again from the first after the last; only without `known`.
        package var script: [String] = []
        /// From the upgrade's request to its answer.
        package var openDelay = DelayLaw.fixed(.zero)
        /// Of audio between two partials (Nova); Flux tells every `updateEvery`.
        package var partialEvery: Duration = .milliseconds(100)
        package var updateEvery: Duration = .milliseconds(250)
        /// From a caller's audio to the partial that has it.
        package var partialDelay = DelayLaw.fixed(.zero)
        /// From the last sound of an utterance to its final (Nova) or the end of the turn (Flux).
        package var finalDelay = DelayLaw.fixed(.milliseconds(150))
        /// Flux: from the last sound to the guess that the turn is over.
        package var eagerDelay = DelayLaw.fixed(.milliseconds(100))
        package init() {}
    }

    package let port: Int
    /// As a credential's `base_url`.
    package let url: String
    private let door: SocketDoor
    private let script: VendorScript
    private let known: KnownStore

    /// - Throws: what binding the port or the certificate gave.
    package static func start(_ configuration: Configuration = Configuration()) async throws
        -> SimulatedDeepgram
    {
        let script = VendorScript(
            seed: configuration.seed, rates: configuration.rates, key: configuration.key.map { "Token \($0)" }
        )
        let known = KnownStore(configuration.known)
        let door = try await SocketDoor.start(
            port: configuration.port, tls: configuration.tls, loops: configuration.loops
        ) { asked in
            DeepgramDesk.answer(asked, configuration, script, known.frames)
        }
        return SimulatedDeepgram(door, configuration, script, known)
    }

    private init(
        _ door: SocketDoor, _ configuration: Configuration, _ script: VendorScript, _ known: KnownStore
    ) {
        self.door = door
        self.script = script
        self.known = known
        port = door.port
        url = "\(configuration.tls == nil ? "http" : "https")://localhost:\(door.port)"
    }

    package func stop() async { await door.stop() }

    /// Sockets that open from now on understand these too.
    package func learn(_ speech: [KnownSpeech]) { known.learn(speech) }
    /// The next sockets meet these, one each, whatever chance says.
    package func trouble(_ troubles: [VendorTrouble]) { script.add(troubles) }
    /// Breaks every open socket.
    package func breakAll() { door.breakAll() }
    package var openSockets: Int { door.openCount }
    /// Path and query of every socket asked for, oldest first.
    package var asked: [(path: String, query: FormBody)] { script.asked.map { ($0.path, $0.query) } }
    /// Control messages received, oldest first.
    package var messages: [JSON] { script.messages }
}

/// What every socket knows; each takes the state of its beginning.
final class KnownStore: Sendable {
    private let kept: Mutex<KnownFrames>
    init(_ speech: [KnownSpeech]) {
        var frames = KnownFrames()
        frames.learn(speech)
        kept = Mutex(frames)
    }
    var frames: KnownFrames { kept.withLock { $0 } }
    func learn(_ speech: [KnownSpeech]) { kept.withLock { $0.learn(speech) } }
}

enum DeepgramDesk {
    static func answer(
        _ asked: SocketAsked, _ configuration: SimulatedDeepgram.Configuration, _ script: VendorScript,
        _ known: KnownFrames
    ) -> SocketVerdict {
        var (random, trouble) = script.welcome(asked)
        if case .refuse(let status, let wait) = trouble {
            return .refuse(
                status: status, retryAfterSeconds: wait, body: #"{"err_code":"REFUSED","err_msg":"no"}"#)
        }
        if let key = script.key, asked.headers["authorization"] != key {
            return refuse(401, "INVALID_AUTH")
        }
        let isFlux = asked.path.hasSuffix("/v2/listen")
        guard isFlux || asked.path.hasSuffix("/v1/listen") else { return refuse(404, "NOT_FOUND") }
        guard let model = asked.query[name: "model"], model.hasPrefix("flux") == isFlux else {
            return refuse(400, "Bad Request")
        }
        let hearing = SimulatedHearing(known: known, script: configuration.script)
        let delay = configuration.openDelay.sample(using: &random)
        let guest = DeepgramGuest(
            hearing, configuration, random: random, trouble: trouble, script: script,
            flux: isFlux ? FluxTalk(isEager: asked.query[name: "eager_eot_threshold"] != nil) : nil,
            endpointingMs: asked.query[name: "endpointing"].flatMap { Int($0) },
            isAudioRight: asked.query[name: "encoding"] == "mulaw"
                && asked.query[name: "sample_rate"] == "8000")
        return .open(after: delay, guest: guest)
    }

    private static func refuse(_ status: Int, _ code: String) -> SocketVerdict {
        .refuse(
            status: status, retryAfterSeconds: nil,
            body: #"{"err_code":"\#(code)","err_msg":"refused","request_id":"sim"}"#)
    }
}

/// A Flux socket's own state.
struct FluxTalk {
    let isEager: Bool
    var sequence = 1
    var turn = 0
    var hasStarted = false
    var hasGuessed = false
    var lastText = ""
}
