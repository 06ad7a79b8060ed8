import CCurl
import CCurlShim
import Glibc
import Synchronization

/// libcurl's multi handle on one thread of its own: epoll tells which sockets are ready, an eventfd wakes it
/// for commands. Nothing of libcurl is touched on another thread.
final class CurlLoop: @unchecked Sendable {
    enum Limits {
        /// Requests under way or waiting for a connection.
        static let transfersMax = 4096
        /// HTTP/1.1 connections to one host; more requests wait.
        static let hostConnectionsMax = 512
        /// Connections kept open for reuse.
        static let idleConnectionsMax = 256
        /// Handles kept for the next request.
        static let idleHandlesMax = 64
        static let eventsMax = 64
    }
    private enum Command {
        case start(Transfer), resume(Transfer), cancel(Transfer), close
    }
    private struct Mailbox {
        var commands: [Command] = []
        var isClosed = false
        var hasEnded = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let mailbox = Mutex(Mailbox())
    private let epoll = ccurl_epoll_create()
    private let event = ccurl_event_create()

    // The thread's own.
    private let multi: UnsafeMutableRawPointer
    private var active: [ObjectIdentifier: Transfer] = [:]
    private var idle: [UnsafeMutableRawPointer] = []
    private var alarm: ContinuousClock.Instant?
    private var deadlines: [Deadline] = []

    private struct Deadline {
        let at: ContinuousClock.Instant
        weak var transfer: Transfer?
    }

