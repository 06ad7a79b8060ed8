internal import CHiredis
import Connections
import Dispatch
import Glibc
import Synchronization

/// One hiredis async connection: jobs go out at once and are answered in order.
///
/// A context of hiredis is not thread safe and calls back from inside its functions. So every use of it is
/// inside `perform`: under the lock, with callbacks that only note what happened; the noted is delivered
/// after
/// the lock is released. An idle connection is written to from the caller's thread (no hop); a busy one is
/// flushed from `queue`, so that commands that come meanwhile share one write. Opened once and never again.
final class RedisLink: @unchecked Sendable {
    /// What the owner is told, under no lock.
    struct Events: Sendable {
        var opened: @Sendable (RedisLink) -> Void
        /// Once, last; jobs in flight fail next.
        var lost: @Sendable (RedisLink, _ reason: String) -> Void
        var message: @Sendable (_ channel: String, _ message: [UInt8]) -> Void = { _, _ in }
    }

    /// Commands sent together, answered together.
    struct Job: Sendable {
        enum Failure: Error { case lost, notSent }
        let commands: [RedisArguments]
        let finish: @Sendable (Result<[RedisReply], Failure>) -> Void
    }

    private enum Phase { case new, connecting, greeting, open, dead }
    private struct Pending {
        let job: Job
        var replies: [RedisReply] = []
    }

    let address: RedisAddress
    let events: Events
    /// Nil: answers may take as long as they like.
    let commandLimit: Duration?
    private let queue = DispatchQueue(label: "redis.link")
    private let lock = Mutex<Void>(())

    // Under the lock.
    private var phase = Phase.new
    private var hiredis: UnsafeMutablePointer<redisAsyncContext>?
    private var watch: SocketWatch?
    private var wantsRead = false
    private var wantsWrite = false
    private var isFlushScheduled = false
    private var pending = Queue<Pending>()
    private var headSince = DispatchTime.now()
    private var isStallCheckArmed = false
    private var confirmations = 0
    private var noted = Noted()

    /// What callbacks saw, to be delivered without the lock.
    private struct Noted {
        var answered: [(Job, Result<[RedisReply], Job.Failure>)] = []
        var messages: [(channel: String, message: [UInt8])] = []
        var hasOpened = false
        var reason: String?
        var isLost = false
    }

    init(_ address: RedisAddress, commandLimit: Duration?, _ events: Events) {
        self.address = address
        self.commandLimit = commandLimit
        self.events = events
    }

    deinit {
        watch?.cancel()
        guard let hiredis else { return }
        // No callback may find an object that is going away.
        hiredis.pointee.data = nil
        hiredis.pointee.ev = .init()
        redisAsyncFree(hiredis)
    }

    // MARK: Use

    /// Ends in `events.opened` or `events.lost`.
    func open() {
        queue.async { self.begin() }
    }

    /// `finish` is not called from inside this call.
    func send(_ job: Job) {
        let isSent = perform {
            guard phase == .open, let hiredis else { return false }
            let wasIdle = pending.isEmpty
            append(job, to: hiredis)
            if wasIdle { redisAsyncHandleWrite(hiredis) } else { scheduleFlush() }
            return true
        }
        if !isSent { queue.async { job.finish(.failure(.notSent)) } }
    }

    /// Waits until everything sent so far was answered, or the limit is over.
    func drain(within limit: Duration) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let once = Once { continuation.resume() }
            // An answer to this one comes after all others; any outcome will do.
            send(Job(commands: [RedisArguments(["PING"])]) { _ in once() })
            queue.asyncAfter(deadline: .now() + limit) { once() }
        }
    }

    var inFlight: Int { lock.withLock { _ in pending.count } }

    /// Ends it; jobs in flight fail.
    func close(_ reason: String) {
        queue.async { self.lose(reason) }
    }

    /// For a link with no other use. `events.message` brings what is published; a subscription that is not
    /// confirmed in time loses the link.
    func subscribe(_ channels: [String]) {
        perform {
            guard phase == .open, let hiredis else { return }
            let isSent = RedisArguments(["SUBSCRIBE"] + channels).withPointers { count, words, lengths in
                redisAsyncCommandArgv(hiredis, onMessage, nil, count, words, lengths) == REDIS_OK
            }
            if isSent { redisAsyncHandleWrite(hiredis) }
        }
        queue.asyncAfter(deadline: .now() + RedisLimits.command) {
            [weak self] in
            guard let self else { return }
            let missing = lock.withLock { _ in confirmations < channels.count }
            if missing { lose("the subscription was not confirmed") }
        }
    }
}

// MARK: The life of the connection

extension RedisLink {
    /// hiredis writes with write(2): a connection the server has closed would end the process.
    private static let ignoreBrokenPipes: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

