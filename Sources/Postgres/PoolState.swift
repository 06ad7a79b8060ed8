import Connections
import Dispatch

/// Who holds which connection and who waits: plain values, changed under the pool's lock.
struct PoolState {
    struct Slot {
        let connection: PostgresConnection
        var isOpen = false
        var isLeased = false
        /// Single statements handed out and not answered yet; counted before they are sent.
        var inFlight = 0
    }

    enum Want {
        case send(Job)
        case lease(Ticket<Lease>)

        var isLease: Bool { if case .lease = self { true } else { false } }
    }

    struct Waiter {
        let want: Want
        /// The waiting caller, to find it again when it gives up.
        let caller: ObjectIdentifier
        let deadline: DispatchTime
    }

    var slots: [Slot] = []
    var waiters = Queue<Waiter>()
    /// Failures to connect since the last success, and when the next attempt may start.
    var failures = 0
    var retryAt = DispatchTime(uptimeNanoseconds: 0)
    var lastFailure: PostgresError?
    var isWaitCheckArmed = false
    var isRetryArmed = false
    var isClosed = false
    var listeners: [ObjectIdentifier: Listener] = [:]
    var drained: CheckedContinuation<Void, Never>?
    var counters = PostgresPool.Counters()

    var isBusy: Bool { slots.contains { $0.isLeased || $0.inFlight > 0 } }

    /// Takes the least busy connection: for a lease only an idle one, so that nothing of others lies inside.
    mutating func take(_ want: Want) -> PostgresConnection? {
        let bound = want.isLease ? 1 : PostgresLimits.inFlightMax
        var best: Int?
        for (index, slot) in slots.enumerated() where slot.isOpen && !slot.isLeased && slot.inFlight < bound {
            if slot.inFlight < best.map({ slots[$0].inFlight }) ?? Int.max { best = index }
        }
        guard let best else { return nil }
        if want.isLease { slots[best].isLeased = true } else { slots[best].inFlight += 1 }
        return slots[best].connection
    }

    /// How many connections to start opening now.
    ///
    /// One for each that waits; one when even the least busy connection has company; while the server is
    /// away, one at a time.
    func growth(max: Int, now: DispatchTime) -> Int {
        let connecting = slots.count { !$0.isOpen }
        let isShared =
            slots.contains { $0.inFlight > 1 }
            && !slots.contains { $0.isOpen && !$0.isLeased && $0.inFlight == 0 }
        var wanted = Swift.max(waiters.count, isShared ? 1 : 0)
        if failures > 0 {
            guard now >= retryAt else { return 0 }
            wanted = min(wanted, 1)
        }
        return Swift.max(0, min(wanted - connecting, max - slots.count))
    }

    func index(of connection: PostgresConnection) -> Int? {
        slots.firstIndex { $0.connection === connection }
    }
}
