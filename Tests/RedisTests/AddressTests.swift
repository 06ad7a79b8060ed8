import Testing

@testable import Redis

@Suite struct AddressTests {
    @Test func urlsAreRead() throws {
        let socket = try #require(RedisAddress(url: "unix:///run/redis.sock?db=3"))
        #expect(socket.place == .unix(path: "/run/redis.sock"))
        #expect(socket.database == 3)

        let full = try #require(RedisAddress(url: "redis://me:p%40ss:word@example.test:7000/2"))
        #expect(full.place == .tcp(host: "example.test", port: 7000))
        #expect(full.user == "me")
        #expect(full.password == "p@ss:word")
        #expect(full.database == 2)

        let short = try #require(RedisAddress(url: "redis://:secret@[::1]"))
        #expect(short.place == .tcp(host: "::1", port: 6379))
        #expect(short.user == nil)
        #expect(short.password == "secret")
    }

    @Test(arguments: [
        "", "redis://", "rediss://host", "http://host", "redis://host:0", "redis://host:70000",
        "redis://host:x", "redis://h/x",
        "unix://relative", "unix:///a?db=-1", "redis://user@host", "redis://:%4@host", "redis://[::1",
        "redis://:@",
    ])
    func malformedURLsAreNot(url: String) {
        #expect(RedisAddress(url: url) == nil)
    }
}
