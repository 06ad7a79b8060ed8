import Connections
import Dispatch
import Logging
import Synchronization

/// Giving connections to callers, opening them, and noticing that they are gone.
extension PostgresPool {
    /// Serves the want now or later; the refusal when it may not even wait.
    func ask(_ want: PoolState.Want, for caller: AnyObject) -> PostgresError? {
        var mayGrow = false
        let (connection, refusal) = state.withLock { state -> (PostgresConnection?, PostgresError?) in
            if state.isClosed { return (nil, .closed) }
            guard settings != nil else { return (nil, .unreachable("the database URL is malformed")) }
            // Nobody overtakes those who wait.
            if state.waiters.isEmpty, let connection = state.take(want) {
                mayGrow = state.slots.count < configuration.connections
                return (connection, nil)
            }
            mayGrow = true
            guard state.waiters.count < configuration.waitersMax else {
                state.counters.refused += 1
                return (nil, .busy("\(configuration.waitersMax) callers are waiting already"))
            }
            state.counters.waited += 1
            let deadline = DispatchTime.now() + configuration.waitLimit
            state.waiters.append(.init(want: want, caller: ObjectIdentifier(caller), deadline: deadline))
            return (nil, nil)
        }
        if let connection { grant(want, connection) }
        if mayGrow { serve() }
        return refusal
    }

    /// Forgets a caller that gave up waiting.
    func withdraw(_ caller: ObjectIdentifier) {
        state.withLock { _ = $0.waiters.removeFirst { $0.caller == caller } }
    }

    /// Hands free connections to those who wait, in order, and opens more where that helps.
    func serve() {
        let (grants, opening) = state.withLock { state in
            var grants: [(PoolState.Want, PostgresConnection)] = []
            while let first = state.waiters.first, let connection = state.take(first.want) {
                _ = state.waiters.popFirst()
                grants.append((first.want, connection))
            }
            let opening = openMore(&state)
            armTimers(&state)
            return (grants, opening)
        }
        for connection in opening { connection.open() }
        for (want, connection) in grants { grant(want, connection) }
    }

    private func grant(_ want: PoolState.Want, _ connection: PostgresConnection) {
        switch want {
        case .send(let job): connection.send(job)
        case .lease(let ticket):
            if !ticket.finish(.success(Lease(self, connection))) { release(connection) }
        }
    }

    func refuse(_ want: PoolState.Want, _ error: PostgresError) {
        switch want {
        case .send(let job): job.finish(Job.Outcome(result: .failure(error), mayBeSentAgain: false))
        case .lease(let ticket): ticket.finish(.failure(error))
        }
    }

    /// Takes a leased connection back. One that is still inside a transaction is closed.
    func release(_ connection: PostgresConnection) {
        let isIdle = connection.isIdle
        let drained = state.withLock { state in
            if let index = state.index(of: connection) {
                if isIdle { state.slots[index].isLeased = false } else { state.slots.remove(at: index) }
            }
            return state.isClosed && !state.isBusy
        }
        if !isIdle { connection.close("left inside a transaction") }
        drained ? endDrain() : serve()
    }

    private func openMore(_ state: inout PoolState) -> [PostgresConnection] {
        guard !state.isClosed, let settings else { return [] }
        let count = state.growth(max: configuration.connections, now: .now())
        return (0..<count).map { _ in
            let connection = PostgresConnection(settings, events)
            state.slots.append(.init(connection: connection))
            return connection
        }
    }

    private var events: PostgresConnection.Events {
        PostgresConnection.Events(
            opened: { [weak self] in self?.opened($0) },
            lost: { [weak self] in self?.lost($0, $1, jobs: $2) },
            finished: { [weak self] in self?.finished($0, jobs: $1, errors: $2) })
    }

    private func opened(_ connection: PostgresConnection) {
        let outage = state.withLock { state in
            guard let index = state.index(of: connection) else { return 0 }
            state.slots[index].isOpen = true
            state.counters.opened += 1
            defer { state.failures = 0 }
            return state.failures
        }
        if outage > 0 { logger.notice("PostgreSQL is back", metadata: ["failed_attempts": "\(outage)"]) }
        serve()
    }

    private func lost(_ connection: PostgresConnection, _ error: PostgresError, jobs: Int) {
        let (isFirst, drained) = state.withLock { state in
            state.counters.queries += UInt64(jobs)
            state.counters.errors += UInt64(jobs)
            guard let index = state.index(of: connection) else { return (false, false) }
            state.slots.remove(at: index)
            guard error.kind == .unreachable else {
                state.counters.lost += 1
                return (!state.isClosed, state.isClosed && !state.isBusy)
            }
            state.counters.failedConnects += 1
            state.failures += 1
            state.lastFailure = error
            state.retryAt = .now() + Backoff.pause(after: state.failures)
            return (state.failures == 1 && !state.isClosed, false)
        }
        if isFirst { logger.warning("a PostgreSQL connection failed", metadata: ["cause": "\(error)"]) }
        drained ? endDrain() : serve()
    }

    private func finished(_ connection: PostgresConnection, jobs: Int, errors: Int) {
        let (isWanted, drained) = state.withLock { state in
            state.counters.queries += UInt64(jobs)
            state.counters.errors += UInt64(errors)
            if let index = state.index(of: connection), !state.slots[index].isLeased {
                state.slots[index].inFlight -= jobs
            }
            return (!state.waiters.isEmpty, state.isClosed && !state.isBusy)
        }
        if drained { endDrain() } else if isWanted { serve() }
    }
}

// MARK: Timers: at most one of each kind is pending.

extension PostgresPool {
    private func armTimers(_ state: inout PoolState) {
        guard let first = state.waiters.first else { return }
        if !state.isWaitCheckArmed {
            state.isWaitCheckArmed = true
            queue.asyncAfter(deadline: first.deadline) { [weak self] in self?.expireWaiters() }
        }
        if state.failures > 0, !state.isRetryArmed, state.slots.count < configuration.connections {
            state.isRetryArmed = true
            queue.asyncAfter(deadline: state.retryAt) { [weak self] in
                self?.state.withLock { $0.isRetryArmed = false }
                self?.serve()
            }
        }
    }

    /// Everybody waits equally long, so those who are due are at the front.
    private func expireWaiters() {
        let (due, error) = state.withLock { state in
            state.isWaitCheckArmed = false
            var due: [PoolState.Want] = []
            while let first = state.waiters.first, first.deadline <= .now() {
                _ = state.waiters.popFirst()
                due.append(first.want)
            }
            state.counters.expired += UInt64(due.count)
            let isAway = !state.slots.contains { $0.isOpen }
            let cause = state.failures > 0 ? state.lastFailure?.message : nil
            let error: PostgresError =
                isAway
                ? .unreachable(
                    "no connection within \(configuration.waitLimit): \(cause ?? "still connecting")")
                : .busy("every connection was busy for \(configuration.waitLimit)")
            return (due, error)
        }
        for want in due { refuse(want, error) }
        serve()
    }
}
