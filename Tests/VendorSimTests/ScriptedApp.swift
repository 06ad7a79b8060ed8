import Base
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Synchronization
import Testing
import WebSockets

@testable import VendorSim

/// Tests with sockets and real time run one after the other: each has the machine for itself.
@Suite(.serialized) enum OverSockets {}

/// A platform of a few lines: answers webhooks from a table and takes media streams at `/media`.
final class ScriptedApp: Sendable {
    struct Hit: Sendable {
        var path: String
        var form: FormBody
        var signature: String?
        var status: String? { form[name: "CallStatus"] }
    }

    typealias Answer = @Sendable (Hit) -> (status: Int, body: [UInt8])

    private struct State {
        var answers: [String: Answer] = [:]
        var onStart: (@Sendable (FarEnd) -> Void)?
        var refusal: Int?
    }

    let port: Int
    var url: String { "http://127.0.0.1:\(port)" }
    var mediaURL: String { "ws://127.0.0.1:\(port)/media" }
    /// Every webhook, in order.
    let hits: Inbox<Hit>
    /// Every media stream once it was started.
    let streams: Inbox<FarEnd>
    let sockets: Inbox<WebSocketRequest>
    private let state: Shared<State>
    private let running: Task<Void, any Error>

    private init(
        port: Int, running: Task<Void, any Error>, hits: Inbox<Hit>, streams: Inbox<FarEnd>,
        sockets: Inbox<WebSocketRequest>, state: Shared<State>
    ) {
        (self.port, self.running, self.hits, self.streams) = (port, running, hits, streams)
        (self.sockets, self.state) = (sockets, state)
    }

    static func start() async throws -> ScriptedApp {
        let hits = Inbox<Hit>()
        let streams = Inbox<FarEnd>()
        let sockets = Inbox<WebSocketRequest>()
        let state = Shared(State())
        let routes = WebSocketRoutes(
            isWebSocketPath: { $0 == "/media" },
            decide: { request in
                sockets.put(request)
                if let status = state.with({ $0.refusal }) { return .refuse(status: status, reason: "no") }
                return .accept(headers: []) { _ in
                    FarEnd(started: { far in
                        streams.put(far)
                        state.with { $0.onStart }?(far)
                    })
                }
            })
        let responder = CallbackResponder { (request: Request, _: BasicRequestContext) in
            var request = request
            let body = try await request.collectBody(upTo: 1 << 20)
            let hit = Hit(
                path: request.uri.path, form: FormBody(body.readableBytesView) ?? FormBody([]),
                signature: HTTPField.Name("X-Twilio-Signature").flatMap { request.headers[$0] })
            hits.put(hit)
            guard let answer = state.with({ $0.answers[hit.path] }) else {
                return Response(status: .notFound)
            }
            let (status, bytes) = answer(hit)
            return Response(
                status: .init(code: status), body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        }
        let bound = Inbox<Int>()
        let application = Application(
            responder: responder, server: .webSockets(routes),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { bound.put($0.localAddress?.port ?? 0) }, logger: quiet)
        let running = Task { try await application.run() }
        return ScriptedApp(
            port: await bound.next(), running: running, hits: hits, streams: streams, sockets: sockets,
            state: state)
    }

    func stop() async {
        running.cancel()
        _ = await running.result
    }

    func twiml(at path: String, _ verbs: String) {
        let document = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>\(verbs)</Response>"
        answer(at: path) { _ in (200, Array(document.utf8)) }
    }

    func answer(at path: String, _ answer: @escaping Answer) { state.with { $0.answers[path] = answer } }
    func whenStarted(_ work: @escaping @Sendable (FarEnd) -> Void) { state.with { $0.onStart = work } }
    func refuseStreams(_ status: Int) { state.with { $0.refusal = status } }
}

/// The platform's end of one media stream. Works on the socket's loop; tests send from anywhere.
final class FarEnd: WebSocketPeer, @unchecked Sendable {
    let start = Shared<JSON>(.null)
    /// Every message but `media`.
    let events = Inbox<JSON>()
    /// The caller's frames as they came; `audio` reads one.
    let media = Inbox<ByteBuffer>()
    let over = Inbox<Int?>()
    /// Set on the loop, in `whenStarted`.
    var whenDigit: ((String) -> Void)?
    private let started: @Sendable (FarEnd) -> Void
    private var socket: WebSocket?
    private let loop = Shared<(any EventLoop)?>(nil)

