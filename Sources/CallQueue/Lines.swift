import Base
import Crypto
import Redis

extension CallQueue {
    /// A synthesised line outlives a working day, so that what is said every morning is made once.
    package static let lineLifetime: Duration = .seconds(172_800)

    /// Keeps the audio of a fixed line for the workers of all regions. `id`: all that its sound depends on.
    package func saveLine(_ id: [String], audio: [UInt8]) async throws {
        let seconds = String(Self.lineLifetime.milliseconds / 1000)
        _ = try await redisCommand([
            Array("SET".utf8), Self.line(id), audio, Array("EX".utf8), Array(seconds.utf8),
        ])
    }

    /// nil when there is none, or Redis has lost it.
    package func loadLine(_ id: [String]) async throws -> [UInt8]? {
        guard case .string(let audio) = try await redisCommand([Array("GET".utf8), Self.line(id)]) else {
            return nil
        }
        return audio
    }

    /// What is said stands in no key's name; lengths keep apart what joins alike.
    private static func line(_ id: [String]) -> [UInt8] {
        var hash = SHA256()
        for part in id { hash.update(data: Array("\(part.utf8.count):\(part)".utf8)) }
        let digits = hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        return Array("parley:line:\(digits.joined())".utf8)
    }
}