    /// libcurl's global state, once per process and before any thread.
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init() {
        guard Self.isReady, let multi = curl_multi_init() else { fatalError("libcurl does not start") }
        self.multi = multi
        ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, Limits.hostConnectionsMax)
        ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, Limits.idleConnectionsMax)
        let me = Unmanaged.passUnretained(self).toOpaque()
        ccurl_multi_set_socket(
            multi,
            { _, socket, what, user, _ in
                ccurl_epoll_set(CurlLoop.from(user).epoll, socket, what)
                return 0
            }, me)
        ccurl_multi_set_timer(
            multi,
            { _, milliseconds, user in
                CurlLoop.from(user).alarm = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
                return 0
            }, me)
        ccurl_epoll_set(epoll, event, CURL_POLL_IN)
    }

    private static func from(_ pointer: UnsafeMutableRawPointer?) -> CurlLoop {
        Unmanaged<CurlLoop>.fromOpaque(pointer!).takeUnretainedValue()
    }

    /// Starts the thread, which keeps the loop alive until `close`.
    func begin() {
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                ccurl_name_thread("http-client")
                Unmanaged<CurlLoop>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        guard code == 0 else { fatalError("no thread for the HTTP client: \(code)") }
        pthread_detach(thread)
    }

    // MARK: From any thread

    func start(_ transfer: Transfer) {
        if !submit(.start(transfer)) { transfer.refuseClosed() }
    }
    func resume(_ transfer: Transfer) { submit(.resume(transfer)) }
    func cancel(_ transfer: Transfer) {
        guard !transfer.isCancelled.exchange(true, ordering: .relaxed) else { return }
        submit(.cancel(transfer))
    }
    func close() { submit(.close) }

    func ended() async {
        await withCheckedContinuation { continuation in
            let hasEnded = mailbox.withLock { box in
                if !box.hasEnded { box.waiting.append(continuation) }
                return box.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }

    @discardableResult
    private func submit(_ command: Command) -> Bool {
        let accepted = mailbox.withLock { box -> (Bool, wake: Bool) in
            guard !box.isClosed else { return (false, false) }
            if case .close = command { box.isClosed = true }
            box.commands.append(command)
            return (true, box.commands.count == 1)
        }
        if accepted.wake { ccurl_event_raise(event) }
        return accepted.0
    }

    // MARK: The thread

    private func run() {
        var fds = [Int32](repeating: 0, count: Limits.eventsMax)
        var actions = fds
        var isOpen = true
        while isOpen {
            let count = ccurl_epoll_wait(epoll, &fds, &actions, Int32(Limits.eventsMax), wait())
            for index in 0..<max(0, Int(count)) {
                if fds[index] == event { ccurl_event_clear(event) } else { act(fds[index], actions[index]) }
            }
            isOpen = obey()
            if let due = alarm, due <= .now {
                alarm = nil
                act(CURL_SOCKET_TIMEOUT, 0)
            }
            watchSilence()
            collect()
        }
        end()
    }

    /// Milliseconds until something is due, rounded up so as not to spin; -1: nothing is.
    private func wait() -> Int32 {
        let due = [alarm, deadlines.first?.at].compactMap { $0 }.min()
        guard let due else { return -1 }
        let left = due - .now
        guard left > .zero else { return 0 }
        let (seconds, attoseconds) = left.components
        return Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
    }

    private func act(_ socket: curl_socket_t, _ action: Int32) {
        var running: Int32 = 0
        curl_multi_socket_action(multi, socket, action, &running)
    }

    /// - Returns: false when told to close.
    private func obey() -> Bool {
        let commands = mailbox.withLock { box in
            defer { box.commands = [] }
            return box.commands
        }
        for command in commands {
            switch command {
            case .start(let transfer): add(transfer)
            case .cancel(let transfer): finish(transfer, .cancelled)
            case .close: return false
            case .resume(let transfer):
                guard transfer.isPaused, let easy = transfer.easy else { break }
                transfer.isPaused = false
                transfer.lastHeard = .now
                curl_easy_pause(easy, CURLPAUSE_CONT)
            }
        }
        return true
    }

    private func add(_ transfer: Transfer) {
        guard !transfer.isCancelled.load(ordering: .relaxed) else { return finish(transfer, .cancelled) }
        guard active.count < Limits.transfersMax else {
            return finish(transfer, .transport("too many requests"))
        }
        guard let easy = idle.popLast() ?? curl_easy_init() else {
            return finish(transfer, .transport("out of memory"))
        }
        do {
            try transfer.prepare(easy)
        } catch {
            transfer.easy = nil
            keep(easy)
            return finish(transfer, error)
        }
        active[ObjectIdentifier(transfer)] = transfer
        transfer.lastHeard = .now
        watch(transfer)
        let code = curl_multi_add_handle(multi, easy)
        if code != CURLM_OK { finish(transfer, .transport("curl_multi_add_handle \(code.rawValue)")) }
    }

    private func collect() {
        var code = CURLE_OK
        while let easy = ccurl_multi_finished(multi, &code) {
            var pointer: UnsafeMutableRawPointer?
            ccurl_get_private(easy, &pointer)
            guard let pointer else { continue }
            finish(Transfer.from(pointer), nil, code)
        }
    }

    /// The one way out of a transfer, whoever ends it.
    private func finish(_ transfer: Transfer, _ failure: HTTPError?, _ code: CURLcode = CURLE_OK) {
        guard !transfer.hasEnded else { return }
        if let failure { transfer.failure = failure }
        active[ObjectIdentifier(transfer)] = nil
        if let easy = transfer.easy {
            curl_multi_remove_handle(multi, easy)
            transfer.end(code)
            keep(easy)
        } else {
            transfer.end(code)
        }
        transfer.release()
    }

    private func keep(_ easy: UnsafeMutableRawPointer) {
        guard idle.count < Limits.idleHandlesMax else { return curl_easy_cleanup(easy) }
        curl_easy_reset(easy)
        idle.append(easy)
    }

    private func end() {
        for transfer in active.values { finish(transfer, .transport("client closed")) }
        let late = mailbox.withLock { box in
            defer { box.commands = [] }
            return box.commands
        }
        for case .start(let transfer) in late { finish(transfer, .transport("client closed")) }
        for easy in idle { curl_easy_cleanup(easy) }
        curl_multi_cleanup(multi)
        _ = Glibc.close(epoll)
        _ = Glibc.close(event)
        let waiting = mailbox.withLock { box in
            box.hasEnded = true
            defer { box.waiting = [] }
            return box.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    // MARK: Silence

    /// Sorted by time. An entry is not moved when something is heard, but looked at again when it is due.
    private func watch(_ transfer: Transfer) {
        guard let at = transfer.nextLook(after: .now) else { return }
        let index = deadlines.lastIndex { $0.at <= at }.map { $0 + 1 } ?? 0
        deadlines.insert(Deadline(at: at, transfer: transfer), at: index)
    }

    private func watchSilence() {
        guard let first = deadlines.first, first.at <= .now else { return }
        let now = ContinuousClock.Instant.now
        let due = deadlines.prefix { $0.at <= now }
        deadlines.removeFirst(due.count)
        for case let transfer? in due.map(\.transfer) where !transfer.hasEnded {
            if let phase = transfer.overdue(at: now) {
                finish(transfer, .timeout(phase))
            } else {
                watch(transfer)
            }
        }
    }
}

extension Transfer {
    /// Ended without ever reaching the loop.
    func refuseClosed() {
        failure = .transport("client closed")
        end(CURLE_OK)
    }
}
