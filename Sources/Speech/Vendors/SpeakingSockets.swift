import Base
import NIOCore
import WebSockets

/// The warm sockets to one vendor with one account, on one loop, shared by all that is spoken there: no turn pays a
/// handshake. On that loop only.
///
/// Owns: sockets, which contexts are on which, who waits for one. Does not own: what messages mean (the dialect).
final class SpeakingSockets: @unchecked Sendable {
    struct Limits: Sendable {
        var socketsMax = 16
        /// Texts that wait for a free context; more are refused.
        var waitingMax = 200
        /// A socket on which nothing is spoken for so long is closed, or a little before the vendor does (`closeAhead`).
        var idleMax = Duration.seconds(150)
        var closeAhead = Duration.seconds(2)
        /// Speech is expected within this of `warm`: a socket that will not last so long is replaced then.
        var warmAhead = Duration.seconds(10)
        /// How often idle and silent ones are looked for.
        var tickEvery = Duration.milliseconds(250)
        /// From the text to its first audio, and between two pieces of it.
        var firstAudioMax = Duration.seconds(4)
        var stallMax = Duration.seconds(4)
        /// A cancelled context that the vendor does not let go of is forgotten after this.
        var cancelledMax = Duration.seconds(3)
        init() {}
    }

    /// One connection and what is spoken on it.
    final class Socket {
        let voice: String
        let line: VendorSocket
        var contexts: [String: Speaking] = [:]
        /// Cancelled, and not yet over at the vendor.
        var leaving: [String: NIODeadline] = [:]
        var usedAt: NIODeadline
        /// When the vendor last said anything.
        var heardAt: NIODeadline
        var hasWorked = false

        init(voice: String, line: VendorSocket, at now: NIODeadline) {
            self.voice = voice
            self.line = line
            usedAt = now
            heardAt = now
        }
        var load: Int { contexts.count + leaving.count }
    }

    let dialect: any SpeakingDialect
    private let reach: WebSocketReach
    let loop: any EventLoop
    let limits: Limits
    private(set) var sockets: [Socket] = []
    private var waiting: [Speaking] = []
    private var contextNumber = 0
    private var ticking: Scheduled<Void>?

    init(_ dialect: any SpeakingDialect, reach: WebSocketReach, limits: Limits, on loop: any EventLoop) {
        self.dialect = dialect
        self.reach = reach
        self.limits = limits
        self.loop = loop
    }

    /// Something is about to be spoken: has a socket opened unless there is one that will last until then.
    func warm(voice: String) {
        let lasting = min(limits.warmAhead, idleMax / 2)
        let fitting = sockets.filter { fits($0, voice) }
        let isReady = fitting.contains { $0.load > 0 || loop.now - $0.usedAt < TimeAmount(idleMax - lasting) }
        guard !isReady else { return }
        for socket in fitting { drop(socket) }
        if sockets.count < limits.socketsMax { open(voice) }
    }

    /// After so long an idle socket is ours to close, and not the vendor's just as it is used.
    private var idleMax: Duration {
        min(limits.idleMax, max(dialect.idleMax - limits.closeAhead, dialect.idleMax / 2))
    }

    func speak(_ speaking: Speaking) {
        guard let socket = place(for: speaking.voice) else {
            guard waiting.count < limits.waitingMax else {
                let faults = VendorFaults(stage: "tts")
                return speaking.failSoon(faults.after(.milliseconds(200), "busy", "no free context"))
            }
            return waiting.append(speaking)
        }
        start(speaking, on: socket)
    }

    func cancel(_ speaking: Speaking) {
        waiting.removeAll { $0 === speaking }
        for socket in sockets {
            guard let context = socket.contexts.first(where: { $0.value === speaking })?.key else { continue }
            release(context, of: socket, isCancelled: true)
        }
    }

    private func fits(_ socket: Socket, _ voice: String) -> Bool {
        !dialect.isVoiceInURL || socket.voice == voice
    }

    /// The least loaded socket with a free context, a new one if all are full, or nil.
    private func place(for voice: String) -> Socket? {
        let free = sockets.filter { fits($0, voice) && $0.load < dialect.contextsMax }
        if let best = free.min(by: { $0.load < $1.load }) { return best }
        if sockets.count >= limits.socketsMax, let idle = sockets.first(where: { $0.load == 0 }) {
            drop(idle)
        }
        return sockets.count < limits.socketsMax ? open(voice) : nil
    }

