import Connections
import Dispatch
import Logging
import Synchronization

/// Finding a connection for commands, and a new one when it is lost.
extension RedisClient {
    func submit(_ commands: [RedisArguments], for ticket: Ticket<[RedisReply]>, attempt: Int) {
        enum Next {
            case send(RedisLink)
            case refuse(RedisError)
            case connect
        }
        let next = state.withLock { state -> Next in
            if state.isClosed { return .refuse(.closed) }
            if address == nil { return .refuse(.unreachable("the Redis URL is malformed")) }
            if state.isOpen, let link = state.link { return .send(link) }
            if state.failures > 0, !isBlocking { return .refuse(.unreachable(state.lastFailure)) }
            guard state.waiters.count < RedisLimits.waitingMax else { return .refuse(.busy) }
            let limit = isBlocking ? RedisLimits.blockingWait : RedisLimits.connect
            let deadline = DispatchTime.now() + limit
            state.waiters.append(
                Waiter(commands: commands, ticket: ticket, attempt: attempt, deadline: deadline))
            armWaitCheck(&state)
            return .connect
        }
        switch next {
        case .send(let link): send(commands, on: link, for: ticket, attempt: attempt)
        case .refuse(let error): ticket.finish(.failure(error))
        case .connect: connect()
        }
    }

    private func send(
        _ commands: [RedisArguments], on link: RedisLink, for ticket: Ticket<[RedisReply]>, attempt: Int
    ) {
        guard link.inFlight < RedisLimits.inFlightMax else {
            ticket.finish(.failure(RedisError.busy))
            return
        }
        link.send(
            RedisLink.Job(commands: commands) { [self] result in
                switch result {
                case .success(let replies): ticket.finish(.success(replies))
                case .failure(.notSent) where attempt < RedisLimits.sendAttemptsMax:
                    submit(commands, for: ticket, attempt: attempt + 1)
                case .failure(.notSent):
                    ticket.finish(.failure(RedisError.unreachable("the connection keeps going away")))
                case .failure(.lost): ticket.finish(.failure(RedisError.disconnected))
                }
            })
    }

    /// The caller was cancelled.
    func withdraw(_ ticket: Ticket<[RedisReply]>) {
        let link = state.withLock { state -> RedisLink? in
            let hadNotBeenSent = state.waiters.removeFirst { $0.ticket === ticket } != nil
            guard isBlocking, !hadNotBeenSent else { return nil }
            state.isOpen = false
            return state.link.take()
        }
        link?.close("a blocking command was cancelled")
    }

    /// Starts connecting unless there is a connection, one on its way, or a pause to be kept.
    private func connect() {
        guard let address else { return }
        let link = state.withLock { state -> RedisLink? in
            guard !state.isClosed, state.link == nil, !state.isRetryArmed else { return nil }
            let link = RedisLink(
                address, commandLimit: commandLimit,
                RedisLink.Events(
                    opened: { [weak self] in self?.opened($0) },
                    lost: { [weak self] in self?.lost($0, $1) }))
            state.link = link
            return link
        }
        link?.open()
    }

    private func opened(_ link: RedisLink) {
        let (waiters, failures) = state.withLock { state -> ([Waiter], Int) in
            guard state.link === link else { return ([], 0) }
            state.isOpen = true
            defer { state.failures = 0 }
            return (state.waiters.removeAll(), state.failures)
        }
        if failures > 0 { logger.notice("Redis is back", metadata: ["failed_attempts": "\(failures)"]) }
        for waiter in waiters { send(waiter.commands, on: link, for: waiter.ticket, attempt: waiter.attempt) }
    }

    private func lost(_ link: RedisLink, _ reason: String) {
        let (pause, refused, isFirst) = state.withLock { state -> (Duration?, [Waiter], Bool) in
            guard state.link === link else { return (nil, [], false) }
            let wasOpen = state.isOpen
            (state.link, state.isOpen, state.lastFailure) = (nil, false, reason)
            // An open connection that breaks is replaced at once; only failing to open one is being away.
            if wasOpen { return (.zero, [], true) }
            state.failures += 1
            state.isRetryArmed = true
            let refused = isBlocking ? [] : state.waiters.removeAll()
            return (Backoff.pause(after: state.failures), refused, state.failures == 1)
        }
        guard let pause else { return }
        if isFirst { logger.warning("the Redis connection failed", metadata: ["cause": "\(reason)"]) }
        for waiter in refused { waiter.ticket.finish(.failure(RedisError.unreachable(reason))) }
        if pause == .zero { return connect() }
        queue.asyncAfter(deadline: .now() + pause) { [weak self] in
            self?.state.withLock { $0.isRetryArmed = false }
            self?.connect()
        }
    }

    /// Everybody waits equally long, so those who are due are at the front. At most one check is pending.
    private func armWaitCheck(_ state: inout State) {
        guard !state.isWaitCheckArmed, let first = state.waiters.first else { return }
        state.isWaitCheckArmed = true
        queue.asyncAfter(deadline: first.deadline) { [weak self] in self?.expireWaiters() }
    }

    private func expireWaiters() {
        let (due, cause) = state.withLock { state in
            state.isWaitCheckArmed = false
            var due: [Waiter] = []
            while let first = state.waiters.first, first.deadline <= .now() {
                _ = state.waiters.popFirst()
                due.append(first)
            }
            armWaitCheck(&state)
            return (due, state.failures > 0 ? state.lastFailure : "still connecting")
        }
        for waiter in due { waiter.ticket.finish(.failure(RedisError.unreachable(cause))) }
    }
}
