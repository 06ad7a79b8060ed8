import Base
import Redis
import Testing

@Suite struct CommandTests {
    @Test func repliesKeepTheOrderOfTheCommands() async throws {
        try await withRedis { redis in
            let replies = try await redis.pipeline((0..<500).map { ["ECHO", "\($0)"] })
            #expect(replies.map(\.text) == (0..<500).map { "\($0)" })
        }
    }

    @Test func manyCallersAtOnceEachGetTheirOwnReply() async throws {
        try await withRedis { redis in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<1000 {
                    group.addTask {
                        let reply = try await redis.command(["ECHO", "\(number)"])
                        #expect(reply.int == Int64(number))
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func anyByteMayOccur() async throws {
        let every = (0...255).map { UInt8($0) }
        let key = Array("test:binary".utf8)
        try await withRedis { redis in
            let stored = try await redis.command([Array("SET".utf8), key, every])
            #expect(stored.text == "OK")
            #expect(try await redis.command([Array("GET".utf8), key]) == .string(every))
            #expect(try await redis.command([Array("SET".utf8), key, []]) == .status("OK"))
            #expect(try await redis.command(["GET", "test:binary"]) == .string([]))
            #expect(try await redis.command(["STRLEN", "test:binary"]).int == 0)
            #expect(try await redis.command(["DEL", "test:binary"]) == .int(1))
            #expect(try await redis.command(["GET", "test:binary"]).isNull)
        }
    }

    @Test func aLargeValueIsSentAndReadWhole() async throws {
        let large = [UInt8](repeating: 0xA5, count: 8 << 20)
        try await withRedis { redis in
            _ = try await redis.command([
                Array("SET".utf8), Array("test:large".utf8), large, Array("EX".utf8), Array("60".utf8),
            ])
            #expect(try await redis.command(["GET", "test:large"]).bytes == large)
            _ = try await redis.command(["DEL", "test:large"])
        }
    }

    @Test func anErrorOfTheServerIsThrownWithItsCode() async throws {
        try await withRedis { redis in
            _ = try await redis.command(["SET", "test:text", "words", "EX", "60"])
            let error = await refusal { try await redis.command(["LPUSH", "test:text", "x"]) }
            #expect(error?.code == "WRONGTYPE")
            #expect(error?.fault.retry == .never)
            #expect(await refusal { try await redis.command(["NONSENSE"]) }?.code == "ERR")
            #expect(try await redis.command(["GET", "test:text"]).text == "words")
        }
    }

    @Test func errorsInsideAPipelineAreReplies() async throws {
        try await withRedis { redis in
            let replies = try await redis.pipeline([
                ["SET", "test:p", "1", "EX", "60"], ["LPUSH", "test:p", "x"], ["INCR", "test:p"],
            ])
            #expect(replies[0] == .status("OK"))
            if case .error(let text) = replies[1] {
                #expect(text.hasPrefix("WRONGTYPE"))
            } else {
                Issue.record("no error")
            }
            #expect(replies[2] == .int(2))
            let both = try await redis.pipeline([
                ["MULTI"], ["INCR", "test:p"], ["INCR", "test:p"], ["EXEC"],
            ])
            #expect(both.last == .array([.int(3), .int(4)]))
        }
    }

    @Test(arguments: [["MULTI"], ["subscribe", "x"], ["SELECT", "1"], ["MONITOR"], []])
    func commandsThatWouldChangeTheConnectionForOthersAreRefused(words: [String]) async throws {
        try await withRedis { redis in
            let error = await refusal { try await redis.command(words) }
            if case .usage = error {} else { Issue.record("\(String(describing: error))") }
        }
    }

    @Test func aNestedReplyKeepsItsShape() async throws {
        try await withRedis { redis in
            let script =
                "return {1, 'two', {3, {'four'}}, false, "
                + "redis.status_reply('five'), redis.error_reply('SIX is bad')}"
            let reply = try await redis.command(["EVAL", script, "0"])
            #expect(
                reply
                    == .array([
                        .int(1), .string(Array("two".utf8)),
                        .array([.int(3), .array([.string(Array("four".utf8))])]), .null,
                        .status("five"), .error("SIX is bad"),
                    ]))
        }
    }

    @Test func aClosedClientTakesNothing() async throws {
        try await withRedis { redis in
            _ = try await redis.command(["PING"])
            await redis.close()
            #expect(await refusal { try await redis.command(["PING"]) } == .closed)
        }
    }
}
