import Base
import CallDispatch
import Conversation
import Logging
import NIOCore
import Telephony

/// The only door out: however a call ends, it leaves here.
extension CallRunner {
    /// Files that are not closed by then are reported without.
    static let filesLimit: TimeAmount = .seconds(2)
    /// A last report that is neither acknowledged nor on disk by then no longer holds the line.
    static let endedLimit: TimeAmount = .seconds(3)
    /// The carrier's answer to our hang-up; after it the socket is closed all the same.
    static let hangUpLimit: TimeAmount = .seconds(2)

    /// Everything said has been heard. Tells the end, then lets go of the line.
    func end(_ reason: EndReason) {
        guard phase == .live else { return }
        phase = .ending
        finish(reason)
    }

    /// The grace is over and nobody took the call up.
    func endLost() {
        phase = .ending
        let connectedMs = max(0, connectedMs - Int(Self.lostStreamGrace.milliseconds))
        station.configuration.spans?.add([
            trace.call(
                endedAt: .milliseconds(connectedMs), reason: .carrierFailed,
                direction: plan.direction.rawValue)
        ])
        tell(.ended(.carrierFailed, connectedMs: connectedMs, usage: usage(connectedMs: connectedMs)))
        letGo()
    }

    private func finish(_ reason: EndReason) {
        let connectedMs = connectedMs
        // First, as what is being spoken tells its cost then.
        silence()
        station.configuration.spans?.add([
            trace.call(endedAt: now, reason: reason, direction: plan.direction.rawValue)
        ])
        // First, as what is being spoken tells its cost then.
        silence()
        let usage = usage(connectedMs: connectedMs)
        tellSlice()
        let told = Once()
        let tellEnd: @Sendable ([CallFact]) -> Void = { [self] facts in
            guard told.first() else { return }
            for fact in facts { tell(fact) }
            let settled = Once()
            let leave: @Sendable (Bool) -> Void = { [self] isOurs in
                // The caller may be talking to another worker by now: then only the socket is ours to close.
                loop.execute { if settled.first() { isOurs ? self.hangUp() : self.letGo() } }
            }
            station.reporter.tell(
                .ended(reason, connectedMs: connectedMs, usage: usage), of: key, onSettled: leave)
            loop.scheduleTask(in: Self.endedLimit) { leave(true) }
        }
        files.finish(at: now, done: tellEnd)
        loop.scheduleTask(in: Self.filesLimit) { tellEnd([]) }
    }

    /// Ends the carrier's call, then closes the socket: the other way round the carrier would ask what comes next.
    private func hangUp() {
        files.checkpoints.drop()
        guard !hasCarrierStopped, let sid = plan.carrierCallID else { return letGo() }
        let closed = Once()
        let close: @Sendable () -> Void = { [self] in if closed.first() { letGo() } }
        loop.scheduleTask(in: Self.hangUpLimit, close)
        let rest = TwilioREST(account: TwilioAccount(plan.carrier), http: station.http)
        Task { [loop, logger = station.logger, call = key.call] in
            do {
                try await rest.hangUp(sid)
            } catch {
                let code = (error as? Fault)?.code ?? "unknown"
                logger.warning(
                    "carrier did not take the hang-up",
                    metadata: ["call": .string("\(call)"), "reason": .string(code)])
            }
            loop.execute(close)
        }
    }

    private func letGo() {
        phase = .over
        LoopTick.on(loop).remove(self)
        transport.close(.normal, reason: "")
        station.live.end(self)
    }

    /// The call belongs to someone else now: no word more about it, and the line is let go.
    func drop() {
        // One that is ending has said its last: its claim is gone because of that, and it lets go by itself.
        guard phase != .over, phase != .ending else { return }
        let wasOpen = phase == .live
        phase = .over
        station.reporter.drop(key)
        silence()
        if wasOpen { files.finish(at: now) { _ in } }
        LoopTick.on(loop).remove(self)
        transport.close(.policy, reason: "moved")
        station.live.end(self)
        station.logger.notice(
            "call dropped: its claim has moved",
            metadata: ["call": .string("\(key.call)"), "epoch": "\(key.epoch)"])
    }

    /// From any thread.
    package func dropSoon() { loop.execute { self.drop() } }

    /// Asked for through the API, or the worker's drain has run out. From any thread.
    package func endSoon() { loop.execute { self.receive(.endRequested) } }

    /// Whatever is being said. From any thread.
    func endNowSoon() { loop.execute { self.end(.requested) } }
}

/// Lets the first of several callers through. On one loop only.
final class Once: @unchecked Sendable {
    private var isTaken = false
    func first() -> Bool {
        defer { isTaken = true }
        return !isTaken
    }
}

extension TwilioAccount {
    init(_ account: CarrierAccount) {
        self.init(sid: account.accountSID, authToken: account.authToken, baseURL: account.baseURL)
    }
}
