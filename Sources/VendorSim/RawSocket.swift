import NIOCore
import NIOPosix

/// A WebSocket client written by hand on a bare TCP connection, so that it can break every rule.
///
/// ws only; reads the answer to the upgrade and afterwards only counts bytes.
package final class RawSocket: Sendable {
    package struct NotOpened: Error, Hashable, Sendable {
        /// HTTP status of the refusal; nil when the connection ended without one.
        package var status: Int?
    }

    /// How long the other side may take to answer or to hang up.
    static let answerMax: TimeAmount = .seconds(10)

    private let channel: any Channel
    private let ears: EventLoopFuture<Int?>

    private init(channel: any Channel, ears: EventLoopFuture<Int?>) {
        self.channel = channel
        self.ears = ears
    }

    /// - Parameter url: `ws://host:port/path`.
    /// - Throws: `NotOpened` when the upgrade is refused.
    package static func open(
        _ url: String, headers: [(String, String)] = []
    ) async throws -> RawSocket {
        guard url.hasPrefix("ws://") else { throw NotOpened(status: nil) }
        let rest = url.dropFirst(5)
        let authority = rest.prefix { $0 != "/" }
        let parts = authority.split(separator: ":")
        guard let host = parts.first else { throw NotOpened(status: nil) }
        let port = parts.count > 1 ? Int(parts[1]) ?? 80 : 80
        let path = rest.dropFirst(authority.count)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let status = loop.makePromise(of: Int?.self)
        let over = loop.makePromise(of: Int?.self)
        let channel = try await ClientBootstrap(group: loop).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(UpgradeAnswer(status: status, over: over))
            }
        }.connect(host: String(host), port: port).get()
        var request =
            "GET \(path.isEmpty ? "/" : path) HTTP/1.1\r\nHost: \(authority)\r\nUpgrade: websocket\r\n"
        request +=
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        for (name, value) in headers { request += "\(name): \(value)\r\n" }
        try await channel.writeAndFlush(ByteBuffer(string: request + "\r\n")).get()
        loop.scheduleTask(in: answerMax) { status.succeed(nil) }
        let answer = try await status.futureResult.get()
        guard answer == 101 else {
            channel.close(promise: nil)
            throw NotOpened(status: answer)
        }
        return RawSocket(channel: channel, ears: over.futureResult)
    }

    package func send(text: String) async throws { try await send(opcode: 1, Array(text.utf8)) }
    package func send(binary: [UInt8]) async throws { try await send(opcode: 2, binary) }

    /// - Parameters:
    ///   - lengthClaimed: what the header says, when it is to lie.
    ///   - isMasked: clients must mask.
    package func send(
        opcode: UInt8, _ payload: [UInt8], lengthClaimed: UInt64? = nil, isMasked: Bool = true
    ) async throws {
        var buffer = ByteBuffer()
        let length = lengthClaimed ?? UInt64(payload.count)
        let mask: UInt8 = isMasked ? 0x80 : 0
        buffer.writeInteger(0x80 | opcode)
        if length < 126 {
            buffer.writeInteger(mask | UInt8(length))
        } else if length <= 0xFFFF {
            buffer.writeInteger(mask | 126)
            buffer.writeInteger(UInt16(length))
        } else {
            buffer.writeInteger(mask | 127)
            buffer.writeInteger(length)
        }
        // A mask of zeros is a mask.
        if isMasked { buffer.writeInteger(UInt32(0)) }
        buffer.writeBytes(payload)
        try await channel.writeAndFlush(buffer)
    }

    package func send(bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// From now on nothing is read: the other side's writes pile up.
    package func stopReading() async throws { try await channel.setOption(.autoRead, value: false).get() }

    /// Waits until the other side ends the connection; returns the close code it gave, nil when there was
    /// none.
    package func closedByOtherSide() async throws -> Int? { try await ears.get() }

    package func close() { channel.close(promise: nil) }
}

/// Finds the status of the upgrade's answer, then watches for a close frame and the end.
private final class UpgradeAnswer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let status: EventLoopPromise<Int?>
    private let over: EventLoopPromise<Int?>
    private var received = ByteBuffer()
    private var isOpen = false
    private var closeCode: Int?

    init(status: EventLoopPromise<Int?>, over: EventLoopPromise<Int?>) {
        self.status = status
        self.over = over
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.writeImmutableBuffer(unwrapInboundIn(data))
        if !isOpen { readHead() }
        if isOpen { readFrames() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        status.succeed(nil)
        over.succeed(closeCode)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func readHead() {
        let text = String(buffer: received)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return }
        let code = text.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        received.moveReaderIndex(forwardBy: text[..<end.upperBound].utf8.count)
        isOpen = code == 101
        status.succeed(code)
    }

    private func readFrames() {
        while let (opcode, payload) = frame() {
            guard opcode == 8 else { continue }
            closeCode = payload.getInteger(at: payload.readerIndex, as: UInt16.self).map { Int($0) }
            over.succeed(closeCode)
        }
        received.discardReadBytes()
    }

    private func frame() -> (UInt8, ByteBuffer)? {
        let start = received.readerIndex
        guard let first = received.readInteger(as: UInt8.self),
            let second = received.readInteger(as: UInt8.self)
        else {
            received.moveReaderIndex(to: start)
            return nil
        }
        let length: Int?
        switch second & 0x7F {
        case 126: length = received.readInteger(as: UInt16.self).map { Int($0) }
        case 127: length = received.readInteger(as: UInt64.self).map { Int(clamping: $0) }
        default: length = Int(second & 0x7F)
        }
        guard let length, let payload = received.readSlice(length: length) else {
            received.moveReaderIndex(to: start)
            return nil
        }
        return (first & 0x0F, payload)
    }
}
