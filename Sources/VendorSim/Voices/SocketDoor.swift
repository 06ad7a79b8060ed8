import Base
import Crypto
import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// What a client asked for when it knocked.
struct SocketAsked: Sendable {
    /// Without the query.
    var path: String
    var query: FormBody
    /// Names in lower case.
    var headers: [String: String]
}

enum SocketVerdict {
    /// An HTTP answer instead of a socket.
    case refuse(status: Int, headers: [(String, String)], body: String)
    /// A socket, answered `after` this long.
    case open(after: Duration, guest: any SocketGuest)
}

/// Who sits behind one socket. Called on the socket's loop.
protocol SocketGuest: AnyObject {
    func opened(_ line: SocketLine)
    func received(text: ByteBuffer)
    func received(binary: ByteBuffer)
    /// The client or the network ended it.
    func ended()
}

/// A WebSocket server on 127.0.0.1 written by hand on bare TCP or TLS, so that a vendor can be refused, late, wrong and
/// cut in the middle of a frame. Source: RFC 6455.
final class SocketDoor: Sendable {
    let port: Int
    private let channel: any Channel
    private let group: MultiThreadedEventLoopGroup
    private let guests: SocketGuests

    private init(_ channel: any Channel, group: MultiThreadedEventLoopGroup, guests: SocketGuests) {
        self.channel = channel
        self.group = group
        self.guests = guests
        port = channel.localAddress?.port ?? 0
    }

    /// Port 0 takes a free one. `answer` is called on one of `loops` event loops.
    /// - Throws: what binding the port or the certificate gave.
    static func start(
        port: Int, tls: TLSConfiguration?, loops: Int,
        answer: @escaping @Sendable (SocketAsked) -> SocketVerdict
    ) async throws -> SocketDoor {
        let context = try tls.map { try NIOSSLContext(configuration: $0) }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, loops))
        let guests = SocketGuests()
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let context { try pipeline.addHandler(NIOSSLServerHandler(context: context)) }
                    try pipeline.addHandler(SocketLine(answer: answer))
                    guests.add(channel)
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        return SocketDoor(channel, group: group, guests: guests)
    }

    /// Sockets that are open now.
    var openCount: Int { guests.count }
    /// Sockets ever asked for.
    var askedCount: Int { guests.total }

    /// Breaks every connection, as a vendor that restarts does; new ones are taken.
    func breakAll() { for channel in guests.all { channel.close(promise: nil) } }

    func stop() async {
        // Only its end matters.
        try? await channel.close().get()
        breakAll()
        try? await group.shutdownGracefully()
    }
}

