import Base
import NIOCore
import WebSockets

/// A socket to a vendor from the wish for it to its end. On one loop only; nothing is told before `open` has returned.
///
/// Owns: what waits until the socket is open, and the end, told once. Does not own: messages.
final class VendorSocket: @unchecked Sendable {
    enum Event {
        case opened
        case text(ByteBuffer)
        case binary(ByteBuffer)
        /// Last, once; never after `close`.
        case failed(Fault)
    }

    /// Bytes kept for a socket that is not open yet: 8 s of µ-law.
    static let waitingBytesMax = 64_000
    /// From the wish to the open socket.
    static let connectMax = Duration.seconds(3)
    /// A vendor that does not answer our close is left.
    static let closeMax = Duration.seconds(2)
    /// A message with half a minute of audio in base64.
    static let messageBytesMax = 512 << 10

    private enum State { case opening, open, over }

    private let faults: VendorFaults
    private var state = State.opening
    private var socket: WebSocket?
    private var waiting: [(isText: Bool, ByteBuffer)] = []
    private var waitingBytes = 0
    private var events: ((Event) -> Void)?

    init(faults: VendorFaults) { self.faults = faults }

    var isOpen: Bool { state == .open }

    func open(
        _ url: String, headers: [(String, String)], reach: WebSocketReach, on loop: any EventLoop,
        events: @escaping (Event) -> Void
    ) {
        self.events = events
        var limits = WebSocketLimits()
        limits.connectMax = Self.connectMax
        limits.closeMax = Self.closeMax
        limits.messageBytesMax = Self.messageBytesMax
        limits.frameBytesMax = Self.messageBytesMax
        limits.refusalHeaders = VendorAnswer.names
        let peer = Peer(owner: self)
        WebSocketClient.connect(
            url: url, headers: headers, limits: limits, on: loop, peer: peer, reach: reach
        ).whenFailure { error in
            // Never before `open` has returned.
            loop.execute { self.end(self.faults.unopened(error, now: .wall)) }
        }
    }

    func send(text: String) { send(isText: true, ByteBuffer(string: text)) }
    /// Empty ones are not sent: to some vendors they mean the end.
    func send(binary: ByteBuffer) {
        if binary.readableBytes > 0 { send(isText: false, binary) }
    }

    private func send(isText: Bool, _ message: ByteBuffer) {
        switch state {
        case .opening:
            guard waitingBytes + message.readableBytes <= Self.waitingBytesMax else { return }
            waitingBytes += message.readableBytes
            waiting.append((isText, message))
        case .open: if isText { socket?.send(text: message) } else { socket?.send(binary: message) }
        case .over: break
        }
    }

    /// Says goodbye; nothing is told any more.
    func close() {
        events = nil
        state = .over
        waiting = []
        socket?.close()
        socket = nil
    }

    /// Gives the connection up for `fault`, which is told.
    func fail(_ fault: Fault) { end(fault) }

    private func end(_ fault: Fault) {
        guard state != .over else { return }
        let events = events
        close()
        events?(.failed(fault))
    }

    private func opened(_ socket: WebSocket) {
        guard state == .opening else { return socket.close() }
        self.socket = socket
        state = .open
        for (isText, message) in waiting {
            if isText { socket.write(text: message) } else { socket.write(binary: message) }
        }
        if !waiting.isEmpty { socket.flush() }
        waiting = []
        events?(.opened)
    }

    private func closed(code: Int?, _ error: (any Error)?) {
        socket = nil
        end(faults.closed(code: code, error))
    }

    /// What the socket tells; kept by it, and keeps its owner.
    private final class Peer: WebSocketPeer {
        private let owner: VendorSocket
        init(owner: VendorSocket) { self.owner = owner }
        func opened(_ socket: WebSocket) { owner.opened(socket) }
        func received(text: ByteBuffer) { owner.events?(.text(text)) }
        func received(binary: ByteBuffer) { owner.events?(.binary(binary)) }
        func closed(code: Int?, error: (any Error)?) { owner.closed(code: code, error) }
    }
}