    init(started: @escaping @Sendable (FarEnd) -> Void) { self.started = started }

    func opened(_ socket: WebSocket) {
        self.socket = socket
        loop.with { $0 = socket.loop }
    }

    func received(text: ByteBuffer) {
        // Frames are many and decoders slow in a debug build: they are kept as they are.
        if text.readableBytesView.starts(with: #"{"event":"media""#.utf8) { return media.put(text) }
        guard let message = JSONText.decode(Array(text.readableBytesView)) else { return }
        switch message["event"]?.string {
        case "start":
            start.with { $0 = message }
            events.put(message)
            started(self)
        default:
            events.put(message)
            if let digit = message["dtmf"]?["digit"]?.string { whenDigit?(digit) }
        }
    }

    static func audio(_ frame: ByteBuffer) -> [UInt8] {
        let payload = JSONText.decode(Array(frame.readableBytesView))?["media"]?["payload"]?.string ?? ""
        return Base64.decode(Array(payload.utf8)[...]) ?? []
    }

    func closed(code: Int?, error: (any Error)?) {
        socket = nil
        over.put(code)
    }

    var streamSid: String { start.with { $0["streamSid"]?.string } ?? "" }
    var parameters: [String: JSON] { start.with { $0["start"]?["customParameters"]?.object } ?? [:] }

    func play(_ audio: [UInt8]) {
        let payload = String(decoding: Base64.encode(audio), as: UTF8.self)
        send(#"{"event":"media","streamSid":"\#(streamSid)","media":{"payload":"\#(payload)"}}"#)
    }
    func mark(_ name: String) {
        send(#"{"event":"mark","streamSid":"\#(streamSid)","mark":{"name":"\#(name)"}}"#)
    }
    func clear() { send(#"{"event":"clear","streamSid":"\#(streamSid)"}"#) }
    func send(_ text: String) {
        loop.with { $0 }?.execute { self.socket?.send(text: ByteBuffer(string: text)) }
    }
    func close() { loop.with { $0 }?.execute { self.socket?.close(code: 1000, reason: "") } }

    /// The next event of this kind; others before it are passed over.
    func next(_ event: String) async -> JSON {
        while true {
            let message = await events.next()
            if message["event"]?.string == event { return message }
        }
    }
}

/// Things that arrive, to be awaited one by one or looked at together. One reader at a time.
final class Inbox<Element: Sendable>: Sendable {
    private struct State {
        var all: [Element] = []
        var read = 0
        var waiter: CheckedContinuation<Void, Never>?
    }
    private let state = Mutex(State())

    func put(_ element: Element) {
        state.withLock { state in
            state.all.append(element)
            defer { state.waiter = nil }
            return state.waiter
        }?.resume()
    }

    func next() async -> Element {
        while true {
            let found: Element? = state.withLock { state in
                guard state.read < state.all.count else { return nil }
                state.read += 1
                return state.all[state.read - 1]
            }
            if let found { return found }
            await withCheckedContinuation { promise in
                let isThere = state.withLock { state in
                    if state.read < state.all.count { return true }
                    state.waiter = promise
                    return false
                }
                if isThere { promise.resume() }
            }
        }
    }

    var all: [Element] { state.withLock { $0.all } }
}

final class Shared<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value
    init(_ value: Value) { self.value = value }
    func with<T>(_ work: (inout Value) -> T) -> T { lock.withLock { work(&value) } }
}

let quiet: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .error
    return logger
}()

/// A tone of 400 Hz, µ-law, as long as asked.
func tone(ms: Int) -> [UInt8] {
    (0..<ms * 8).map { MuLaw.encode(Int16(8000 * sin(Double($0) * 2 * .pi * 400 / 8000))) }
}

/// An app and a carrier with one number, `+14155550199`, at `/voice`; both are stopped in the end.
func withLine(
    _ configuration: SimulatedCarrier.Configuration = .init(),
    _ body: (ScriptedApp, SimulatedCarrier) async throws -> Void
) async throws {
    let app = try await ScriptedApp.start()
    let carrier = try await SimulatedCarrier.start(configuration, logger: quiet)
    carrier.assign(number, voiceURL: app.url + "/voice")
    do {
        try await body(app, carrier)
    } catch {
        await carrier.stop()
        await app.stop()
        throw error
    }
    await carrier.stop()
    await app.stop()
}

let number = "+14155550199"
let callerNumber = "+14155550100"