/// One connection: the upgrade, then frames. On its loop only.
final class SocketLine: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Longest request head and longest message taken, bytes.
    private static let headBytesMax = 64 << 10
    private static let messageBytesMax = 1 << 20

    private let answer: @Sendable (SocketAsked) -> SocketVerdict
    private var context: ChannelHandlerContext?
    private var received = ByteBuffer()
    private var guest: (any SocketGuest)?
    private var isUpgraded = false
    private var isLeaving = false
    /// Messages are sent so: whole, or cut in two frames in the middle of a character.
    var splitsCharacters = false
    /// Bytes are sent one by one with this pause.
    var trickle: TimeAmount?
    private var trickling: [ByteBuffer] = []
    private(set) var sentMessages = 0

    init(answer: @escaping @Sendable (SocketAsked) -> SocketVerdict) { self.answer = answer }

    var loop: any EventLoop {
        guard let context else { preconditionFailure("the line has ended") }
        return context.eventLoop
    }

    /// Does `body` after this long unless the line has ended by then.
    func after(_ delay: TimeAmount, _ body: @escaping () -> Void) {
        context?.eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            if self?.context != nil { body() }
        }
    }

    func send(text: String) {
        sentMessages += 1
        var bytes = ByteBuffer(string: text)
        // Behind the first byte of the first character that has several.
        let odd = splitsCharacters ? bytes.readableBytesView.firstIndex { $0 >= 0xC0 } : nil
        guard let odd, let head = bytes.readSlice(length: odd + 1 - bytes.readerIndex) else {
            return write(Self.frame(0x81, bytes))
        }
        write(Self.frame(0x01, head))
        write(Self.frame(0x80, bytes))
    }

    func send(binary: ByteBuffer) {
        sentMessages += 1
        write(Self.frame(0x82, binary))
    }

    func close(code: UInt16, reason: String = "") {
        isLeaving = true
        var payload = ByteBuffer()
        payload.writeInteger(code)
        payload.writeString(String(reason.prefix(100)))
        write(Self.frame(0x88, payload))
    }

    /// Promises 1000 bytes, gives 10, and ends the connection.
    func cutInMidFrame() {
        guard let context else { return }
        isLeaving = true
        var bytes = ByteBuffer(bytes: [0x81, 126, 0x03, 0xE8])
        bytes.writeString("{\"type\":\"R")
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(bytes)).whenComplete { _ in channel.close(promise: nil) }
    }

    private func write(_ bytes: ByteBuffer) {
        guard let context else { return }
        guard let trickle else { return context.writeAndFlush(wrapOutboundOut(bytes), promise: nil) }
        trickling.append(bytes)
        if trickling.count == 1 { drip(trickle) }
    }

    private func drip(_ pause: TimeAmount) {
        guard let context, let byte = trickling.first?.getSlice(at: trickling[0].readerIndex, length: 1)
        else {
            return
        }
        context.writeAndFlush(wrapOutboundOut(byte), promise: nil)
        trickling[0].moveReaderIndex(forwardBy: 1)
        if trickling[0].readableBytes == 0 { trickling.removeFirst() }
        if !trickling.isEmpty { after(pause) { self.drip(pause) } }
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.writeImmutableBuffer(unwrapInboundIn(data))
        if guest == nil, !isLeaving { readHead(context) }
        if isUpgraded { readFrames(context) }
        received.discardReadBytes()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        let guest = guest
        self.guest = nil
        if isUpgraded { guest?.ended() }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func readHead(_ context: ChannelHandlerContext) {
        guard let (asked, key) = SocketHead.read(&received) else {
            if received.readableBytes > Self.headBytesMax { context.close(promise: nil) }
            return
        }
        switch answer(asked) {
        case .refuse(let status, let headers, let body):
            isLeaving = true
            let channel = context.channel
            context.writeAndFlush(wrapOutboundOut(SocketHead.refusal(status, headers, body)))
                .whenComplete { _ in channel.close(promise: nil) }
        case .open(let delay, let guest):
            self.guest = guest
            after(TimeAmount(delay)) { self.upgrade(key, guest) }
        }
    }

    private func upgrade(_ key: String, _ guest: any SocketGuest) {
        guard let context else { return }
        context.writeAndFlush(wrapOutboundOut(SocketHead.acceptance(key)), promise: nil)
        isUpgraded = true
        guest.opened(self)
        readFrames(context)
    }

    private func readFrames(_ context: ChannelHandlerContext) {
        while let frame = SocketFrame.read(&received) {
            switch frame.opcode {
            case 1: guest?.received(text: frame.payload)
            case 2: guest?.received(binary: frame.payload)
            case 8:
                if !isLeaving { write(Self.frame(0x88, frame.payload)) }
                context.close(promise: nil)
            case 9: write(Self.frame(0x8A, frame.payload))
            default: break
            }
        }
        if received.readableBytes > Self.messageBytesMax { context.close(promise: nil) }
    }

    /// A server's frames are not masked.
    private static func frame(_ first: UInt8, _ payload: ByteBuffer) -> ByteBuffer {
        var frame = ByteBuffer()
        frame.reserveCapacity(payload.readableBytes + 10)
        frame.writeInteger(first)
        switch payload.readableBytes {
        case ...125: frame.writeInteger(UInt8(payload.readableBytes))
        case ...0xFFFF:
            frame.writeInteger(UInt8(126))
            frame.writeInteger(UInt16(payload.readableBytes))
        default:
            frame.writeInteger(UInt8(127))
            frame.writeInteger(UInt64(payload.readableBytes))
        }
        frame.writeImmutableBuffer(payload)
        return frame
    }
}