    @discardableResult
    private func open(_ voice: String) -> Socket {
        let faults = VendorFaults(stage: "tts", closesAtLimit: dialect.closesAtLimit)
        let socket = Socket(voice: voice, line: VendorSocket(faults: faults), at: loop.now)
        sockets.append(socket)
        socket.line.open(dialect.url(voice: voice), headers: dialect.headers, reach: reach, on: loop) {
            [weak self, weak socket] event in
            guard let self, let socket else { return }
            self.took(event, of: socket)
        }
        tickLater()
        return socket
    }

    private func start(_ speaking: Speaking, on socket: Socket) {
        contextNumber += 1
        let context = "c\(contextNumber)"
        socket.contexts[context] = speaking
        socket.usedAt = loop.now
        speaking.started(at: loop.now, isOnUsedSocket: socket.hasWorked)
        for message in dialect.speak(speaking.text, voice: speaking.voice, context: context) {
            socket.line.send(text: message)
        }
    }

    private func took(_ event: VendorSocket.Event, of socket: Socket) {
        switch event {
        case .opened, .binary: break
        case .text(let text):
            guard let message = dialect.read(text) else {
                return broke(socket, Self.faults.garbled)
            }
            read(message, of: socket)
        case .failed(let fault): broke(socket, fault)
        }
    }

    private func read(_ message: SpeakingMessage, of socket: Socket) {
        socket.heardAt = loop.now
        guard let context = message.context else {
            if let fault = message.fault { broke(socket, fault) }
            return
        }
        guard let speaking = socket.contexts[context] else {
            if message.isDone || message.fault != nil { socket.leaving[context] = nil }
            return takeWaiting()
        }
        socket.hasWorked = true
        let isOver = message.isDone || message.fault != nil
        if isOver {
            socket.contexts[context] = nil
            socket.usedAt = loop.now
        }
        // What goes beyond any speech is stopped at the vendor too.
        if speaking.take(message, at: loop.now), !isOver {
            release(context, of: socket, isCancelled: true)
        }
        if isOver { takeWaiting() }
    }

    /// The context is not ours any more.
    private func release(_ context: String, of socket: Socket, isCancelled: Bool) {
        socket.contexts[context] = nil
        socket.usedAt = loop.now
        for message in dialect.cancel(context: context) where isCancelled { socket.line.send(text: message) }
        if dialect.holdsCancelled { socket.leaving[context] = loop.now + TimeAmount(limits.cancelledMax) }
        takeWaiting()
    }

    /// All that was spoken there fails; what had not sounded yet, on a socket that had worked before, is tried once
    /// more on another: a vendor may close an idle socket just as it is used.
    private func broke(_ socket: Socket, _ fault: Fault) {
        let contexts = socket.contexts.values
        socket.contexts = [:]
        drop(socket)
        for speaking in contexts {
            if speaking.mayStartAgain, fault != Self.faults.silent {
                speak(speaking)
            } else {
                speaking.fail(fault)
            }
        }
        // Without any socket nobody would ever be called up.
        takeWaiting()
    }

    private func drop(_ socket: Socket) {
        sockets.removeAll { $0 === socket }
        socket.line.close()
    }

    private func takeWaiting() {
        while let next = waiting.first, let socket = place(for: next.voice) {
            waiting.removeFirst()
            start(next, on: socket)
        }
    }
}

/// Looking after them.
extension SpeakingSockets {
    private static let faults = VendorFaults(stage: "tts")

    private func tickLater() {
        guard ticking == nil, !sockets.isEmpty else { return }
        ticking = loop.assumeIsolated().scheduleTask(in: TimeAmount(limits.tickEvery)) { [weak self] in
            self?.ticking = nil
            self?.tick()
        }
    }

    private func tick() {
        let now = loop.now
        for socket in sockets {
            for (context, until) in socket.leaving where until <= now { socket.leaving[context] = nil }
            for (context, speaking) in socket.contexts where speaking.isLate(limits, at: now) {
                release(context, of: socket, isCancelled: true)
                speaking.fail(Self.faults.silent)
                // Nobody is there: what else is spoken on it need not wait as long.
                if now - socket.heardAt > TimeAmount(limits.stallMax) { broke(socket, Self.faults.silent) }
            }
            look(after: socket, at: now)
        }
        takeWaiting()
        tickLater()
    }

    private func look(after socket: Socket, at now: NIODeadline) {
        if socket.load == 0, now - socket.usedAt >= TimeAmount(idleMax) { drop(socket) }
    }
}