    private func begin() {
        Self.ignoreBrokenPipes
        let opened: UnsafeMutablePointer<redisAsyncContext>? =
            switch address.place {
            case .unix(let path): redisAsyncConnectUnix(path)
            // Looks the name up, blocking: this queue has nothing else to do yet.
            case .tcp(let host, let port): redisAsyncConnect(host, port)
            }
        guard let opened else { return lose("out of memory") }
        guard opened.pointee.err == 0 else {
            let reason = String(cString: opened.pointee.errstr)
            redisAsyncFree(opened)
            return lose(reason)
        }
        if case .tcp = address.place { Self.keepAlive(opened.pointee.c.fd) }
        let isWanted = perform {
            guard phase == .new, let watch = watchSocket(opened.pointee.c.fd) else { return false }
            phase = .connecting
            hiredis = opened
            self.watch = watch
            install(on: opened)
            return true
        }
        guard isWanted else {
            redisAsyncFree(opened)
            return lose("no file descriptor left")
        }
        let limit = RedisLimits.connect
        queue.asyncAfter(deadline: .now() + limit) { [weak self] in
            guard let self else { return }
            let isLate = lock.withLock { _ in phase == .connecting || phase == .greeting }
            if isLate { lose("not connected within \(limit)") }
        }
    }

    private func watchSocket(_ descriptor: Int32) -> SocketWatch? {
        SocketWatch(
            descriptor, on: queue,
            readable: { [weak self] in while self?.readOnce() == true {} },
            writable: { [weak self] in
                self?.perform { [weak self] in
                    if let hiredis = self?.hiredis { redisAsyncHandleWrite(hiredis) }
                }
            })
    }

    /// True when there is more to read.
    private func readOnce() -> Bool {
        perform {
            guard let hiredis else { return false }
            redisAsyncHandleRead(hiredis)
            // Gone when the read found the connection at its end.
            return self.hiredis.map { SocketWatch.hasInput($0.pointee.c.fd) } ?? false
        }
    }

    private func install(on hiredis: UnsafeMutablePointer<redisAsyncContext>) {
        let me = Unmanaged.passUnretained(self).toOpaque()
        hiredis.pointee.data = me
        hiredis.pointee.ev.data = me
        hiredis.pointee.ev.addRead = { RedisLink.from($0)?.wantsRead = true }
        hiredis.pointee.ev.delRead = { RedisLink.from($0)?.wantsRead = false }
        hiredis.pointee.ev.addWrite = { RedisLink.from($0)?.wantsWrite = true }
        hiredis.pointee.ev.delWrite = { RedisLink.from($0)?.wantsWrite = false }
        hiredis.pointee.ev.cleanup = { RedisLink.from($0)?.freed() }
        redisAsyncSetDisconnectCallback(hiredis) { hiredis, _ in
            guard let hiredis, let link = RedisLink.from(hiredis.pointee.data) else { return }
            if link.noted.reason == nil, let text = hiredis.pointee.errstr {
                link.noted.reason = String(cString: text)
            }
        }
        // Asks for the first write event, which tells how connecting went.
        redisAsyncSetConnectCallback(hiredis) { hiredis, status in
            guard let hiredis, let link = RedisLink.from(hiredis.pointee.data) else { return }
            if status == REDIS_OK {
                link.connected()
            } else if let text = hiredis.pointee.errstr {
                link.noted.reason = String(cString: text)
            }
        }
    }

    /// Sends AUTH and SELECT as needed; without them the link is open at once.
    private func connected() {
        var greeting: [RedisArguments] = []
        if let password = address.password {
            greeting.append(RedisArguments(["AUTH"] + (address.user.map { [$0] } ?? []) + [password]))
        }
        if address.database != 0 { greeting.append(RedisArguments(["SELECT", String(address.database)])) }
        guard !greeting.isEmpty, let hiredis else {
            phase = .open
            noted.hasOpened = true
            return
        }
        phase = .greeting
        append(Job(commands: greeting) { [weak self] in self?.greeted($0) }, to: hiredis)
    }

    private func greeted(_ result: Result<[RedisReply], Job.Failure>) {
        guard case .success(let replies) = result else { return }
        for case .error(let text) in replies { return lose(text) }
        perform {
            guard phase == .greeting else { return }
            phase = .open
            noted.hasOpened = true
        }
    }

    /// hiredis is about to free its context; every pending callback has run with no reply.
    private func freed() {
        hiredis = nil
        watch?.cancel()
        watch = nil
        noted.isLost = true
    }

    /// Gives the connection up. Harmless when it is dead already.
    func lose(_ reason: String) {
        perform {
            guard phase != .dead else { return }
            if noted.reason == nil { noted.reason = reason }
            if let hiredis { redisAsyncFree(hiredis) } else { noted.isLost = true }
        }
    }

