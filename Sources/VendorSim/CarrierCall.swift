import Base
import NIOCore
import WebSockets

/// One phone call as the carrier holds it: the line to the caller, the play buffer, the media stream.
///
/// Confined to `loop`; `CallRunner` walks the TwiML and comes here for everything that takes time.
final class CarrierCall: CallerLine, @unchecked Sendable {
    let sid: String
    let accountSid: String
    let loop: any EventLoop
    private let ticker: CallTicker
    private let watch: CallWatcher?
    private let keepsAudio: Bool
    private(set) var caller: any Caller
    private var playout = Playout()
    private var link: MediaLink?
    private(set) var seen: CallObservation
    private var ticks = 0
    private var hangsUpAtMs: Int?
    private var verb = Waiting()
    private(set) var order: CallOrder?
    private(set) var hasAnswered = false

    /// What the current verb waits for.
    private struct Waiting {
        var number = 0
        var promise: EventLoopPromise<Void>?
    }

    struct Setup {
        var observation: CallObservation
        var accountSid: String
        var caller: any Caller
        var hangsUpAfter: Duration?
        var keepsAudio: Bool
        var watch: CallWatcher?
    }

    init(_ setup: Setup, loop: any EventLoop, ticker: CallTicker) {
        sid = setup.observation.sid
        accountSid = setup.accountSid
        seen = setup.observation
        caller = setup.caller
        hangsUpAtMs = setup.hangsUpAfter.map { Int($0.milliseconds) }
        keepsAudio = setup.keepsAudio
        watch = setup.watch
        self.loop = loop
        self.ticker = ticker
    }

    /// Milliseconds since the answer, by the carrier's clock.
    var nowMs: Int { ticks * 20 }

    // MARK: life

    func become(_ status: CarrierStatus) {
        loop.preconditionInEventLoop()
        guard !seen.status.isOver, seen.status != status else { return }
        seen.status = status
        note(.status(status))
        if status == .inProgress {
            hasAnswered = true
            ticker.add(self)
        }
    }

    func record(_ webhook: SentWebhook) { seen.webhooks.append(webhook) }

    /// Somebody wants the call to go elsewhere or to end; the verb under way is cut short.
    func interrupt(_ newOrder: CallOrder) {
        loop.preconditionInEventLoop()
        guard !seen.status.isOver else { return }
        if case .hangUp = order { return }
        order = newOrder
        stopStream()
        _ = playout.clear()
        finishVerb()
    }

    func takeOrder() -> CallOrder? {
        defer { if case .hangUp = order {} else { order = nil } }
        return order
    }

    func end(_ status: CarrierStatus, by reason: String) {
        loop.preconditionInEventLoop()
        guard !seen.status.isOver else { return }
        seen.durationMs = nowMs
        seen.endedBy = reason
        stopStream()
        ticker.remove(self)
        caller.over(at: nowMs)
        become(status)
        finishVerb()
    }

    var observation: CallObservation {
        var result = seen
        if !result.status.isOver { result.durationMs = nowMs }
        result.framesPlayed = playout.framesPlayed
        result.gaps = playout.gaps.map { .init(startMs: $0.tick * 20, lengthMs: $0.ticks * 20) }
        result.heard = caller.lines.heard
        result.said = caller.lines.said
        return result
    }

    // MARK: verbs: each returns a future that succeeds when the verb is over or cut short

    func play(_ audio: [UInt8]) -> EventLoopFuture<Void> {
        begin { number in
            playout.append(audio)
            if playout.append(.verbEnded(number)) { finishVerb(number) }
        }
    }

    func pause(_ length: TimeAmount) -> EventLoopFuture<Void> {
        begin { number in loop.scheduleTask(in: length) { self.finishVerb(number) } }
    }

    func connect(_ stream: TwiML.Stream, streamSid: String, signature: String) -> EventLoopFuture<Void> {
        begin { number in
            let identity = StreamIdentity(accountSid: accountSid, callSid: sid, streamSid: streamSid)
            let link = MediaLink(identity: identity, stream: stream, index: seen.streams.count, call: self)
            self.link = link
            seen.streams.append(.init(url: stream.url, parameters: stream.parameters))
            WebSocketClient.connect(
                url: stream.url, headers: [(WebhookSignature.header, signature)], limits: WebSocketLimits(),
                on: loop,
                peer: link
            ).whenFailure { error in
                self.seen.streams[link.index].refusedStatus = (error as? WebSocketRefused)?.status
                self.link = nil
                self.finishVerb(number)
            }
        }
    }

