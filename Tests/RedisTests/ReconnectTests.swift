import Base
import Foundation
import Logging
import TestKit
import Testing

@testable import Redis

@Suite struct ReconnectTests {
    @Test func aBlockedReadWakesWhenAnEntryIsAdded() async throws {
        try await withRedis { redis in
            _ = try await redis.command(["DEL", "test:stream"])
            _ = try await redis.command(["XGROUP", "CREATE", "test:stream", "workers", "$", "MKSTREAM"])
            let reader = redis.blocking()
            let read = Task {
                try await reader.command(
                    [
                        "XREADGROUP", "GROUP", "workers", "me", "COUNT", "1", "BLOCK", "20000", "STREAMS",
                        "test:stream", ">",
                    ])
            }
            try await until {
                try await redis.command(["CLIENT", "LIST"]).text?.contains("cmd=xreadgroup") == true
            }
            let id = try await redis.command(["XADD", "test:stream", "*", "call", "one"]).text
            let entry = try await read.value.array?.first?.array?.last?.array?.first?.array
            #expect(entry?.first?.text == id)
            #expect(entry?.last?.array?.compactMap(\.text) == ["call", "one"])
            _ = try await redis.command(["DEL", "test:stream"])
            await reader.close()
        }
    }

    @Test func aCancelledBlockingCommandLetsGoOfTheServerToo() async throws {
        try await withRedis { redis in
            let reader = redis.blocking()
            _ = try await reader.command(["CLIENT", "SETNAME", "test-cancelled"])
            let read = Task { try await reader.command(["BLPOP", "test:never", "60"]) }
            func isThere() async throws -> Bool {
                try await redis.command(["CLIENT", "LIST"]).text?.contains("name=test-cancelled") == true
            }
            #expect(try await isThere())
            try await until {
                try await redis.command(["CLIENT", "LIST"]).text?.split(separator: "\n")
                    .contains { $0.contains("name=test-cancelled") && $0.contains("cmd=blpop") } == true
            }
            read.cancel()
            await #expect(throws: CancellationError.self) { try await read.value }
            try await until { try await !isThere() }
            #expect(try await reader.command(["PING"]).text == "PONG")
            await reader.close()
        }
    }

    @Test func aKilledConnectionComesBack() async throws {
        try await withRedis { redis in
            try await withRedis { other in
                for _ in 0..<5 {
                    let id = try await redis.connectionID()
                    #expect(try await other.command(["CLIENT", "KILL", "ID", id]) == .int(1))
                    // At once, in the middle of it: either the old connection's end or the new one's answer.
                    let error = await refusal { try await redis.command(["PING"]) }
                    #expect(error == nil || error == .disconnected)
                    try await until { try await redis.connectionID() != id }
                }
            }
        }
    }

    @Test func whatIsInFlightWhenKilledSaysItMayHaveRun() async throws {
        try await withRedis { redis in
            let reader = redis.blocking()
            let id = try await reader.connectionID()
            let read = Task { await refusal { try await reader.command(["BLPOP", "test:never", "60"]) } }
            try await until {
                try await redis.command(["CLIENT", "LIST"]).text?.split(separator: "\n")
                    .contains { $0.hasPrefix("id=\(id) ") && $0.contains("cmd=blpop") } == true
            }
            _ = try await redis.command(["CLIENT", "KILL", "ID", id])
            let error = await read.value
            #expect(error == .disconnected)
            #expect(error?.fault.retry == .unsafe)
            #expect(try await reader.command(["PING"]).text == "PONG")
            await reader.close()
        }
    }

    @Test func aSubscriptionSurvivesBeingKilled() async throws {
        try await withRedis { redis in
            var heard = redis.subscribe(["test:news", "test:other", "test:news"]).makeAsyncIterator()
            func publish(_ text: String) async throws {
                try await until { try await redis.command(["PUBLISH", "test:news", text]).int == 1 }
            }
            try await publish("first")
            let first = await heard.next()
            #expect(first?.channel == "test:news")
            #expect(first?.message == Array("first".utf8))
            #expect(try await redis.command(["CLIENT", "KILL", "TYPE", "pubsub"]).int != 0)
            try await publish("second")
            #expect(await heard.next()?.message == Array("second".utf8))
            await redis.close()
            #expect(await heard.next() == nil)
        }
    }

    @Test func aServerThatGoesAwayAndComesBackIsFoundAgain() async throws {
        let server = try PrivateRedis(arguments: ["--requirepass", "test-password"])
        defer { server.stop() }
        try server.start()
        try await withRedis("redis://:test-password@127.0.0.1:\(server.port)/1") { redis in
            try await until { await refusal { try await redis.command(["SET", "here", "1"]) } == nil }
            let waiting = redis.blocking()
            #expect(try await waiting.command(["GET", "here"]).text == "1")
            server.stop()
            try await until {
                if case .unreachable = await refusal({ try await redis.command(["PING"]) }) {
                    true
                } else {
                    false
                }
            }
            try server.start()
            // The blocking client waits for the server; the other one fails until it is there.
            #expect(try await waiting.command(["PING"]).text == "PONG")
            try await until { await refusal { try await redis.command(["SET", "here", "2"]) } == nil }
            await waiting.close()
        }
        try await withRedis("redis://:wrong@127.0.0.1:\(server.port)") { redis in
            let error = await refusal { try await redis.command(["PING"]) }
            if case .unreachable(let cause) = error {
                #expect(cause.hasPrefix("WRONGPASS"))
            } else {
                Issue.record("\(String(describing: error))")
            }
        }
    }

    @Test func aServerThatStopsAnsweringIsGivenUp() async throws {
        let server = try PrivateRedis(arguments: [])
        defer { server.stop() }
        try server.start()
        let redis = RedisClient(
            url: "redis://127.0.0.1:\(server.port)", logger: .quiet, isBlocking: false,
            commandLimit: .milliseconds(300))
        try await until { await refusal { try await redis.command(["PING"]) } == nil }
        server.pause()
        #expect(await refusal { try await redis.command(["PING"]) } == .disconnected)
        server.resume()
        try await until { await refusal { try await redis.command(["PING"]) } == nil }
        await redis.close()
    }

    @Test func aMalformedURLIsReported() async throws {
        try await withRedis("nonsense") { redis in
            if case .unreachable = await refusal({ try await redis.command(["PING"]) }) {
            } else {
                Issue.record("no error")
            }
        }
    }
}

/// A Redis of this test's own, on a free port of 127.0.0.1, that can be stopped and paused.
private final class PrivateRedis {
    let port: UInt16
    private let arguments: [String]
    private var process: Process?

    init(arguments: [String]) throws {
        self.arguments = arguments
        port = try Self.freePort()
    }

    func start() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
            + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
    }

    func stop() {
        guard let process else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        self.process = nil
    }

    func pause() { if let process { kill(process.processIdentifier, SIGSTOP) } }
    func resume() { if let process { kill(process.processIdentifier, SIGCONT) } }

    private static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic -> UInt16? in
                guard bind(descriptor, generic, length) == 0, getsockname(descriptor, generic, &length) == 0
                else { return nil }
                return UInt16(bigEndian: pointer.pointee.sin_port)
            }
        }
        return try #require(port)
    }
}
