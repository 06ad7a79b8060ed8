import Base
import NIOCore
import NIOPosix
import Synchronization

/// A collector of spans: takes every POST and keeps its body.
final class Collector: Sendable {
    private let channel: any Channel
    private let kept: Kept
    var url: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }
    var bodies: [JSON] { kept.bodies.withLock { $0 } }

    final class Kept: Sendable {
        let bodies = Mutex<[JSON]>([])
    }

    private init(channel: any Channel, kept: Kept) {
        self.channel = channel
        self.kept = kept
    }

    static func start() async throws -> Collector {
        let kept = Kept()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Taking(kept: kept))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return Collector(channel: channel, kept: kept)
    }

    func stop() async throws { try await channel.close() }

    private final class Taking: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let kept: Kept
        private var request: [UInt8] = []

        init(kept: Kept) { self.kept = kept }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            request += unwrapInboundIn(data).readableBytesView
            guard let end = request.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound else { return }
            let head = String(decoding: request[..<end], as: UTF8.self).lowercased()
            let length = head.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            guard let wanted = length.flatMap({ Int($0.dropFirst(15).filter(\.isNumber)) }),
                request.count - end >= wanted
            else { return }
            let text = String(decoding: request[end...].prefix(wanted), as: UTF8.self)
            if head.hasPrefix("post /v1/traces "), let body = JSON(parsing: text) {
                kept.bodies.withLock { $0.append(body) }
            }
            request = []
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        }
    }
}
