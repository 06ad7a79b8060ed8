import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Synchronization
import TestKit
import WebSockets

/// Hummingbird routes (`/hello`, 426 on `/echo`) and WebSockets (`/echo`, `/refuse/STATUS`, `/slow-decision`)
/// on one port of 127.0.0.1.
final class SocketServer: Sendable {
    let port: Int
    /// The listening one.
    let channel: any Channel
    /// What happened to the server's peers.
    let events: EventLog
    private let group: ServiceGroup
    private let running: Task<Void, any Error>

    static func start(
        limits: WebSocketLimits = WebSocketLimits(), tls: TLSConfiguration? = nil,
        make: (@Sendable (EventLog) -> any WebSocketPeer)? = nil
    ) async throws -> SocketServer {
        let events = EventLog()
        let routes = WebSocketRoutes(
            isWebSocketPath: { $0 == "/echo" || $0.hasPrefix("/refuse/") || $0 == "/slow-decision" },
            decide: { request in
                if request.path == "/slow-decision" { try? await Task.sleep(for: .seconds(60)) }
                if request.path.hasPrefix("/refuse/") {
                    return .refuse(status: Int(request.path.dropFirst(8)) ?? 500, reason: "not \"here\"")
                }
                let seen = "\(request.query)|\(request.header("x-key") ?? "")|\(request.remoteAddress ?? "")"
                return .accept(
                    headers: [("X-Seen", seen)], make: { _ in make?(events) ?? EchoPeer(events: events) })
            },
            limits: limits)
        let router = Router()
        router.get("hello") { _, _ in "hello" }
        router.get("echo") { _, _ in
            Response(status: .init(code: 426), headers: [.connection: "close"], body: .init())
        }
        let channels = AsyncStream<any Channel>.makeStream()
        let app = Application(
            router: router,
            server: try tls.map { try .tls(.webSockets(routes), tlsConfiguration: $0) }
                ?? .webSockets(routes),
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: {
                await Accepting.persist(on: $0)
                channels.continuation.yield($0)
            }, logger: .quiet)
        let group = ServiceGroup(configuration: .init(services: [.init(service: app)], logger: .quiet))
        let running = Task { try await group.run() }
        var iterator = channels.stream.makeAsyncIterator()
        guard let channel = await iterator.next() else { throw CancellationError() }
        return SocketServer(channel, events: events, group: group, running: running)
    }

    private init(
        _ channel: any Channel, events: EventLog, group: ServiceGroup, running: Task<Void, any Error>
    ) {
        self.channel = channel
        port = channel.localAddress?.port ?? 0
        self.events = events
        self.group = group
        self.running = running
    }

    func url(_ path: String) -> String { "ws://127.0.0.1:\(port)\(path)" }

    /// Graceful shutdown, and waits for its end.
    func stop() async {
        await group.triggerGracefulShutdown()
        try? await running.value
    }
}

enum Event: Hashable, Sendable {
    case opened
    case text(String)
    case binary([UInt8])
    case writable(Bool)
    case goingAway
    case closed(Int?, WebSocketError?)
    case closedByOther
}

/// What a peer was told, in order, for one reading test.
final class EventLog: Sendable {
    private let stream = AsyncStream<Event>.makeStream()
    func add(_ event: Event) { stream.continuation.yield(event) }
    func next() async -> Event? {
        for await event in stream.stream { return event }
        return nil
    }
    /// Skips until one fits.
    func first(where fits: (Event) -> Bool) async -> Event? {
        for await event in stream.stream where fits(event) { return event }
        return nil
    }
    func closed() async -> Event? {
        await first { if case .closed = $0 { true } else { $0 == .closedByOther } }
    }
}

class LoggingPeer: WebSocketPeer {
    let events: EventLog
    var socket: WebSocket?

    init(events: EventLog) { self.events = events }
    func opened(_ socket: WebSocket) {
        self.socket = socket
        events.add(.opened)
    }
    func received(text: ByteBuffer) { events.add(.text(String(buffer: text))) }
    func received(binary: ByteBuffer) { events.add(.binary(Array(binary.readableBytesView))) }
    func writabilityChanged(_ isWritable: Bool) { events.add(.writable(isWritable)) }
    func closed(code: Int?, error: (any Error)?) {
        socket = nil
        if let error, !(error is WebSocketError) { return events.add(.closedByOther) }
        events.add(.closed(code, error as? WebSocketError))
    }
}

/// Sends everything back; on the text `close` it closes with 4000, on `flood` it sends until it may not.
final class EchoPeer: LoggingPeer {
    override func received(text: ByteBuffer) {
        switch String(buffer: text) {
        case "close": socket?.close(code: 4000, reason: "as you wish")
        case "flood": while let socket { flood(socket) }
        default: socket?.send(text: text)
        }
    }
    override func received(binary: ByteBuffer) { socket?.send(binary: binary) }

    private func flood(_ socket: WebSocket) {
        let before = socket.pendingBytes
        socket.send(binary: ByteBuffer(repeating: 0, count: 64 << 10))
        // Closing: nothing is taken any more.
        if socket.pendingBytes <= before, before > 0 { self.socket = nil }
    }
}

/// A peer that knows what to do when the server leaves: says so, and stays.
final class StayingPeer: WebSocketPeer {
    private let events: EventLog
    private var socket: WebSocket?

    init(events: EventLog) { self.events = events }
    func opened(_ socket: WebSocket) { self.socket = socket }
    func closed(code: Int?, error: (any Error)?) { socket = nil }
    func goingAway() {
        events.add(.goingAway)
        socket?.send(text: ByteBuffer(string: "last words"))
    }
}

func connect(
    _ url: String, headers: [(String, String)] = [], limits: WebSocketLimits = WebSocketLimits(),
    log: EventLog
) async throws -> WebSocket {
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    return try await loop.flatSubmit {
        WebSocketClient.connect(
            url: url, headers: headers, limits: limits, on: loop, peer: LoggingPeer(events: log))
    }.get()
}

extension WebSocket {
    /// From a test's task: on the socket's loop.
    func perform(_ body: @escaping @Sendable (WebSocket) -> Void) {
        loop.execute { body(self) }
    }
}
