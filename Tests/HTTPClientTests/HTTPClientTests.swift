import Base
import HTTPClient
import Logging
import TestKit
import Testing

@discardableResult
private func withServer<T>(
    _ addresses: AddressPolicy = .anyAddress, _ body: (ScriptedServer, HTTPClient) async throws -> T
) async throws -> T {
    let server = try await ScriptedServer.start()
    let client = HTTPClient(addresses: addresses, logger: .quiet)
    do {
        let result = try await body(server, client)
        await client.close()
        await server.stop()
        return result
    } catch {
        await client.close()
        await server.stop()
        throw error
    }
}

/// The case's name, without what is inside.
private func kind(_ error: HTTPError?) -> String {
    String(String(describing: error.map { "\($0)" } ?? "none").prefix { $0 != "(" })
}

@Suite(.timeLimit(.minutes(1))) struct ExchangeTests {
    @Test func aResponseHasStatusHeadersBodyAndTimings() async throws {
        try await withServer { server, client in
            let response = try await client.send(HTTPRequest(url: server.url("/hello")))
            #expect(response.status == 200)
            #expect(String(decoding: response.body, as: UTF8.self) == "hello")
            #expect(response.header("content-length") == "5")
            #expect(!response.timings.wasReused)
            #expect(
                response.timings.firstByte > .zero && response.timings.total >= response.timings.firstByte)
        }
    }

    @Test func theSecondRequestReusesTheConnection() async throws {
        try await withServer { server, client in
            _ = try await client.send(HTTPRequest(url: server.url("/hello")))
            let second = try await client.send(HTTPRequest(url: server.url("/hello")))
            #expect(second.timings.wasReused)
            #expect(server.seen.value.accepted == 1)
        }
    }

    @Test(arguments: ["POST", "PUT", "PATCH", "DELETE", "GET"])
    func methodHeadersAndBodyArriveAsGiven(method: String) async throws {
        try await withServer { server, client in
            let request = HTTPRequest(
                method: method, url: server.url("/echo?a=1"),
                headers: [("X-One", "1"), ("Content-Type", "text/plain"), ("X-Empty", "")],
                body: Array("häl lo".utf8))
            let text = String(decoding: try await client.send(request).body, as: UTF8.self)
            #expect(text.hasPrefix("\(method) /echo?a=1\n"))
            #expect(text.contains("\nX-One: 1\n") && text.contains("\nX-Empty: \n"))
            #expect(text.contains("\nContent-Type: text/plain\n") && text.hasSuffix("\n\nhäl lo"))
        }
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "GET", "OPTIONS"])
    func aRequestWithoutBodyGetsNoContentTypeOfItsOwn(method: String) async throws {
        try await withServer { server, client in
            let response = try await client.send(HTTPRequest(method: method, url: server.url("/echo")))
            let text = String(decoding: response.body, as: UTF8.self).lowercased()
            #expect(text.hasPrefix("\(method.lowercased()) /echo\n"))
            #expect(!text.contains("content-type") && !text.contains("expect"))
        }
    }

    @Test func headHasNoBody() async throws {
        try await withServer { server, client in
            let response = try await client.send(HTTPRequest(method: "HEAD", url: server.url("/hello")))
            #expect(response.status == 200 && response.body.isEmpty)
        }
    }

    @Test(arguments: [204, 301, 404, 429, 500, 503])
    func everyStatusIsAResponse(status: Int) async throws {
        try await withServer { server, client in
            let response = try await client.send(HTTPRequest(url: server.url("/status?\(status)")))
            #expect(response.status == status)
        }
    }

    @Test func aBodyOverAMegabyteIsSentWithoutWaiting() async throws {
        try await withServer { server, client in
            var request = HTTPRequest(
                method: "POST", url: server.url("/echo"), body: [UInt8](repeating: 0x62, count: 2 << 20))
            request.limits.responseBytesMax = 4 << 20
            let response = try await client.send(request)
            #expect(response.body.count > 2 << 20)
        }
    }

    @Test func aHundredRequestsAtOnce() async throws {
        try await withServer { server, client in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        try await client.send(HTTPRequest(url: server.url("/bytes?\(number * 1000)"))).body
                            .count
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.sorted() == (0..<100).map { $0 * 1000 })
        }
    }

    @Test func redirectsAreAnswersUnlessAskedFor() async throws {
        try await withServer { server, client in
            var request = HTTPRequest(url: server.url("/redirect?/hello"))
            #expect(try await client.send(request).status == 302)
            request.limits.redirectsMax = 1
            let followed = try await client.send(request)
            #expect(followed.status == 200 && followed.body == Array("hello".utf8))
            request.url = server.url("/redirect?/redirect?/hello")
            await #expect(throws: HTTPError.self) { try await client.send(request) }
        }
    }

    @Test(arguments: [
        "ftp://127.0.0.1/", "file:///etc/passwd", "http://user:password@127.0.0.1/", "http://", "127.0.0.1",
        "http://127.0.0.1/a b", "http://127.0.0.1/\r\nX: y", "gopher://x/", "http://a\\@b/",
        "http://exämple.org/",
        "",
    ])
    func oddURLsAreRefused(url: String) async throws {
        let client = HTTPClient(addresses: .anyAddress, logger: .quiet)
        let error = await #expect(throws: HTTPError.self) { try await client.send(HTTPRequest(url: url)) }
        #expect(kind(error) == "badURL")
        await client.close()
    }

    @Test(arguments: [
        ("X-One", "a\r\nX-Two: b"), ("X-One", "a\nb"), ("X One", "a"), ("X-One\r\n", "a"), ("", "a"),
        ("Content-Length", "1"), ("Transfer-Encoding", "chunked"), ("X:", "a"),
    ])
    func headersThatWouldBreakTheRequestAreRefused(name: String, value: String) async throws {
        try await withServer { server, client in
            let request = HTTPRequest(url: server.url("/hello"), headers: [(name, value)])
            let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
            #expect(kind(error) == "badURL")
            #expect(server.seen.value.accepted == 0)
        }
    }

    @Test func aMethodWithASpaceIsRefused() async throws {
        try await withServer { server, client in
            await #expect(throws: HTTPError.badURL("method")) {
                try await client.send(HTTPRequest(method: "GET /x", url: server.url("/hello")))
            }
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct LimitTests {
    private func error(
        of path: String, _ limits: HTTPLimits, scheme: String = "http"
    ) async throws -> HTTPError? {
        try await withServer { server, client in
            let request = HTTPRequest(url: "\(scheme)://127.0.0.1:\(server.port)\(path)", limits: limits)
            return await #expect(throws: HTTPError.self) { try await client.send(request) }
        }
    }

    @Test func aServerThatNeverShakesHandsMeetsTheConnectLimit() async throws {
        #expect(
            try await error(of: "/hello", HTTPLimits(connect: .milliseconds(200)), scheme: "https")
                == .timeout(.connect))
    }

    @Test func aServerThatNeverAnswersMeetsTheFirstByteLimit() async throws {
        #expect(
            try await error(of: "/silent", HTTPLimits(firstByte: .milliseconds(150))) == .timeout(.firstByte))
    }

    @Test func aServerThatGoesSilentInTheBodyMeetsTheStallLimit() async throws {
        let limits = HTTPLimits(firstByte: .seconds(5), stall: .milliseconds(150))
        #expect(try await error(of: "/stall", limits) == .timeout(.stall))
    }

    @Test func theTotalLimitEndsWhateverGoesOn() async throws {
        let limits = HTTPLimits(total: .milliseconds(300), responseBytesMax: 1 << 40)
        #expect(try await error(of: "/stall", limits) == .timeout(.total))
        #expect(try await error(of: "/silent", limits) == .timeout(.total))
    }

    @Test func aBodyOverTheLimitIsRefusedWhetherAnnouncedOrNot() async throws {
        #expect(try await error(of: "/bytes?2000", HTTPLimits(responseBytesMax: 1999)) == .tooLarge)
        #expect(try await error(of: "/endless", HTTPLimits()) == .tooLarge)
        #expect(try await error(of: "/long-head", HTTPLimits()) == .tooLarge)
    }

    @Test(arguments: ["/reset", "/short"])
    func aServerThatDiesInTheBodyIsATransportError(path: String) async throws {
        let error = try await error(of: path, HTTPLimits())
        #expect(kind(error) == "transport")
    }

    @Test func refusedThenTheServerComesBack() async throws {
        let first = try await ScriptedServer.start()
        let client = HTTPClient(addresses: .anyAddress, logger: .quiet)
        #expect(try await client.send(HTTPRequest(url: first.url("/hello"))).status == 200)
        await first.stop()
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(HTTPRequest(url: first.url("/hello")))
        }
        #expect(kind(error) == "connect")
        #expect(error?.fault.retry != .never && error?.fault.retry != .unsafe)
        let second = try await ScriptedServer.start(port: first.port)
        #expect(try await client.send(HTTPRequest(url: first.url("/hello"))).status == 200)
        await second.stop()
        await client.close()
    }

    @Test func closingTheClientFailsWhatIsUnderWayAndWhatComesLater() async throws {
        let server = try await ScriptedServer.start()
        let client = HTTPClient(addresses: .anyAddress, logger: .quiet)
        let pending = Task { try await client.send(HTTPRequest(url: server.url("/silent"))) }
        try await server.seen.until { $0.accepted > 0 }
        await client.close()
        await #expect(throws: HTTPError.transport("client closed")) { try await pending.value }
        await #expect(throws: HTTPError.transport("client closed")) {
            try await client.send(HTTPRequest(url: server.url("/hello")))
        }
        await client.close()
        await server.stop()
    }
}

