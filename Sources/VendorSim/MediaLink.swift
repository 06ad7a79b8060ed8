import NIOCore
import WebSockets

/// The carrier's end of one media stream. Confined to the call's event loop.
final class MediaLink: WebSocketPeer, @unchecked Sendable {
    /// Frames are thrown away, not queued, while this much waits in the socket: a carrier does not save up
    /// audio.
    static let waitingBytesMax = 64 * 1024

    let identity: StreamIdentity
    let stream: TwiML.Stream
    /// Where the call's observation keeps this stream.
    let index: Int
    private let call: CarrierCall
    private let streamSidBytes: [UInt8]
    private var socket: WebSocket?
    private var sequence = 1
    private var chunk = 0
    private(set) var isOpen = false
    private(set) var framesDropped = 0

    init(identity: StreamIdentity, stream: TwiML.Stream, index: Int, call: CarrierCall) {
        self.index = index
        self.identity = identity
        self.stream = stream
        self.call = call
        streamSidBytes = Array(identity.streamSid.utf8)
    }

    func opened(_ socket: WebSocket) {
        self.socket = socket
        isOpen = true
        send(MediaWire.connected())
        send(MediaWire.start(identity, parameters: stream.parameters))
        call.streamStarted(self)
    }

    func received(text: ByteBuffer) {
        guard isOpen else { return }
        do {
            call.ordered(try MediaWire.read(text, streamSid: identity.streamSid), by: self)
        } catch {
            call.malformed("\(error)")
        }
    }

    func received(binary: ByteBuffer) { call.malformed("binary message") }

    func closed(code: Int?, error: (any Error)?) {
        guard socket != nil else { return }
        socket = nil
        isOpen = false
        call.streamEnded(self)
    }

    /// One frame of the caller; nil is silence. The carrier sends silence too: there is always a frame.
    func send(frame: [UInt8]?) {
        guard isOpen, let socket else { return }
        chunk += 1
        sequence += 1
        guard socket.pendingBytes < Self.waitingBytesMax else {
            framesDropped += 1
            return
        }
        var buffer = ByteBufferAllocator().buffer(capacity: 400)
        MediaWire.media(
            sequence: sequence, chunk: chunk, timestamp: (chunk - 1) * 20,
            payload: frame.map(Base64.encode) ?? Self.silence, streamSid: streamSidBytes, into: &buffer)
        socket.send(text: buffer)
    }

    func echo(_ mark: String) {
        guard isOpen else { return }
        sequence += 1
        send(MediaWire.mark(mark, sequence: sequence, streamSid: identity.streamSid))
    }

    func send(digit: Character) {
        guard isOpen else { return }
        sequence += 1
        send(MediaWire.dtmf(digit, sequence: sequence, streamSid: identity.streamSid))
    }

    /// The carrier ends the stream: `stop`, then the close frame.
    func stop() {
        guard isOpen else { return }
        isOpen = false
        sequence += 1
        send(MediaWire.stop(identity, sequence: sequence))
        socket?.close(code: WebSocketCode.normal, reason: "")
    }

    /// The network breaks: no `stop`, as when a worker or a link dies.
    func drop() {
        guard isOpen else { return }
        isOpen = false
        socket?.close(code: WebSocketCode.goingAway, reason: "")
    }

    private static let silence = Base64.encode(Mouth.silence)

    private func send(_ text: String) { socket?.send(text: ByteBuffer(string: text)) }
}
