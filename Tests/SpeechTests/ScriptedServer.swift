import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// A server that answers every connection with the same bytes, in the pieces given, and notes what it was asked.
final class ScriptedServer: Sendable {
    struct Answer: Sendable {
        var status = "200 OK"
        var headers: [String] = ["Content-Type: text/event-stream"]
        /// One write each.
        var pieces: [String]
        /// false: the last piece is followed by silence.
        var closes = true
    }

    private let channel: any Channel
    private let state: State
    var url: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)/v1/" }

    final class State: Sendable {
        let asked = Mutex("")
        let closed = Recorder<Bool>()
    }
    var asked: String { state.asked.withLock { $0 } }
    /// Waits until a client has closed its connection.
    func clientLeft() async -> Bool { await state.closed.first { $0 } ?? false }

    init(_ answer: Answer) async throws {
        let state = State()
        self.state = state
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Answering(answer: answer, state: state))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    func close() async throws { try await channel.close() }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        let answer: Answer
        let state: State
        private var request = ""
        private var isAnswered = false

        init(answer: Answer, state: State) {
            self.answer = answer
            self.state = state
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            request += String(buffer: unwrapInboundIn(data))
            guard !isAnswered, isWhole else { return }
            isAnswered = true
            state.asked.withLock { $0 = request }
            var head = "HTTP/1.1 \(answer.status)\r\nConnection: close\r\n"
            for header in answer.headers { head += header + "\r\n" }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: head + "\r\n")), promise: nil)
            for piece in answer.pieces {
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: piece)), promise: nil)
            }
            if answer.closes { context.close(promise: nil) }
        }

        private var isWhole: Bool {
            guard let end = request.range(of: "\r\n\r\n") else { return false }
            let length = request.lowercased().split(separator: "\r\n").first {
                $0.hasPrefix("content-length:")
            }
            let wanted = length.flatMap { Int($0.dropFirst(15).filter { $0 != " " }) } ?? 0
            return request[end.upperBound...].utf8.count >= wanted
        }

        func channelInactive(context: ChannelHandlerContext) { state.closed.record(true) }
    }
}
