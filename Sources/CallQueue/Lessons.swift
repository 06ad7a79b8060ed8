package import Base
import Redis

extension CallQueue {
    /// A tenant without calls for so long is routed as one that never had any.
    package static let lessonsLifetime: Duration = .seconds(30 * 86_400)

    /// Keeps what a tenant's calls taught a worker's router: numbers by hashed words, no words.
    package func saveLessons(_ tenant: ID<Tenant>, _ lessons: [UInt8]) async throws {
        let seconds = String(Self.lessonsLifetime.milliseconds / 1000)
        _ = try await redisCommand([
            Array("SET".utf8), Self.lessons(tenant), lessons, Array("EX".utf8), Array(seconds.utf8),
        ])
    }

    /// nil when there are none, or Redis has lost them.
    package func loadLessons(_ tenant: ID<Tenant>) async throws -> [UInt8]? {
        guard case .string(let lessons) = try await redisCommand([Array("GET".utf8), Self.lessons(tenant)])
        else { return nil }
        return lessons
    }

    private static func lessons(_ tenant: ID<Tenant>) -> [UInt8] { Array("parley:lessons:\(tenant)".utf8) }
}
