internal import CLibPQ
import Connections
import Dispatch
import Synchronization

/// Reading answers; all on the connection's queue.
extension PostgresConnection {
    /// What one read brought, delivered after the lock is released.
    private struct Arrived {
        var finished: [InFlight] = []
        var notifications: [(channel: String, payload: String)] = []
        /// Set when the connection must be given up.
        var broken: String?
        /// The server said so itself, in its stream: nothing behind the oldest job has run.
        var isServersWord = false
    }

    func readable() {
        while readOnce() {}
    }

    /// True when there is more to read.
    private func readOnce() -> Bool {
        var arrived = Arrived()
        let hasMore = state.withLock { state -> Bool in
            guard state.phase == .open, let handle = state.handle else { return false }
            let isAlive = PQconsumeInput(handle.raw) == 1
            collect(handle, &state, &arrived)
            while let notification = PQnotifies(handle.raw) {
                arrived.notifications.append(
                    (
                        String(cString: notification.pointee.relname),
                        String(cString: notification.pointee.extra)
                    ))
                PQfreemem(notification)
            }
            if !isAlive, !arrived.isServersWord { arrived.broken = handle.message }
            if !arrived.finished.isEmpty { state.headSince = .now() }
            return arrived.broken == nil && SocketWatch.hasInput(PQsocket(handle.raw))
        }
        deliver(arrived)
        return hasMore
    }

    func writable() {
        let broken = state.withLock { state -> String? in
            guard state.phase == .open, let handle = state.handle else { return nil }
            switch PQflush(handle.raw) {
            case 1: return nil
            case 0:
                state.watch?.write(false)
                return nil
            default: return handle.message
            }
        }
        if let broken { lose(broken) }
    }

    private func deliver(_ arrived: Arrived) {
        if !arrived.finished.isEmpty {
            let errors = arrived.finished.count { $0.error != nil }
            // The owner counts first: a caller that asks again at once finds this connection idle.
            events.finished(self, arrived.finished.count, errors)
            for item in arrived.finished { item.job.finish(item.outcome) }
        }
        for (channel, payload) in arrived.notifications { events.notified(channel, payload) }
        if let broken = arrived.broken { lose(broken, isServersWord: arrived.isServersWord) }
    }

    private func collect(_ handle: Handle, _ state: inout State, _ arrived: inout Arrived) {
        while !state.inFlight.isEmpty, PQisBusy(handle.raw) == 0 {
            guard let raw = PQgetResult(handle.raw) else {
                // Ends the answer to one step.
                state.inFlight.first?.nextStep()
                state.emptyResults += 1
                if state.emptyResults > PostgresLimits.emptyResultsMax {
                    arrived.broken = "the connection is out of step"
                    return
                }
                continue
            }
            state.emptyResults = 0
            take(ResultMemory(raw), &state, &arrived)
            if arrived.broken != nil { return }
        }
    }

    private func take(_ memory: ResultMemory, _ state: inout State, _ arrived: inout Arrived) {
        switch PQresultStatus(memory.raw) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            state.inFlight.first?.succeeded(memory)
        case PGRES_FATAL_ERROR:
            let failure = ServerFailure(memory.raw)
            if failure.isFatal {
                arrived.broken = "\(failure.error.message) (\(failure.error.sqlState))"
                arrived.isServersWord = true
            } else {
                state.inFlight.first?.failed(failure, forget: &state.cache)
            }
        case PGRES_PIPELINE_ABORTED:
            state.inFlight.first?.failed(nil, forget: &state.cache)
        case PGRES_PIPELINE_SYNC:
            if let done = state.inFlight.popFirst() { arrived.finished.append(done) }
        default:
            arrived.broken = "a COPY statement cannot be run here"
        }
    }

    /// Gives the connection up and fails what is in flight. Harmless when it is dead already.
    func lose(_ reason: String, isServersWord: Bool = false) {
        let lost = state.withLock { state -> (Phase, [InFlight])? in
            guard state.phase != .dead else { return nil }
            let phase = state.phase
            state.phase = .dead
            state.watch?.cancel()
            state.watch = nil
            if let handle = state.handle { PQfinish(handle.raw) }
            state.handle = nil
            return (phase, state.inFlight.removeAll())
        }
        guard let (phase, jobs) = lost else { return }
        // The owner is told first: nobody picks this connection any more.
        events.lost(
            self, phase == .open ? .disconnected(reason, mayHaveRun: false) : .unreachable(reason), jobs.count
        )
        for (index, item) in jobs.enumerated() {
            let hasNotRun = isServersWord && index > 0
            let error = PostgresError.disconnected(
                reason, mayHaveRun: !hasNotRun && !item.job.isUndoneWhenLost)
            item.job.finish(Job.Outcome(result: .failure(error), mayBeSentAgain: hasNotRun))
        }
    }
}
