package import Base
import Redis

extension CallQueue {
    /// Keeps the newest checkpoint of a call, sealed by the worker that holds it.
    package func saveCheckpoint(_ call: ID<Call>, sealed: [UInt8]) async throws {
        guard sealed.count <= Self.checkpointBytesMax else {
            throw Fault(code: "queue.checkpoint_too_large", retry: .never, cause: "\(sealed.count) bytes")
        }
        let seconds = String(Self.checkpointLifetime.milliseconds / 1000)
        _ = try await redisCommand([
            Array("SET".utf8), Self.checkpoint(call), sealed, Array("EX".utf8), Array(seconds.utf8),
        ])
    }

    /// nil when there is none, or Redis has lost it.
    package func loadCheckpoint(_ call: ID<Call>) async throws -> [UInt8]? {
        guard case .string(let sealed) = try await redisCommand([Array("GET".utf8), Self.checkpoint(call)])
        else {
            return nil
        }
        return sealed
    }

    package func dropCheckpoint(_ call: ID<Call>) async throws {
        _ = try await redisCommand([Array("DEL".utf8), Self.checkpoint(call)])
    }

    /// Shows an event to whoever watches the call right now; kept nowhere.
    package func publish(event: [UInt8], call: ID<Call>) async throws {
        _ = try await redisCommand([Array("PUBLISH".utf8), Array(Self.channel(call).utf8), event])
    }

    /// Events published from now on, in order; a slow watcher may miss some. Ends with the watching task.
    package func events(call: ID<Call>) -> AsyncMapSequence<
        AsyncStream<(channel: String, message: [UInt8])>, [UInt8]
    > {
        subscribe([Self.channel(call)]).map { $0.message }
    }

    private static func checkpoint(_ call: ID<Call>) -> [UInt8] { Array("parley:checkpoint:\(call)".utf8) }
    private static func channel(_ call: ID<Call>) -> String { "parley:events:\(call)" }
}