    private static func keepAlive(_ descriptor: Int32) {
        func set(_ level: Int32, _ name: Int32, _ value: Int32) {
            withUnsafePointer(to: value) {
                _ = setsockopt(descriptor, level, name, $0, socklen_t(MemoryLayout<Int32>.size))
            }
        }
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
        set(Int32(IPPROTO_TCP), TCP_KEEPIDLE, RedisLimits.keepAlive.idle)
        set(Int32(IPPROTO_TCP), TCP_KEEPINTVL, RedisLimits.keepAlive.interval)
        set(Int32(IPPROTO_TCP), TCP_KEEPCNT, RedisLimits.keepAlive.count)
    }
}

// MARK: Under the lock, and out of it

extension RedisLink {
    /// Runs `body` under the lock, adjusts what the socket is watched for, then delivers what was noted.
    @discardableResult
    private func perform<Value: Sendable>(_ body: () -> Value) -> Value {
        let (value, noted) = lock.withLock { _ -> (Value, Noted) in
            let value = body()
            if self.noted.isLost {
                if phase == .dead { self.noted.isLost = false }
                phase = .dead
                while let left = pending.popFirst() {
                    self.noted.answered.append((left.job, .failure(.lost)))
                }
            }
            watch?.read(wantsRead)
            watch?.write(wantsWrite && !isFlushScheduled)
            defer { self.noted = Noted() }
            return (value, self.noted)
        }
        deliver(noted)
        return value
    }

    private func deliver(_ noted: Noted) {
        if noted.isLost { events.lost(self, noted.reason ?? "the server closed the connection") }
        if noted.hasOpened, !noted.isLost { events.opened(self) }
        for (channel, message) in noted.messages { events.message(channel, message) }
        for (job, result) in noted.answered { job.finish(result) }
    }

    private func append(_ job: Job, to hiredis: UnsafeMutablePointer<redisAsyncContext>) {
        if pending.isEmpty { headSince = .now() }
        pending.append(Pending(job: job))
        for command in job.commands {
            // Fails only while the context is being freed; the pending job fails with it then.
            _ = command.withPointers { count, words, lengths in
                redisAsyncCommandArgv(hiredis, onReply, nil, count, words, lengths)
            }
        }
        armStallCheck()
    }

    private func scheduleFlush() {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        queue.async {
            self.perform {
                self.isFlushScheduled = false
                if let hiredis = self.hiredis { redisAsyncHandleWrite(hiredis) }
            }
        }
    }

    /// Replies come in the order of the commands. No reply: the connection is going away, `perform` sees to
    /// it.
    fileprivate func replied(_ reply: UnsafePointer<redisReply>?) {
        guard let reply else { return }
        pending.first?.replies.append(RedisReply(reply))
        guard let first = pending.first, first.replies.count == first.job.commands.count else { return }
        _ = pending.popFirst()
        headSince = .now()
        noted.answered.append((first.job, .success(first.replies)))
    }

    fileprivate func heard(_ reply: UnsafePointer<redisReply>?) {
        guard let reply, case .array(let parts) = RedisReply(reply), parts.count == 3 else { return }
        switch (parts[0].text, parts[1].text, parts[2]) {
        case ("message", let channel?, .string(let message)): noted.messages.append((channel, message))
        case ("subscribe", _, _): confirmations += 1
        default: break
        }
    }

    /// At most one check is pending, so a busy connection costs one timer per limit.
    private func armStallCheck() {
        guard let commandLimit, !isStallCheckArmed else { return }
        isStallCheckArmed = true
        queue.asyncAfter(deadline: headSince + commandLimit) { [weak self] in
            guard let self else { return }
            let isStalled = lock.withLock { _ in
                isStallCheckArmed = false
                guard !pending.isEmpty else { return false }
                if headSince + commandLimit <= .now() { return true }
                armStallCheck()
                return false
            }
            if isStalled { lose("no answer within \(commandLimit)") }
        }
    }

    fileprivate static func from(_ pointer: UnsafeMutableRawPointer?) -> RedisLink? {
        pointer.map { Unmanaged<RedisLink>.fromOpaque($0).takeUnretainedValue() }
    }
}

private func onReply(
    _ hiredis: UnsafeMutablePointer<redisAsyncContext>?, _ reply: UnsafeMutableRawPointer?,
    _: UnsafeMutableRawPointer?
) {
    RedisLink.from(hiredis?.pointee.data)?.replied(
        reply.map { UnsafePointer($0.assumingMemoryBound(to: redisReply.self)) })
}

private func onMessage(
    _ hiredis: UnsafeMutablePointer<redisAsyncContext>?, _ reply: UnsafeMutableRawPointer?,
    _: UnsafeMutableRawPointer?
) {
    RedisLink.from(hiredis?.pointee.data)?.heard(
        reply.map { UnsafePointer($0.assumingMemoryBound(to: redisReply.self)) })
}

/// Calls what it was given the first time it is called.
private final class Once: Sendable {
    private let action: Mutex<(@Sendable () -> Void)?>
    init(_ action: @escaping @Sendable () -> Void) { self.action = Mutex(action) }
    func callAsFunction() { action.withLock { $0.take() }?() }
}
