package import Base
package import Redis
import Synchronization

/// The bell of one region: tells workers which calls wait, keeps sealed checkpoints, carries the live view.
///
/// Owns: key names and wire forms in Redis. Does not own: any truth. An entry holds ids only, and
/// everything here may vanish: calls are rung again from PostgreSQL, a lost checkpoint loses resumption and
/// no money.
package struct CallQueue: Sendable {
    /// Entries kept in a stream; far more than the slots of a region, as only released calls are rung.
    package static let entriesMax = 100_000
    /// A checkpoint outlives the longest pause between two turns and a takeover, not the day.
    package static let checkpointLifetime: Duration = .seconds(3600)
    package static let checkpointBytesMax = 1 << 20
    package static let group = "workers"

    package let region: String
    private let redis: RedisClient
    private let reader: Reader

    package init(redis: RedisClient, region: String) {
        self.redis = redis
        self.region = region
        reader = Reader(redis)
    }

    /// Tells the region's workers that a call waits. Ringing twice is harmless: the claim has one winner.
    package func ring(_ call: ID<Call>, tenant: ID<Tenant>) async throws {
        try await ring(call, tenant: tenant, region: region)
    }

    package func ring(_ call: ID<Call>, tenant: ID<Tenant>, region: String) async throws {
        _ = try await redis.command([
            "XADD", Self.stream(region), "MAXLEN", "~", String(Self.entriesMax), "*", "call",
            call.description, "tenant",
            tenant.description,
        ])
    }

    /// Entries in the stream, read or not. 0 when Redis has lost it.
    package func depth() async throws -> Int {
        guard case .int(let depth) = try await redis.command(["XLEN", Self.stream(region)]) else { return 0 }
        return Int(depth)
    }

    /// The next call for `worker`; nil when none came within `wait`. Uses a connection of its own.
    package func next(worker: ID<Worker>, wait: Duration) async throws -> QueueEntry? {
        let milliseconds = String(max(1, wait.milliseconds))
        let command = [
            "XREADGROUP", "GROUP", Self.group, worker.description, "COUNT", "1", "BLOCK", milliseconds,
            "STREAMS",
            Self.stream(region), ">",
        ]
        let reply = try await makingGroup { try await reader.connection().command(command) }
        return Self.entries(ofStreams: reply).first
    }

    /// The entry has been dealt with: it is taken out of the stream.
    package func done(_ entry: QueueEntry) async throws {
        _ = try await redis.command(["XACK", Self.stream(region), Self.group, entry.id])
        _ = try await redis.command(["XDEL", Self.stream(region), entry.id])
    }

    /// Entries other workers read and left for longer than `idle`, now this worker's; at most `count`.
    package func reclaim(worker: ID<Worker>, idle: Duration, count: Int = 10) async throws -> [QueueEntry] {
        let command = [
            "XAUTOCLAIM", Self.stream(region), Self.group, worker.description, String(idle.milliseconds),
            "0-0", "COUNT",
            String(count),
        ]
        let reply = try await makingGroup { try await redis.command(command) }
        guard case .array(let parts) = reply, parts.count >= 2 else { return [] }
        return Self.entries(of: parts[1])
    }

    func redisCommand(_ arguments: [[UInt8]]) async throws -> RedisReply {
        try await redis.command(arguments)
    }
    func subscribe(_ channels: [String]) -> AsyncStream<(channel: String, message: [UInt8])> {
        redis.subscribe(channels)
    }

    static func stream(_ region: String) -> String { "parley:calls:\(region)" }

    /// The group is made when it is missed: on the first read, and after Redis has lost everything.
    private func makingGroup(_ read: () async throws -> RedisReply) async throws -> RedisReply {
        do {
            return try await read()
        } catch let error where "\(error)".contains("NOGROUP") {
            do {
                _ = try await redis.command([
                    "XGROUP", "CREATE", Self.stream(region), Self.group, "0", "MKSTREAM",
                ])
            } catch let error where "\(error)".contains("BUSYGROUP") {
                // Another worker was first.
            }
            return try await read()
        }
    }
}

/// One delivery of a call's id. The same call may be delivered more than once.
package struct QueueEntry: Hashable, Sendable {
    /// Redis's id of the entry.
    package var id: String
    package var call: ID<Call>
    package var tenant: ID<Tenant>
    package init(id: String, call: ID<Call>, tenant: ID<Tenant>) {
        self.id = id
        self.call = call
        self.tenant = tenant
    }
}

extension CallQueue {
    /// `[[stream, entries]]`, or null when the wait ran out.
    private static func entries(ofStreams reply: RedisReply) -> [QueueEntry] {
        guard case .array(let streams) = reply, case .array(let stream)? = streams.first, stream.count == 2
        else {
            return []
        }
        return entries(of: stream[1])
    }

    /// `[[id, [field, value, …]], …]`; what is not ours is passed over.
    private static func entries(of reply: RedisReply) -> [QueueEntry] {
        guard case .array(let list) = reply else { return [] }
        return list.compactMap { entry in
            guard case .array(let parts) = entry, parts.count == 2, let id = parts[0].text,
                case .array(let fields) = parts[1], fields.count == 4,
                let call = fields[1].text.flatMap({ ID<Call>($0) }),
                let tenant = fields[3].text.flatMap({ ID<Tenant>($0) })
            else { return nil }
            return QueueEntry(id: id, call: call, tenant: tenant)
        }
    }
}

/// The connection that may block, opened by the first reader: control planes ring and never read.
private final class Reader: Sendable {
    private let redis: RedisClient
    private let opened = Mutex<RedisClient?>(nil)

    init(_ redis: RedisClient) { self.redis = redis }

    func connection() -> RedisClient {
        opened.withLock { opened in
            if let opened { return opened }
            let connection = redis.blocking()
            opened = connection
            return connection
        }
    }
}
