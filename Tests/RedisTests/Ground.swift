import Logging
import Redis
import TestKit

/// Long enough for a loaded machine; no test waits for it when all is well.
let patience: Duration = .seconds(20)

func quietLogger() -> Logger {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}

/// A client of the shared server, or of `url`, for the length of `body`; keys of the test begin with
/// `prefix`.
func withRedis<Value>(_ url: String = TestServices.redisURL, _ body: (RedisClient) async throws -> Value)
    async throws -> Value
{
    let client = RedisClient(url: url, logger: quietLogger())
    do {
        let value = try await body(client)
        await client.close()
        return value
    } catch {
        await client.close()
        throw error
    }
}

func refusal(_ body: () async throws -> some Any) async -> RedisError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? RedisError
    }
}

/// Asks again and again until the answer is yes. For what only the server knows; ends after `patience`.
func until(_ isSo: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + patience
    while try await !isSo() {
        guard ContinuousClock.now < end else { throw TooLate() }
        await Task.yield()
    }
}
struct TooLate: Error {}

extension RedisClient {
    /// The server's number for this client's connection.
    func connectionID() async throws -> String {
        try await command(["CLIENT", "ID"]).int.map { String($0) } ?? ""
    }
}