@Suite(.timeLimit(.minutes(1))) struct StreamTests {
    /// What kernel buffers of both ends (32 + 4 MiB where a receive window may grow) and this client may hold. That
    /// the count settles at all is the point: an endless body would grow for ever.
    static let inFlightMax = 48 << 20

    @Test func aStreamDeliversEverythingInOrder() async throws {
        try await withServer { server, client in
            let stream = try await client.stream(HTTPRequest(url: server.url("/chunks?500")))
            #expect(stream.status == 200)
            var text = ""
            for try await chunk in stream { text += String(decoding: chunk, as: UTF8.self) }
            #expect(text == (0..<500).map { "data: \($0)\n\n" }.joined())
            #expect(stream.timings != nil)
        }
    }

    private func endless(_ server: ScriptedServer, _ name: String) -> HTTPRequest {
        var request = HTTPRequest(url: server.url("/endless?" + name))
        request.limits.responseBytesMax = 1 << 40
        request.limits.total = .seconds(60)
        return request
    }

    private func read(_ bytes: Int, of stream: HTTPStream) async throws {
        var left = bytes
        for try await chunk in stream {
            left -= chunk.count
            if left <= 0 { return }
        }
        Issue.record("an endless stream ended")
    }

    /// A neighbour who reads as fast as it can is the clock: whoever is not held back has come as far by then.
    @Test func aSlowReaderHoldsTheServerBack() async throws {
        try await withServer { server, client in
            let slow = try await client.stream(endless(server, "slow"))
            try await read(1, of: slow)
            let fast = try await client.stream(endless(server, "fast"))
            try await read(2 * Self.inFlightMax, of: fast)
            let before = server.seen.value.sent["slow"] ?? 0
            #expect(before < Self.inFlightMax)
            try await read(before + (8 << 20), of: slow)
            #expect(server.seen.value.sent["slow", default: 0] > before)
        }
    }

    @Test func aPausedStreamIsNoStall() async throws {
        try await withServer { server, client in
            var request = endless(server, "paused")
            request.limits.stall = .milliseconds(400)
            let stream = try await client.stream(request)
            try await read(1, of: stream)
            // Another one that stalls for three times as long is the clock.
            var stalling = HTTPRequest(url: server.url("/stall"))
            stalling.limits.stall = .milliseconds(1200)
            await #expect(throws: HTTPError.timeout(.stall)) { try await client.send(stalling) }
            try await read(4 << 20, of: stream)
        }
    }

    @Test func cancellingTheReaderEndsTheTransfer() async throws {
        try await withServer { server, client in
            let url = server.url("/stall")
            let first = AsyncStream<Void>.makeStream()
            let reading = Task {
                for try await _ in try await client.stream(HTTPRequest(url: url)) {
                    first.continuation.yield()
                }
            }
            for await _ in first.stream { break }
            reading.cancel()
            await #expect(throws: HTTPError.cancelled) { try await reading.value }
        }
    }

    @Test func cancellingBeforeTheHeadEndsTheTransfer() async throws {
        try await withServer { server, client in
            let url = server.url("/silent")
            let waiting = Task { try await client.stream(HTTPRequest(url: url)) }
            try await server.seen.until { $0.accepted > 0 }
            waiting.cancel()
            await #expect(throws: HTTPError.cancelled) { try await waiting.value }
        }
    }

    @Test func aTaskCancelledBeforehandSendsNothing() async throws {
        try await withServer { server, client in
            let url = server.url("/hello")
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                return try await client.send(HTTPRequest(url: url))
            }
            task.cancel()
            await #expect(throws: HTTPError.cancelled) { try await task.value }
        }
    }

    @Test func aDroppedStreamLetsTheConnectionGo() async throws {
        try await withServer { server, client in
            do {
                let stream = try await client.stream(endless(server, "dropped"))
                #expect(stream.status == 200)
            }
            try await server.seen.until { $0.closed == 1 }
        }
    }

    @Test func theServerDyingInAStreamIsThrownAtTheReader() async throws {
        try await withServer { server, client in
            let stream = try await client.stream(HTTPRequest(url: server.url("/short")))
            var read = 0
            let error = await #expect(throws: HTTPError.self) {
                for try await chunk in stream { read += chunk.count }
            }
            #expect(read == 10)
            #expect(kind(error) == "transport")
        }
    }

    @Test func callbacksComeInOrderAndCancelMayBeRepeated() async throws {
        try await withServer { server, client in
            let events = AsyncStream<String>.makeStream()
            let handle = client.start(
                HTTPRequest(url: server.url("/stall")),
                onHead: { status, _ in events.continuation.yield("head \(status)") },
                onChunk: { events.continuation.yield(String(decoding: $0, as: UTF8.self)) },
                onEnd: {
                    if case .failure(let error) = $0 { events.continuation.yield("\(error)") }
                    events.continuation.finish()
                })
            var seen: [String] = []
            for await event in events.stream {
                seen.append(event)
                if event == "first" { for _ in 0..<3 { handle.cancel() } }
            }
            handle.cancel()
            #expect(seen == ["head 200", "first", "cancelled"])
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct AddressPolicyOnTheWireTests {
    @Test(arguments: [
        "127.0.0.1", "2130706433", "0x7f000001", "017700000001", "127.1", "localhost", "[::ffff:127.0.0.1]",
    ])
    func loopbackIsRefusedInEveryDisguise(host: String) async throws {
        try await withServer(.publicOnly(allowing: [])) { server, client in
            let request = HTTPRequest(url: "http://\(host):\(server.port)/hello")
            let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
            #expect(kind(error) == "refusedAddress")
            #expect(server.seen.value.accepted == 0)
        }
    }

    @Test func anAllowedNetworkIsReached() async throws {
        try await withServer(.publicOnly(allowing: ["127.0.0.0/8"])) { server, client in
            let response = try await client.send(HTTPRequest(url: server.url("/hello")))
            #expect(response.status == 200)
        }
    }

    @Test func aRedirectToAForbiddenAddressIsRefused() async throws {
        try await withServer(.publicOnly(allowing: ["127.0.0.1"])) { server, client in
            var request = HTTPRequest(url: server.url("/redirect?http://127.0.0.2:\(server.port)/hello"))
            request.limits.redirectsMax = 3
            await #expect(throws: HTTPError.refusedAddress("127.0.0.2")) { try await client.send(request) }
            request.url = server.url("/redirect?file:///etc/passwd")
            await #expect(throws: HTTPError.self) { try await client.send(request) }
        }
    }

    @Test func networksThatAreNoneAreRefused() {
        for text in [
            "", "10.0.0.0/33", "10.0.0.0/-1", "10.0/8", "::/129", "10.0.0.0/8/8", "example.org", "10.0.0.0/",
        ] {
            #expect(throws: BadNetwork.self) { try AddressPolicy.publicOnly(allowing: [text]) }
        }
    }
}
