import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import TestKit

/// A small HTTP/1.1 server on 127.0.0.1 whose answers are chosen by the path.
final class ScriptedServer: Sendable {
    let port: Int
    struct Seen: Sendable {
        /// Connections.
        var accepted = 0
        var closed = 0
        /// Body bytes written by `/endless?NAME`, by name.
        var sent: [String: Int] = [:]
    }
    let seen: Watched<Seen>
    private let channel: any Channel
    private let quiet: Connections

    static func start(port: Int = 0) async throws -> ScriptedServer {
        let seen = Watched(Seen())
        let connections = Connections()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                seen.change { $0.accepted += 1 }
                channel.closeFuture.whenComplete { _ in seen.change { $0.closed += 1 } }
                connections.add(channel)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: false)
                    try channel.pipeline.syncOperations.addHandler(ScriptHandler(seen: seen))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        return ScriptedServer(channel: channel, seen: seen, connections: connections)
    }

    private init(channel: any Channel, seen: Watched<Seen>, connections: Connections) {
        self.channel = channel
        self.seen = seen
        quiet = connections
        port = channel.localAddress?.port ?? 0
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    func stop() async {
        try? await channel.close()
        for child in quiet.all() { try? await child.close() }
    }
}

final class Connections: Sendable {
    private let channels = Mutex<[any Channel]>([])
    func add(_ channel: any Channel) { channels.withLock { $0.append(channel) } }
    func all() -> [any Channel] { channels.withLock { $0 } }
}

private final class ScriptHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let seen: Watched<ScriptedServer.Seen>
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()
    private var endless: String?

    init(seen: Watched<ScriptedServer.Seen>) { self.seen = seen }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.clear()
        case .body(var piece): body.writeBuffer(&piece)
        case .end:
            if let head { answer(head, context) }
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if endless != nil { pour(context) }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let parts = head.uri.split(separator: "?", maxSplits: 1)
        let argument = parts.count > 1 ? String(parts[1]) : ""
        switch parts.first ?? "/" {
        case "/hello": whole(200, "hello", context)
        case "/status": whole(Int(argument) ?? 500, "", context)
        case "/echo": echo(head, context)
        case "/bytes": whole(200, String(repeating: "x", count: Int(argument) ?? 0), context)
        case "/redirect": whole(302, "moved", context, headers: ["Location": argument])
        case "/chunks": chunks(Int(argument) ?? 0, context)
        case "/silent": break
        case "/stall": begin(context, ["Transfer-Encoding": "chunked"], "first")
        case "/reset": reset(context)
        case "/short": short(context)
        case "/long-head":
            whole(200, "", context, headers: ["X-Long": String(repeating: "a", count: 70_000)])
        case "/endless":
            begin(context, ["Transfer-Encoding": "chunked"], "")
            endless = argument
            pour(context)
        default: whole(404, "no such path", context)
        }
    }

    private func whole(
        _ status: Int, _ text: String, _ context: ChannelHandlerContext, headers: HTTPHeaders = [:]
    ) {
        var headers = headers
        headers.add(name: "Content-Length", value: String(text.utf8.count))
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    private func echo(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let lines = ["\(head.method.rawValue) \(head.uri)"] + head.headers.map { "\($0.name): \($0.value)" }
        whole(200, lines.joined(separator: "\n") + "\n\n" + String(buffer: body), context)
    }

    private func begin(_ context: ChannelHandlerContext, _ headers: HTTPHeaders, _ text: String) {
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers))),
            promise: nil)
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
    }

    private func chunks(_ count: Int, _ context: ChannelHandlerContext) {
        begin(context, ["Transfer-Encoding": "chunked"], "")
        for number in 0..<count {
            let text = ByteBuffer(string: "data: \(number)\n\n")
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(text))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    private func pour(_ context: ChannelHandlerContext) {
        let piece = ByteBuffer(repeating: 0x61, count: 16 << 10)
        while context.channel.isWritable, context.channel.isActive {
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(piece))), promise: nil)
            seen.change { $0.sent[endless ?? "", default: 0] += piece.readableBytes }
        }
    }

    private func reset(_ context: ChannelHandlerContext) {
        begin(context, ["Content-Length": "1000"], "ten bytes.")
        let channel = context.channel
        let provider = channel as? any SocketOptionProvider
        provider?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenSuccess { channel.close(promise: nil) }
    }

    private func short(_ context: ChannelHandlerContext) {
        begin(context, ["Content-Length": "1000"], "ten bytes.")
        context.close(promise: nil)
    }
}
