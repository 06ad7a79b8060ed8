import NIOCore
import Testing
import WebSockets

@Suite(.timeLimit(.minutes(1))) struct SocketExchangeTests {
    private func with(
        limits: WebSocketLimits = WebSocketLimits(), make: (@Sendable (EventLog) -> any WebSocketPeer)? = nil,
        _ body: (SocketServer) async throws -> Void
    ) async throws {
        let server = try await SocketServer.start(limits: limits, make: make)
        do { try await body(server) } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    private func open(_ server: SocketServer) async throws -> RawConnection {
        var raw = try await RawConnection(port: server.port)
        try await raw.sendUpgrade("/echo")
        _ = await raw.read(through: "\r\n\r\n")
        return raw
    }

    @Test(arguments: [0, 1, 7, 8, 125, 126, 127, 65535, 65536, 200_000])
    func everyLengthGoesThereAndBack(length: Int) async throws {
        try await with { server in
            let log = EventLog()
            let socket = try await connect(server.url("/echo"), log: log)
            #expect(await log.next() == .opened)
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            socket.perform { $0.send(binary: ByteBuffer(bytes: bytes)) }
            // A large message may stop and start the sending on the way.
            let answer = await log.first { if case .binary = $0 { true } else { false } }
            #expect(answer == .binary(bytes))
            socket.perform { $0.close() }
            #expect(await log.closed() == .closed(1000, nil))
        }
    }

    @Test func messagesStayInOrderAcrossWritesAndFlushes() async throws {
        try await with { server in
            let log = EventLog()
            let socket = try await connect(server.url("/echo"), log: log)
            _ = await log.next()
            socket.perform { socket in
                for number in 0..<100 { socket.write(text: ByteBuffer(string: "\(number)")) }
                socket.flush()
            }
            for number in 0..<100 { #expect(await log.next() == .text("\(number)")) }
        }
    }

    @Test func fragmentsBecomeOneMessageWithAPingBetween() async throws {
        try await with { server in
            var raw = try await open(server)
            try await raw.send(frame(0x01, Array("one ".utf8)))
            try await raw.send(frame(0x89, Array("?".utf8)))
            try await raw.send(frame(0x00, Array("two ".utf8)) + frame(0x80, Array("three".utf8)))
            #expect(await raw.read(3) == [0x8A, 1] + Array("?".utf8))
            #expect(await raw.read(15) == [0x81, 13] + Array("one two three".utf8))
            await raw.close()
        }
    }

    @Test func aFrameByteByByteIsStillAFrame() async throws {
        try await with { server in
            var raw = try await open(server)
            for byte in frame(0x81, Array("slow".utf8)) { try await raw.send([byte]) }
            #expect(await raw.read(6) == [0x81, 4] + Array("slow".utf8))
            await raw.close()
        }
    }

    @Test func bothSidesLearnTheCloseCode() async throws {
        try await with { server in
            let log = EventLog()
            let socket = try await connect(server.url("/echo"), log: log)
            socket.perform { $0.send(text: ByteBuffer(string: "close")) }
            #expect(await log.closed() == .closed(4000, nil))
            #expect(await server.events.closed() == .closed(4000, nil))
        }
    }

    @Test func aCloseWithoutCodeIs1005() async throws {
        try await with { server in
            var raw = try await open(server)
            try await raw.send(frame(0x88, []))
            #expect(await raw.readToEnd() == [0x88, 0])
            #expect(await server.events.closed() == .closed(1005, nil))
        }
    }

    /// What the server answers with, by what it got.
    @Test(
        arguments: [
            (frame(0x81, Array("hi".utf8), isMasked: false), 1002),
            (frame(0xC1, Array("hi".utf8)), 1002),  // reserved bit
            (frame(0x83, []), 1002),  // unknown opcode
            (frame(0x80, Array("hi".utf8)), 1002),  // continuation of nothing
            (frame(0x01, [1]) + frame(0x81, [2]), 1002),  // message inside a message
            (frame(0x09, []), 1002),  // fragmented ping
            (frame(0x89, [UInt8](repeating: 0, count: 126)), 1002),  // long ping
            (frame(0x88, [0]), 1002),  // half a close code
            (frame(0x88, [0x03, 0xED]), 1002),  // 1005 must not be sent
            ([0x82, 0xFF, 0, 0, 0, 0, 0, 0x10, 0, 1], 1009),  // announces a byte more than a mebibyte
            ([0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], 1009),
            (
                frame(0x02, [UInt8](repeating: 0, count: 600_000))
                    + frame(0x80, [UInt8](repeating: 0, count: 600_000)), 1009
            ),
            (frame(0x02, [0]) + (0..<64).flatMap { _ in frame(0x00, [0]) }, 1009),  // too many fragments
        ] as [([UInt8], Int)])
    func violationsAreAnsweredWithTheirCode(bytes: [UInt8], code: Int) async throws {
        try await with { server in
            var raw = try await open(server)
            try await raw.send(bytes)
            #expect(await raw.read(4) == [0x88, 2, UInt8(code >> 8), UInt8(code & 0xFF)])
            try await raw.send(frame(0x88, [UInt8(code >> 8), UInt8(code & 0xFF)]))
            await raw.close()
            guard case .closed(_, let error?)? = await server.events.closed() else {
                Issue.record("closed without an error")
                return
            }
            #expect(error == .messageTooLarge || code == 1002)
        }
    }

    @Test func aViolatorWhoStaysIsCutOff() async throws {
        var limits = WebSocketLimits()
        limits.closeMax = .milliseconds(100)
        try await with(limits: limits) { server in
            var raw = try await open(server)
            try await raw.send(frame(0x83, []))
            #expect(await raw.readToEnd() == [0x88, 2, 0x03, 0xEA])
        }
    }

    @Test func aResetConnectionIsAnErrorAndAQuietEndIsLost() async throws {
        try await with { server in
            var raw = try await open(server)
            try await raw.reset()
            let end = await server.events.closed()
            #expect(end == .closedByOther || end == .closed(nil, .connectionLost))
            raw = try await open(server)
            await raw.close()
            #expect(await server.events.closed() == .closed(nil, .connectionLost))
        }
    }

    @Test func aSilentOtherSideIsPingedThenGivenUp() async throws {
        var limits = WebSocketLimits()
        limits.pingInterval = .milliseconds(50)
        try await with(limits: limits) { server in
            var raw = try await open(server)
            #expect(await raw.readToEnd() == [0x89, 0, 0x89, 0])
            #expect(await server.events.closed() == .closed(nil, .deadPeer))
        }
    }

    @Test func anAnsweringOtherSideIsKept() async throws {
        var limits = WebSocketLimits()
        limits.pingInterval = .milliseconds(100)
        try await with(limits: limits) { server in
            var raw = try await open(server)
            for _ in 0..<4 {
                #expect(await raw.read(2) == [0x89, 0])
                try await raw.send(frame(0x8A, []))
            }
            await raw.close()
            #expect(await server.events.closed() == .closed(nil, .connectionLost))
        }
    }

    @Test func aReaderThatStallsIsClosedRatherThanBuffered() async throws {
        var limits = WebSocketLimits()
        limits.closeMax = .milliseconds(200)
        try await with(limits: limits) { server in
            let raw = try await RawConnection(port: server.port, reading: false)
            try await raw.sendUpgrade("/echo")
            try await raw.send(frame(0x81, Array("flood".utf8)))
            #expect(await server.events.closed() == .closed(1013, .tooSlow))
            await raw.close()
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct ShutdownTests {
    @Test func theServerSaysGoodbyeWith1001() async throws {
        let server = try await SocketServer.start()
        let log = EventLog()
        _ = try await connect(server.url("/echo"), log: log)
        let started = ContinuousClock.now
        await server.stop()
        #expect(await log.closed() == .closed(1001, nil))
        #expect(ContinuousClock.now - started < .seconds(2))
    }

    @Test func aPeerMaySayMoreAndIsClosedAfterItsTime() async throws {
        var limits = WebSocketLimits()
        limits.goingAwayMax = .milliseconds(300)
        let server = try await SocketServer.start(limits: limits, make: { StayingPeer(events: $0) })
        let log = EventLog()
        _ = try await connect(server.url("/echo"), log: log)
        let started = ContinuousClock.now
        await server.stop()
        #expect(ContinuousClock.now - started >= .milliseconds(300))
        #expect(await log.next() == .opened)
        #expect(await log.next() == .text("last words"))
        #expect(await log.next() == .closed(1001, nil))
        #expect(await server.events.first { $0 == .goingAway } == .goingAway)
    }

    @Test func aClientThatIgnoresTheGoodbyeIsCutOff() async throws {
        var limits = WebSocketLimits()
        limits.closeMax = .milliseconds(200)
        let server = try await SocketServer.start(limits: limits)
        var raw = try await RawConnection(port: server.port)
        try await raw.sendUpgrade("/echo")
        _ = await raw.read(through: "\r\n\r\n")
        await server.stop()
        #expect(await raw.readToEnd().prefix(4) == [0x88, 12, 0x03, 0xE9])
    }

    @Test func aConnectionThatNeverAskedForAnythingDoesNotHoldUpTheServer() async throws {
        let server = try await SocketServer.start()
        var raw = try await RawConnection(port: server.port)
        // The server must have accepted it before it is stopped.
        var other = try await RawConnection(port: server.port)
        try await other.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        _ = await other.read(through: "hello")
        await server.stop()
        #expect(await raw.readToEnd().isEmpty)
    }

    @Test func aDecisionUnderWayEndsIn503() async throws {
        let server = try await SocketServer.start()
        var raw = try await RawConnection(port: server.port)
        try await raw.sendUpgrade("/slow-decision")
        async let stopped: Void = server.stop()
        let answer = String(decoding: await raw.readToEnd(), as: UTF8.self)
        #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 503"))
        await stopped
    }
}
