package import NIOCore

/// An open WebSocket, of a server or a client. Confined to `loop`: every method traps elsewhere (hop with
/// `socket.loop.execute`). After `close` nothing more is delivered to the peer but `closed`.
package final class WebSocket: @unchecked Sendable {
    /// The socket whose peer is being told to go away, for the default `WebSocketPeer.goingAway()`.
    @TaskLocal static var leaving: WebSocket?

    private enum State { case open, closing, closed }

    package let loop: any EventLoop
    private let limits: WebSocketLimits
    private let isClient: Bool
    private var context: ChannelHandlerContext?
    /// The context's, which is slow to ask for.
    private var channel: (any Channel)?
    private let allocator = ByteBufferAllocator()
    private var peer: (any WebSocketPeer)?
    private var state = State.open

    private var sentCode: Int?
    private var receivedCode: Int?
    private var error: (any Error)?

    /// The message being put together from fragments.
    private var partial: (opcode: Frame.Opcode, payload: ByteBuffer, fragments: Int)?

    private var heardSinceTick = true
    private var silentTicks = 0
    private var pinging: Scheduled<Void>?
    private var cutting: Scheduled<Void>?
    private var leavingLimit: Scheduled<Void>?

    init(loop: any EventLoop, peer: any WebSocketPeer, limits: WebSocketLimits, isClient: Bool) {
        self.loop = loop
        self.peer = peer
        self.limits = limits
        self.isClient = isClient
    }

    // MARK: Sending

    /// Sends one text message: one write, flushed at once. Ignored once the socket is closing.
    package func send(text: ByteBuffer) { send(.text, text, flushing: true) }
    package func send(binary: ByteBuffer) { send(.binary, binary, flushing: true) }

    /// Without the flush, for several messages in a row; `flush()` sends them.
    package func write(text: ByteBuffer) { send(.text, text, flushing: false) }
    package func write(binary: ByteBuffer) { send(.binary, binary, flushing: false) }

    package func flush() {
        loop.preconditionInEventLoop()
        context?.flush()
    }

    /// False while more than the channel's high-water mark (64 KiB) waits to be sent, and when the socket is gone.
    package private(set) var isWritable = false

    /// Bytes accepted and not yet taken by the kernel.
    package var pendingBytes: Int {
        loop.preconditionInEventLoop()
        return (try? channel?.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// Says goodbye; the connection ends when the other side has answered, or after `limits.closeMax`.
    /// - Parameter reason: cut to 123 bytes.
    package func close(code: Int = WebSocketCode.normal, reason: String = "") {
        loop.preconditionInEventLoop()
        guard state == .open else { return }
        sendClose(code, reason)
        cutLater()
    }

    private func send(_ opcode: Frame.Opcode, _ payload: ByteBuffer, flushing: Bool) {
        loop.preconditionInEventLoop()
        guard state == .open, let context else { return }
        transmit(opcode, payload, flushing: flushing, context)
        if !isWritable, pendingBytes > limits.bufferedBytesMax {
            fail(.tooSlow, code: WebSocketCode.tryAgainLater)
        }
    }

    private func transmit(
        _ opcode: Frame.Opcode, _ payload: ByteBuffer, flushing: Bool, _ context: ChannelHandlerContext
    ) {
        let mask = isClient ? UInt32.random(in: .min ... .max) : nil
        let frame = FrameWriter.encode(opcode, payload, mask: mask, allocator: allocator)
        if flushing {
            context.writeAndFlush(NIOAny(frame), promise: nil)
        } else {
            context.write(NIOAny(frame), promise: nil)
        }
    }

    /// The last frame this side sends.
    private func sendClose(_ code: Int?, _ reason: String) {
        guard state == .open else { return }
        state = .closing
        sentCode = code
        var payload = ByteBuffer()
        if let code {
            payload.writeInteger(UInt16(clamping: code))
            payload.writeSubstring(Self.cut(reason, toBytes: Frame.controlBytesMax - 2))
        }
        if let context { transmit(.close, payload, flushing: true, context) }
    }

    /// Never in the middle of a character: a close reason must be valid UTF-8.
    static func cut(_ text: String, toBytes limit: Int) -> Substring {
        var end = text.startIndex
        var bytes = 0
        for index in text.indices {
            bytes += text[index].utf8.count
            if bytes > limit { break }
            end = text.index(after: index)
        }
        return text[..<end]
    }

    /// Something is wrong on the other side: tell it, and stop listening.
    private func fail(_ error: WebSocketError, code: Int) {
        guard state == .open else { return }
        self.error = error
        sendClose(code, "")
        cutLater()
    }

    private func cutLater() {
        guard cutting == nil else { return }
        cutting = loop.scheduleTask(in: TimeAmount(limits.closeMax)) { [weak self] in self?.cut() }
    }

    private func cut() {
        context?.close(promise: nil)
    }

    // MARK: From the channel

    func attached(_ context: ChannelHandlerContext) {
        self.context = context
        channel = context.channel
        isWritable = context.channel.isWritable
        scheduleTick()
    }

    func open() {
        peer?.opened(self)
    }

    func received(_ frame: Frame) {
        heardSinceTick = true
        switch frame.opcode {
        case .close: receivedClose(frame.payload)
        case _ where state != .open: break
        case .ping: send(.pong, frame.payload, flushing: true)
        case .pong: break
        case .text, .binary: receivedStart(frame)
        case .continuation: receivedContinuation(frame)
        }
    }

    private func receivedStart(_ frame: Frame) {
        guard partial == nil else { return violation("new message inside a fragmented one") }
        guard !frame.isFinal else {
            guard frame.payload.readableBytes <= limits.messageBytesMax else { return tooLarge() }
            return deliver(frame.opcode, frame.payload)
        }
        partial = (frame.opcode, frame.payload, 1)
    }

    private func receivedContinuation(_ frame: Frame) {
        guard case (let opcode, var payload, var fragments)? = partial else {
            return violation("continuation of nothing")
        }
        partial = nil
        guard payload.readableBytes + frame.payload.readableBytes <= limits.messageBytesMax else {
            return tooLarge()
        }
        fragments += 1
        guard fragments <= limits.fragmentsMax else { return tooLarge() }
        payload.writeImmutableBuffer(frame.payload)
        if frame.isFinal {
            deliver(opcode, payload)
        } else {
            partial = (opcode, payload, fragments)
        }
    }

    private func deliver(_ opcode: Frame.Opcode, _ payload: ByteBuffer) {
        if opcode == .text { peer?.received(text: payload) } else { peer?.received(binary: payload) }
    }

    private func violation(_ what: String) {
        fail(.protocolViolation(what), code: WebSocketCode.protocolError)
    }

    private func tooLarge() {
        fail(.messageTooLarge, code: WebSocketCode.tooLarge)
    }

    private func receivedClose(_ payload: ByteBuffer) {
        guard receivedCode == nil else { return }
        var payload = payload
        let code = payload.readInteger(as: UInt16.self).map(Int.init)
        if state == .open,
            payload.readableBytes > 0 && code == nil || code.map(WebSocketCode.isSendable) == false
        {
            return violation("close code")
        }
        receivedCode = code ?? WebSocketCode.none
        if state == .open { sendClose(code, "") }
        // Both sides have said it. A server ends the connection; a client lets it, within the limit.
        if isClient { cutLater() } else { cut() }
    }

    func readerFailed(_ error: any Error) {
        switch error {
        case WebSocketError.messageTooLarge: tooLarge()
        case WebSocketError.protocolViolation(let what): violation(what)
        default: lost(error)
        }
    }

    /// The connection broke or was half-closed: nothing more can be agreed on it.
    func lost(_ error: any Error) {
        if self.error == nil, receivedCode == nil { self.error = error }
        cut()
    }

    func writabilityChanged(_ isWritable: Bool) {
        self.isWritable = isWritable
        guard state == .open else { return }
        peer?.writabilityChanged(isWritable)
    }

    func serverIsGoingAway() {
        guard state == .open, let peer else { return }
        leavingLimit = loop.scheduleTask(in: TimeAmount(limits.goingAwayMax)) { [weak self] in
            self?.close(code: WebSocketCode.goingAway, reason: "going away")
        }
        Self.$leaving.withValue(self) { peer.goingAway() }
    }

    func ended() {
        guard state != .closed else { return }
        state = .closed
        for task in [pinging, cutting, leavingLimit] { task?.cancel() }
        context = nil
        channel = nil
        isWritable = false
        partial = nil
        let peer = self.peer
        self.peer = nil
        if error == nil, receivedCode == nil { error = WebSocketError.connectionLost }
        peer?.closed(code: receivedCode ?? sentCode, error: error)
    }

    // MARK: Keep-alive

    private func scheduleTick() {
        pinging = loop.scheduleTask(in: TimeAmount(limits.pingInterval)) { [weak self] in self?.tick() }
    }

    private func tick() {
        guard state == .open else { return }
        if heardSinceTick {
            heardSinceTick = false
            silentTicks = 0
        } else {
            silentTicks += 1
            guard silentTicks <= limits.missedPingsMax else {
                error = WebSocketError.deadPeer
                return cut()
            }
            send(.ping, ByteBuffer(), flushing: true)
        }
        scheduleTick()
    }
}
