import Glibc
import NIOCore
import NIOPosix

/// A TCP connection whose bytes a test writes and reads itself.
struct RawConnection {
    private let channel: any Channel
    private var chunks: AsyncStream<[UInt8]>.Iterator
    private var received: [UInt8] = []

    init(port: Int, reading: Bool = true) async throws {
        let stream = AsyncStream<[UInt8]>.makeStream()
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reading)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collecting(stream.continuation))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        chunks = stream.stream.makeAsyncIterator()
    }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }
    func send(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }

    func sendUpgrade(_ path: String, more: String = "") async throws {
        try await send(
            "GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\(more)\r\n")
    }

    /// Everything up to and including the text; nil: the connection ended before.
    mutating func read(through text: String) async -> String? {
        let wanted = Array(text.utf8)
        while true {
            if let end = Self.end(of: wanted, in: received) {
                defer { received.removeFirst(end) }
                return String(decoding: received[..<end], as: UTF8.self)
            }
            guard let chunk = await chunks.next() else { return nil }
            received += chunk
        }
    }

    mutating func read(_ count: Int) async -> [UInt8]? {
        while received.count < count {
            guard let chunk = await chunks.next() else { return nil }
            received += chunk
        }
        defer { received.removeFirst(count) }
        return Array(received[..<count])
    }

    /// Everything until the other side ends the connection.
    mutating func readToEnd() async -> [UInt8] {
        while let chunk = await chunks.next() { received += chunk }
        return received
    }

    private static func end(of wanted: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= wanted.count else { return nil }
        return (0...bytes.count - wanted.count).first { bytes[$0..<$0 + wanted.count].elementsEqual(wanted) }
            .map { $0 + wanted.count }
    }

    /// With a reset instead of a FIN.
    func reset() async throws {
        try await (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try await channel.close()
    }

    func close() async { try? await channel.close() }
}

/// A client's frame: masked unless told otherwise.
func frame(_ first: UInt8, _ payload: [UInt8], isMasked: Bool = true) -> [UInt8] {
    let mask: UInt8 = isMasked ? 0x80 : 0
    var bytes: [UInt8] = [first]
    switch payload.count {
    case ...125: bytes.append(mask | UInt8(payload.count))
    case ...65535: bytes += [mask | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
    default: bytes += [mask | 127] + (0..<8).reversed().map { UInt8(payload.count >> ($0 * 8) & 0xFF) }
    }
    guard isMasked else { return bytes + payload }
    let key: [UInt8] = [7, 77, 177, 250]
    return bytes + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
}

private final class Collecting: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let chunks: AsyncStream<[UInt8]>.Continuation
    init(_ chunks: AsyncStream<[UInt8]>.Continuation) { self.chunks = chunks }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        chunks.yield(Array(unwrapInboundIn(data).readableBytesView))
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    func channelInactive(context: ChannelHandlerContext) { chunks.finish() }
}
