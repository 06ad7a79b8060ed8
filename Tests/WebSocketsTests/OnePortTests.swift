import NIOCore
import NIOPosix
import Testing
import WebSockets

/// Routes and sockets on one port, and what happens to requests that are neither.
@Suite(.timeLimit(.minutes(1))) struct OnePortTests {
    private func with(
        limits: WebSocketLimits = WebSocketLimits(), _ body: (SocketServer) async throws -> Void
    ) async throws {
        let server = try await SocketServer.start(limits: limits)
        do { try await body(server) } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    @Test func routesAndSocketsAnswerOnOnePort() async throws {
        try await with { server in
            var raw = try await RawConnection(port: server.port)
            for _ in 0..<2 {
                try await raw.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(await raw.read(through: "hello")?.hasPrefix("HTTP/1.1 200") == true)
            }
            await raw.close()
            let log = EventLog()
            let socket = try await connect(server.url("/echo"), log: log)
            #expect(await log.next() == .opened)
            socket.perform { $0.send(text: ByteBuffer(string: "hi")) }
            #expect(await log.next() == .text("hi"))
            socket.perform { $0.close() }
            #expect(await log.next() == .closed(1000, nil))
        }
    }

    @Test func theDecisionSeesQueryHeadersAndAddress() async throws {
        try await with { server in
            var raw = try await RawConnection(port: server.port)
            try await raw.sendUpgrade("/echo?a=1&b", more: "X-Key: secret\r\n")
            let head = await raw.read(through: "\r\n\r\n") ?? ""
            #expect(head.hasPrefix("HTTP/1.1 101") && head.contains("X-Seen: a=1&b|secret|127.0.0.1\r\n"))
            #expect(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "the answer of RFC 6455 §1.3")
            await raw.close()
        }
    }

    @Test func framesRightBehindTheRequestAreNotLost() async throws {
        try await with { server in
            var raw = try await RawConnection(port: server.port)
            let upgrade =
                "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            try await raw.send(Array(upgrade.utf8) + frame(0x81, Array("early".utf8)))
            _ = await raw.read(through: "\r\n\r\n")
            #expect(await raw.read(7) == [0x81, 5] + Array("early".utf8))
            await raw.close()
        }
    }

    @Test func anH2cRequestIsAnsweredAsIfItHadNotAskedAndIsTheLast() async throws {
        try await with { server in
            var raw = try await RawConnection(port: server.port)
            try await raw.send(
                "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                    + "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
            let answer = String(decoding: await raw.readToEnd(), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 200") && answer.hasSuffix("hello"))
        }
    }

    @Test func aPlainGetOnASocketPathReachesTheRouter() async throws {
        try await with { server in
            var raw = try await RawConnection(port: server.port)
            try await raw.send("GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(String(decoding: await raw.readToEnd(), as: UTF8.self).hasPrefix("HTTP/1.1 426"))
        }
    }

    @Test func anUpgradeLaterOnAConnectionReachesTheRouter() async throws {
        try await with { server in
            var raw = try await RawConnection(port: server.port)
            try await raw.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
            _ = await raw.read(through: "hello")
            try await raw.sendUpgrade("/echo")
            #expect(String(decoding: await raw.readToEnd(), as: UTF8.self).hasPrefix("HTTP/1.1 426"))
        }
    }

    @Test(arguments: [401, 404, 429, 503])
    func aRefusalIsSeenByTheClientAsItsStatus(status: Int) async throws {
        try await with { server in
            await #expect(throws: WebSocketRefused(status: status)) {
                try await connect(server.url("/refuse/\(status)"), log: EventLog())
            }
        }
    }

    @Test func anUnknownPathIsTheRoutersToRefuse() async throws {
        try await with { server in
            await #expect(throws: WebSocketRefused(status: 404)) {
                try await connect(server.url("/nowhere"), log: EventLog())
            }
        }
    }

    @Test func aRefusalHasAProblemBodyAndEndsTheConnection() async throws {
        try await with { server in
            var raw = try await RawConnection(port: server.port)
            try await raw.sendUpgrade("/refuse/401")
            let answer = String(decoding: await raw.readToEnd(), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 401") && answer.lowercased().contains("connection: close\r\n"))
            #expect(answer.contains("application/problem+json"))
            #expect(answer.hasSuffix(#"{"title":"not \"here\"","status":401}"#))
        }
    }

    @Test func anUpgradeWithoutKeyIsABadRequest() async throws {
        try await with { server in
            var raw = try await RawConnection(port: server.port)
            try await raw.send(
                "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    + "Sec-WebSocket-Version: 13\r\n\r\n")
            #expect(String(decoding: await raw.readToEnd(), as: UTF8.self).hasPrefix("HTTP/1.1 400"))
        }
    }

    @Test func noiseInsteadOfARequestIsABadRequest() async throws {
        try await with { server in
            var raw = try await RawConnection(port: server.port)
            try await raw.send("\u{1}\u{2} noise\r\n\r\n")
            #expect(String(decoding: await raw.readToEnd(), as: UTF8.self).hasPrefix("HTTP/1.1 400"))
        }
    }

    @Test func aDecisionThatTakesTooLongIsRefused() async throws {
        var limits = WebSocketLimits()
        limits.decideMax = .milliseconds(100)
        try await with(limits: limits) { server in
            await #expect(throws: WebSocketRefused(status: 503)) {
                try await connect(server.url("/slow-decision"), log: EventLog())
            }
        }
    }

    @Test func aClientThatLeavesDuringTheDecisionHarmsNothing() async throws {
        try await with { server in
            let raw = try await RawConnection(port: server.port)
            try await raw.sendUpgrade("/slow-decision")
            await raw.close()
            var second = try await RawConnection(port: server.port)
            try await second.send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(String(decoding: await second.readToEnd(), as: UTF8.self).hasSuffix("hello"))
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct ConnectTests {
    @Test func nobodyThere() async throws {
        let server = try await SocketServer.start()
        let url = server.url("/echo")
        await server.stop()
        await #expect(throws: (any Error).self) { try await connect(url, log: EventLog()) }
    }

    @Test func aServerThatNeverAnswersMeetsTheConnectLimit() async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port ?? 0
        var limits = WebSocketLimits()
        limits.connectMax = .milliseconds(150)
        for scheme in ["ws", "wss"] {
            await #expect(throws: WebSocketError.connectTimeout) {
                try await connect("\(scheme)://127.0.0.1:\(port)/", limits: limits, log: EventLog())
            }
        }
        try await channel.close()
    }

    @Test(arguments: [
        "http://127.0.0.1/", "ws://", "ws://user@127.0.0.1/", "ws://127.0.0.1:0/", "ws://127.0.0.1:65536/",
        "ws://127.0.0.1:8o/", "ws://127.0.0.1/\r\nX: y", "ws://[::1/", "127.0.0.1", "",
    ])
    func oddURLsAreRefused(url: String) async {
        await #expect(throws: (any Error).self) { try await connect(url, log: EventLog()) }
    }

    @Test func aHeaderWithALineEndIsRefused() async {
        await #expect(throws: WebSocketError.badRequest("header with control characters")) {
            try await connect("ws://127.0.0.1:1/", headers: [("X-One", "a\r\nX-Two: b")], log: EventLog())
        }
    }
}
