import Base
package import CallDispatch
import Foundation
package import Logging
import NIOConcurrencyHelpers

/// Tells the control plane what happens in calls: numbered per call and epoch, in order, until it is acknowledged.
///
/// `tell` may be called from any thread and never waits. While the control plane is away facts are kept in memory
/// and, sealed, on disk; a process that starts later delivers what a dead one left. `run` is the one sender.
package final class Reporter: Sendable {
    package struct Limits: Sendable {
        /// Reports in one request.
        package var batch = 100
        /// Facts kept in memory; beyond it only last facts are taken.
        package var waiting = 100_000
        package var retryFirst: Duration = .milliseconds(100)
        package var retryMax: Duration = .seconds(2)
        /// How often new facts reach the disk while the control plane is away.
        package var spoolEvery: Duration = .milliseconds(50)
        package init() {}
    }

    /// Dropped calls remembered, so that a late fact of theirs is not taken for a new call's first.
    private static let fencedMax = 10_000

    private struct Waiting {
        var report: Report
        var isSpooled = false
        var onSettled: (@Sendable (_ isOurs: Bool) -> Void)?
    }

    private struct State {
        var queue: [Waiting] = []
        var next: [CallKey: Int] = [:]
        var fenced: Set<CallKey> = []
        var isAway = false
    }

    private let link: any ControlLink
    private let spool: ReportSpool
    private let limits: Limits
    private let logger: Logger
    private let state = NIOLockedValueBox(State())
    private let bell: AsyncStream<Void>
    private let ring: AsyncStream<Void>.Continuation
    private let onFenced: @Sendable (CallKey) -> Void

    package init(
        link: any ControlLink, spool: ReportSpool, limits: Limits = Limits(), logger: Logger,
        onFenced: @escaping @Sendable (CallKey) -> Void
    ) {
        self.link = link
        self.spool = spool
        self.limits = limits
        self.logger = logger
        self.onFenced = onFenced
        (bell, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Queues a fact. `onSettled` is called once, on any thread: true when the fact has been acknowledged or is safe
    /// on disk, false when the call is not ours any more or nothing more can be kept.
    package func tell(
        _ fact: CallFact, of key: CallKey, onSettled: (@Sendable (_ isOurs: Bool) -> Void)? = nil
    ) {
        let isTaken = state.withLockedValue { state in
            guard !state.fenced.contains(key), state.queue.count < limits.waiting || fact.isLast else {
                return false
            }
            let number = state.next[key, default: 1]
            state.next[key] = fact.isLast ? nil : number + 1
            state.queue.append(
                Waiting(
                    report: Report(
                        call: key.call, tenant: key.tenant, epoch: key.epoch, sequence: number, at: .now,
                        fact: fact),
                    onSettled: onSettled))
            return true
        }
        if isTaken { ring.yield() } else { onSettled?(false) }
    }

    /// Tells one fact and returns only once the control plane has taken it; it must be the call's first.
    ///
    /// - Throws: what the link throws, or `Refusal` fenced.
    package func tellFirst(_ fact: CallFact, of key: CallKey) async throws {
        let report = Report(
            call: key.call, tenant: key.tenant, epoch: key.epoch, sequence: 1, at: .now, fact: fact)
        state.withLockedValue { $0.next[key] = 2 }
        let receipt = try await link.report([report])
        if receipt.fenced.contains(key.call) {
            throw Refusal(code: "fenced", message: "the call has moved on")
        }
    }

    /// Stops telling about a call that is no longer ours, but for its files, which are welcome at any time.
    package func drop(_ key: CallKey) {
        let dropped = state.withLockedValue { state in
            if state.fenced.count >= Self.fencedMax { state.fenced = [] }
            state.fenced.insert(key)
            state.next[key] = nil
            return Self.remove(&state.queue) { $0.report.key == key && !$0.report.fact.isFile }
        }
        for waiting in dropped { waiting.onSettled?(false) }
    }

    /// Facts that have not been acknowledged.
    package var waitingCount: Int { state.withLockedValue { $0.queue.count } }

    /// Sends until the task is cancelled; what is then left goes to the disk.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.deliverLeftBehind() }
            group.addTask { await self.deliver() }
        }
        spoolWaiting()
        spool.close()
    }

    private func deliver() async {
        var pause = limits.retryFirst
        while !Task.isCancelled {
            let batch = nextBatch()
            if batch.isEmpty {
                spool.empty()
                for await _ in bell { break }
                continue
            }
            if await send(batch) {
                pause = limits.retryFirst
            } else {
                await waitSpooling(pause)
                pause = min(pause * 2, limits.retryMax)
            }
        }
    }

    /// The oldest facts; of one call only those of one epoch, as the answer names calls and not epochs.
    private func nextBatch() -> [Report] {
        state.withLockedValue { state in
            var epochs: [ID<Call>: Int] = [:]
            let oldest = state.queue.prefix(limits.batch).map(\.report)
            return Array(
                oldest.prefix { report in
                    defer { epochs[report.call] = report.epoch }
                    return epochs[report.call, default: report.epoch] == report.epoch
                })
        }
    }

    /// False when the control plane is away.
    private func send(_ batch: [Report]) async -> Bool {
        do {
            let receipt = try await link.report(batch)
            noteAway(false)
            // First: whoever waits for a fact of a fenced call must not take it for told.
            for key in Set(batch.filter { receipt.fenced.contains($0.call) }.map(\.key)) {
                drop(key)
                onFenced(key)
            }
            settle(batch)
            return true
        } catch let refusal as Refusal {
            if batch.count > 1 { return await sendSingly(batch) }
            logger.error(
                "a report was refused",
                metadata: ["call": .string("\(batch[0].call)"), "reason": .string(refusal.code)])
            settle(batch)
            return true
        } catch {
            noteAway(true, error)
            return false
        }
    }

    /// One of the batch is refused: the others must not suffer.
    private func sendSingly(_ batch: [Report]) async -> Bool {
        for report in batch {
            guard await send([report]) else { return false }
        }
        return true
    }

    private func settle(_ batch: [Report]) {
        let sent = Set(batch.map { Place(key: $0.key, sequence: $0.sequence) })
        let settled = state.withLockedValue { state in
            Self.remove(&state.queue, prefix: batch.count) {
                sent.contains(Place(key: $0.report.key, sequence: $0.report.sequence))
            }
        }
        for waiting in settled { waiting.onSettled?(true) }
    }

    private struct Place: Hashable {
        var key: CallKey
        var sequence: Int
    }

    private static func remove(
        _ queue: inout [Waiting], prefix: Int = .max, where isGone: (Waiting) -> Bool
    ) -> [Waiting] {
        let end = min(prefix, queue.count)
        let gone = queue[..<end].filter(isGone)
        queue.replaceSubrange(..<end, with: queue[..<end].filter { !isGone($0) })
        return gone
    }

    private func noteAway(_ isAway: Bool, _ error: (any Error)? = nil) {
        let hasChanged = state.withLockedValue { state in
            defer { state.isAway = isAway }
            return state.isAway != isAway
        }
        guard hasChanged else { return }
        if isAway {
            let code = (error as? Fault)?.code ?? "unknown"
            logger.warning("control plane away, reports go to the spool", metadata: ["reason": .string(code)])
        } else {
            logger.notice("control plane back, reports go out again")
        }
    }

    private func waitSpooling(_ pause: Duration) async {
        let clock = ContinuousClock()
        let end = clock.now + pause
        repeat {
            spoolWaiting()
            // Cancellation ends the wait early; the loop outside sees it.
            try? await Task.sleep(for: min(limits.spoolEvery, pause))
        } while clock.now < end && !Task.isCancelled
    }

    private func spoolWaiting() {
        let fresh = state.withLockedValue { $0.queue.filter { !$0.isSpooled } }
        guard !fresh.isEmpty, spool.append(fresh.map(\.report)) else { return }
        let kept = Set(fresh.map { Place(key: $0.report.key, sequence: $0.report.sequence) })
        state.withLockedValue { state in
            for index in state.queue.indices {
                let report = state.queue[index].report
                guard kept.contains(Place(key: report.key, sequence: report.sequence)) else { continue }
                state.queue[index].isSpooled = true
                state.queue[index].onSettled = nil
            }
        }
        for waiting in fresh { waiting.onSettled?(true) }
    }

    /// Files of workers that died while the control plane was away.
    private func deliverLeftBehind() async {
        var pause = limits.retryFirst
        for file in spool.leftBehind() {
            var rest = file.reports[...]
            while !rest.isEmpty, !Task.isCancelled {
                do {
                    _ = try await link.report(Array(rest.prefix(limits.batch)))
                    rest = rest.dropFirst(limits.batch)
                } catch is Refusal {
                    rest = await deliverSingly(rest.prefix(limits.batch)) + rest.dropFirst(limits.batch)
                } catch {
                    try? await Task.sleep(for: pause)
                    pause = min(pause * 2, limits.retryMax)
                }
            }
            guard rest.isEmpty else { return }
            spool.remove(file.path)
            logger.notice(
                "reports of an earlier worker delivered",
                metadata: ["count": .stringConvertible(file.reports.count)])
        }
    }

    /// Returns what could not be sent; refused ones are given up.
    private func deliverSingly(_ reports: ArraySlice<Report>) async -> ArraySlice<Report> {
        for (offset, report) in reports.enumerated() {
            do {
                _ = try await link.report([report])
            } catch is Refusal {
                continue
            } catch {
                return reports.dropFirst(offset)
            }
        }
        return []
    }
}

extension Report {
    var key: CallKey { CallKey(call: call, tenant: tenant, epoch: epoch) }
}

extension Timestamp {
    /// The wall clock, read at the edge only.
    static var now: Timestamp { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
}
