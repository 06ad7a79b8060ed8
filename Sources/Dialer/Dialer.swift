import Base
package import CallQueue
package import Logging
import Metrics
package import Operations
package import Store

/// The role that moves what waits: releases queued calls, sweeps stalled ones, delivers webhooks, keeps
/// partitions.
///
/// Owns: how often each of these runs, and what happens when one fails. Does not own: what they do
/// (`Operations`). Any number of dialers may run: each step is a conditional SQL statement, so they only
/// share the work.
package struct Dialer: Sendable {
    package struct Rhythm: Sendable {
        /// The relay looks at least this often; a notification wakes it at once.
        package var relay: Duration = .milliseconds(500)
        package var sweep: Duration = .milliseconds(250)
        /// A released call nobody claimed is rung again after this.
        package var ringAgain: Duration = .seconds(2)
        package var deliver: Duration = .milliseconds(500)
        package var housekeeping: Duration = .seconds(600)
        /// After a failure, before the next try.
        package var pause: Duration = .seconds(1)
        package init() {}
    }

    /// Workers whose lease ran out so long ago are forgotten.
    package static let workerMemory: Duration = .seconds(24 * 3600)

    private let parts: CallParts
    private let queue: CallQueue
    private let delivery: DeliverWebhooks?
    private let forget: ForgetCall
    private let rhythm: Rhythm
    private let patience: SweepStore.Patience
    private let logger: Logger

    /// `delivery` nil: webhooks are queued and wait. `recordings`: the directory workers write to.
    package init(
        _ parts: CallParts, queue: CallQueue, delivery: DeliverWebhooks?, recordings: String,
        rhythm: Rhythm = .init(),
        patience: SweepStore.Patience = .init(), logger: Logger
    ) {
        self.parts = parts
        self.queue = queue
        self.delivery = delivery
        forget = ForgetCall(parts.database, recordings: recordings)
        self.rhythm = rhythm
        self.patience = patience
        self.logger = logger
    }

    /// Runs until cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await relay() }
            group.addTask { await sweep() }
            group.addTask { await deliver() }
            group.addTask { await keepHouse() }
            await group.waitForAll()
        }
    }

    private func relay() async {
        let release = ReleaseCalls(database: parts.database, queue: queue, logger: logger)
        let bell = Bell(parts.database.listen(OutboxStore.channel))
        var share = FairShare()
        while !Task.isCancelled {
            do {
                var released = 0
                repeat {
                    (released, share) = try await release(share)
                    Counter(label: "parley_calls_released_total").increment(by: Int64(released))
                } while released == ReleaseCalls.batchMax
                await bell.wait(atMost: rhythm.relay)
            } catch {
                await failed("relay", error)
            }
        }
    }

    private func sweep() async {
        let release = ReleaseCalls(database: parts.database, queue: queue, logger: logger)
        let sweep = SweepCalls(parts, patience: patience)
        var trust = LeaseTrust()
        let start = ContinuousClock.now
        while !Task.isCancelled {
            do {
                let findings = try await sweep.findings()
                // Leases are judged only by one who has seen the database for as long as a lease lasts.
                if trust.contact(at: CallTime(ContinuousClock.now - start)) {
                    let swept = try await sweep(findings)
                    Counter(label: "parley_calls_swept_total").increment(
                        by: Int64(swept.ended + swept.requeued))
                }
                let missed = try await release.ringAgain(after: rhythm.ringAgain)
                Counter(label: "parley_calls_rung_again_total").increment(by: Int64(missed))
                await pause(rhythm.sweep)
            } catch {
                trust.lost()
                await failed("sweep", error)
            }
        }
    }

    private func deliver() async {
        guard let delivery else { return }
        while !Task.isCancelled {
            do {
                let delivered = try await delivery()
                if delivered == 0 { await pause(rhythm.deliver) }
            } catch {
                await failed("webhooks", error)
            }
        }
    }

    private func keepHouse() async {
        while !Task.isCancelled {
            do {
                let made = try await PartitionKeeper(parts.database).keep()
                if made > 0 { logger.info("partitions made", metadata: ["count": .stringConvertible(made)]) }
                try await LeaseStore(parts.database).sweep(olderThan: Self.workerMemory)
                _ = try await IdempotencyStore(parts.database, vault: parts.vault).sweep()
                let forgotten = try await RetentionStore(parts.database).sweep()
                Counter(label: "parley_rows_forgotten_total").increment(by: Int64(forgotten))
                let calls = try await forget.sweep { call, error in
                    logger.error(
                        "call not forgotten",
                        metadata: ["call": .string("\(call)"), "error": .string("\(error)")])
                }
                Counter(label: "parley_calls_forgotten_total").increment(by: Int64(calls))
                await pause(rhythm.housekeeping)
            } catch {
                await failed("housekeeping", error)
            }
        }
    }

    /// Logged here and nowhere else; the loop goes on.
    private func failed(_ loop: String, _ error: any Error) async {
        guard !Task.isCancelled else { return }
        logger.error("dialer step failed", metadata: ["step": .string(loop), "error": .string("\(error)")])
        Counter(label: "parley_dialer_failures_total", dimensions: [("step", loop)]).increment()
        await pause(rhythm.pause)
    }

    /// Cut short by cancellation, which the loops look for themselves.
    private func pause(_ duration: Duration) async { try? await Task.sleep(for: duration) }
}
