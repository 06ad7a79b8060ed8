import Base
package import CallQueue
package import Logging
import Postgres
package import Store

/// Rings waiting calls for which their tenant and their region have free slots.
package struct ReleaseCalls: Sendable {
    /// Calls released in one SQL transaction, so that none runs for long.
    package static let batchMax = 500
    /// One slot in so many is kept for inbound calls.
    package static let inboundShare = 10

    private let outbox: OutboxStore
    private let queue: CallQueue
    private let logger: Logger

    package init(database: Database, queue: CallQueue, logger: Logger) {
        outbox = OutboxStore(database)
        self.queue = queue
        self.logger = logger
    }

    /// One round. Returns what was released, and the shares for the next round.
    package func callAsFunction(_ share: FairShare) async throws -> (released: Int, share: FairShare) {
        let done = try await outbox.alone { sql -> (rung: [OutboxStore.Rung], share: FairShare) in
            var share = share
            var rung: [OutboxStore.Rung] = []
            for (region, all, used) in try await OutboxStore.capacity(in: sql) {
                let slots = min(Self.batchMax, all - all / Self.inboundShare - used)
                guard slots > 0 else { continue }
                let waiting = try await OutboxStore.waiting(region: region, upTo: slots, in: sql)
                let claims = waiting.map {
                    FairShare.Claim(tenant: $0.tenant, weight: $0.weight, most: min($0.free, $0.calls))
                }
                for (tenant, count) in share.share(slots, among: claims) where count > 0 {
                    rung += try await OutboxStore.release(tenant, region: region, count: count, in: sql)
                }
            }
            return (rung, share)
        }
        guard let done else { return (0, share) }
        await ring(done.rung)
        return (done.rung.count, done.share)
    }

    /// Rings again for calls that nobody claimed: Redis may have lost the first ring.
    package func ringAgain(after age: Duration) async throws -> Int {
        let missed = try await outbox.unclaimed(since: age, limit: Self.batchMax)
        await ring(missed)
        return missed.count
    }

    /// After COMMIT. A ring that fails is rung again later: the rows say that these calls wait.
    func ring(_ calls: [OutboxStore.Rung]) async {
        for call in calls {
            do {
                try await queue.ring(call.call, tenant: call.tenant, region: call.region)
            } catch {
                logger.warning(
                    "the bell is away: calls are rung again when it is back",
                    metadata: ["waiting": .stringConvertible(calls.count), "error": .string("\(error)")])
                return
            }
        }
    }
}
