import Logging
import Redis
import TestKit

/// A client of the shared server, or of `url`, for the length of `body`.
func withRedis<Value>(_ url: String = TestServices.redisURL, _ body: (RedisClient) async throws -> Value)
    async throws -> Value
{
    let client = RedisClient(url: url, logger: .quiet)
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

extension RedisClient {
    /// The server's number for this client's connection.
    func connectionID() async throws -> String {
        try await command(["CLIENT", "ID"]).int.map { String($0) } ?? ""
    }
}
