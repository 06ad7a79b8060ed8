internal import CLibPQ
import Connections
import Dispatch
import Synchronization

/// Connecting, one poll at a time, on the connection's queue.
extension PostgresConnection {
    /// Ends in `events.opened` or `events.lost`, within `PostgresLimits.connect` plus the name look-up.
    func open() {
        queue.async { self.begin() }
    }

    private func begin() {
        let raw = settings.withPointers { PQconnectStartParams($0, $1, 1) }
        guard let raw else { return lose("out of memory") }
        let handle = Handle(raw: raw)
        // A null receiver cannot be set: without this one libpq prints notices to stderr.
        PQsetNoticeReceiver(raw, { _, _ in }, nil)
        let isWanted = state.withLock { state in
            guard state.phase == .new else { return false }
            state.phase = .connecting
            state.handle = handle
            return true
        }
        guard isWanted else { return PQfinish(raw) }
        guard PQstatus(raw) != CONNECTION_BAD else { return lose(handle.message) }
        let limit = PostgresLimits.connect
        queue.asyncAfter(deadline: .now() + limit) { [weak self] in
            self?.expire(limit)
        }
        wait(handle, writing: true)
    }

    private func expire(_ limit: Duration) {
        if state.withLock({ $0.phase == .connecting }) { lose("not connected within \(limit)") }
    }

    private func poll() {
        guard let handle = state.withLock({ $0.phase == .connecting ? $0.handle : nil }) else { return }
        switch PQconnectPoll(handle.raw) {
        case PGRES_POLLING_READING: wait(handle, writing: false)
        case PGRES_POLLING_WRITING: wait(handle, writing: true)
        case PGRES_POLLING_OK: established(handle)
        default: lose(handle.message)
        }
    }

    /// A new watch each time: between polls libpq may have moved on to another address and socket.
    private func wait(_ handle: Handle, writing: Bool) {
        let next: @Sendable () -> Void = { [weak self] in self?.poll() }
        guard let watch = SocketWatch(PQsocket(handle.raw), on: queue, readable: next, writable: next) else {
            return lose("no file descriptor left")
        }
        state.withLock { state in
            state.watch?.cancel()
            state.watch = watch
            writing ? watch.write(true) : watch.read(true)
        }
    }

    private func established(_ handle: Handle) {
        guard PQsetnonblocking(handle.raw, 1) == 0, PQenterPipelineMode(handle.raw) == 1 else {
            return lose(handle.message)
        }
        let watch = SocketWatch(
            PQsocket(handle.raw), on: queue,
            readable: { [weak self] in self?.readable() }, writable: { [weak self] in self?.writable() })
        guard let watch else { return lose("no file descriptor left") }
        state.withLock { state in
            state.watch?.cancel()
            state.watch = watch
            state.phase = .open
            watch.read(true)
        }
        events.opened(self)
    }
}
