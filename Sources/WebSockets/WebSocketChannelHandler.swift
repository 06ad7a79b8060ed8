import NIOCore

/// The only handler of an upgraded channel (above TLS): bytes in, peer's methods called, on the event loop.
final class WebSocketChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let socket: WebSocket
    private let frames: NIOSingleStepByteToMessageProcessor<FrameReader>
    private var isReading = true

    init(socket: WebSocket, limits: WebSocketLimits, isClient: Bool) {
        self.socket = socket
        frames = NIOSingleStepByteToMessageProcessor(
            FrameReader(expectsMask: !isClient, frameBytesMax: limits.frameBytesMax))
    }

    func handlerAdded(context: ChannelHandlerContext) {
        socket.attached(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // After a violation the stream has no frames any more: the rest is read and dropped until the close.
        guard isReading else { return }
        do {
            try frames.process(buffer: unwrapInboundIn(data)) { socket.received($0) }
        } catch {
            isReading = false
            socket.readerFailed(error)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        socket.writabilityChanged(context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent: socket.serverIsGoingAway()
        case ChannelEvent.inputClosed: socket.lost(WebSocketError.connectionLost)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        socket.lost(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        socket.ended()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        socket.ended()
    }
}