    private func begin(_ work: (Int) -> Void) -> EventLoopFuture<Void> {
        loop.preconditionInEventLoop()
        guard order == nil, !seen.status.isOver else { return loop.makeSucceededVoidFuture() }
        let promise = loop.makePromise(of: Void.self)
        verb = Waiting(number: verb.number + 1, promise: promise)
        work(verb.number)
        return promise.futureResult
    }

    private func finishVerb(_ number: Int? = nil) {
        guard number == nil || number == verb.number else { return }
        verb.promise?.succeed()
        verb.promise = nil
    }

    // MARK: the media stream

    func streamStarted(_ link: MediaLink) {
        seen.streams[link.index].startedMs = nowMs
        note(.streamStarted)
        // Answered and redirected, or hung up, while the socket was opening.
        if order != nil || seen.status.isOver { link.stop() }
    }

    func ordered(_ order: StreamOrder, by link: MediaLink) {
        guard link === self.link else { return }
        switch order {
        case .media(let audio): playout.append(audio)
        case .mark(let name): if playout.append(.named(name)) { echo(name) }
        case .clear:
            seen.clears += 1
            for mark in playout.clear() { play(mark) }
        case .unknown(let event): malformed("unknown event \(event)")
        }
    }

    func malformed(_ what: String) {
        if seen.malformed.count < Self.malformedMax { seen.malformed.append(what) }
    }

    func streamEnded(_ link: MediaLink) {
        seen.streams[link.index].endedMs = nowMs
        note(.streamEnded)
        guard link === self.link else { return }
        self.link = nil
        // What was not played yet belongs to the stream: it is lost with it.
        _ = playout.clear()
        finishVerb()
    }

    func dropStream() {
        link?.drop()
    }

    private func stopStream() { link?.stop() }

    private func echo(_ name: String) {
        seen.marksEchoed += 1
        link?.echo(name)
    }

    private func play(_ mark: Playout.Mark) {
        switch mark {
        case .named(let name): echo(name)
        case .verbEnded(let number): finishVerb(number)
        }
    }

    // MARK: 20 ms

    func tick(lateMs: Int) {
        seen.clockLateMaxMs = max(seen.clockLateMaxMs, lateMs)
        let played = playout.tick()
        if let frame = played.frame { noteFirstSound(frame) }
        for mark in played.marks { play(mark) }
        let spoken = caller.tick(heard: played.frame, at: nowMs, line: self)
        if keepsAudio, seen.agentAudio.count < Self.tapeBytesMax {
            seen.agentAudio += played.frame ?? Mouth.silence
            seen.callerAudio += spoken ?? Mouth.silence
        }
        link?.send(frame: spoken)
        if let due = hangsUpAtMs, nowMs >= due {
            hangsUpAtMs = nil
            hangUpByCaller()
        }
        ticks += 1
    }

    private func noteFirstSound(_ frame: [UInt8]) {
        guard let last = seen.streams.indices.last, let started = seen.streams[last].startedMs,
            seen.streams[last].firstSoundMs == nil, MuLaw.loudness(frame[...]) > SoundEdges.soundLoudness
        else { return }
        seen.streams[last].firstSoundMs = nowMs - started
    }

    // MARK: CallerLine

    func press(_ digit: Character) {
        seen.pressed.append(digit)
        link?.send(digit: digit)
    }

    func hangUpByCaller() { interrupt(.hangUp(by: "caller")) }

    func note(_ moment: CallMoment) { watch?(sid, nowMs, moment) }

    static let malformedMax = 100
    /// Ten minutes.
    static let tapeBytesMax = 10 * 60 * MuLaw.sampleRateHz
}

/// Where a call goes next.
enum CallOrder: Sendable {
    case fetch(url: String)
    case document(String)
    /// The call is over: `completed` once it was answered, else `canceled`.
    case hangUp(by: String)
    case end(CarrierStatus, by: String)
}
