import Base
import CallDispatch
import Conversation
import Logging
package import NIOCore
package import Telephony

/// A media stream before it has a call: opens its token, asks the control plane, then hands everything to a runner.
///
/// What the carrier sends meanwhile is kept, a little of it. On the socket's loop only.
package final class StreamAdmission: MediaSink, @unchecked Sendable {
    /// Audio kept while the control plane is asked: two seconds.
    static let earlyBytesMax = 16_000
    /// The name of the TwiML parameter that carries the token.
    package static let tokenParameter = "token"

    private let station: Station
    private let onClosed: @Sendable () -> Void
    private var transport: (any CallTransport)?
    private var runner: CallRunner?
    private var early = ByteBuffer()
    private var hasStopped = false
    private var isClosed = false

    package init(station: Station, onClosed: @escaping @Sendable () -> Void = {}) {
        self.station = station
        self.onClosed = onClosed
    }

    package func started(_ start: StreamStart, on transport: any CallTransport) {
        self.transport = transport
        guard let text = start.parameters[Self.tokenParameter],
            let token = MediaToken(text, key: station.configuration.workerKey)
        else { return refuse("token_unknown", .policy) }
        guard token.expires > .now else { return refuse("token_expired", .policy, call: token.call) }
        let key = CallKey(call: token.call, tenant: token.tenant, epoch: token.epoch)
        switch station.live.admit(key) {
        case .admitted: attach(token, start, on: transport)
        case .full: refuse("no_free_slot", .tryAgainLater, call: token.call)
        case .duplicate: refuse("token_in_use", .policy, call: token.call)
        }
    }

    private func attach(_ token: MediaToken, _ start: StreamStart, on transport: any CallTransport) {
        let loop = transport.loop
        Task { [station, self] in
            do {
                let plan = try await station.link.attach(
                    token, worker: station.configuration.worker, carrierCallID: start.callSid)
                let checkpoint = plan.isResumed ? await Checkpoints.load(plan, from: station.board) : nil
                loop.execute { self.begin(plan, checkpoint, carrierCallID: start.callSid) }
            } catch {
                loop.execute {
                    station.live.refuse(token.call)
                    switch error {
                    case let refusal as Refusal: self.refuse(refusal.code, .policy, call: token.call)
                    case let fault as Fault: self.refuse(fault.code, .internalError, call: token.call)
                    default: self.refuse("attach_failed", .internalError, call: token.call)
                    }
                }
            }
        }
    }

    private func begin(_ plan: Plan, _ checkpoint: Checkpoint?, carrierCallID: String) {
        guard let transport else { return station.live.refuse(plan.call) }
        var plan = plan
        plan.carrierCallID = plan.carrierCallID ?? carrierCallID
        let runner = CallRunner(plan: plan, on: transport, station: station, checkpoint: checkpoint)
        station.live.begin(runner)?.dropSoon()
        do {
            try runner.begin()
        } catch {
            let code = (error as? Fault)?.code ?? "unknown"
            station.logger.error(
                "a call's voices cannot be had",
                metadata: ["call": .string("\(plan.call)"), "reason": .string(code)])
            runner.end(.agentFailed)
        }
        self.runner = runner
        if early.readableBytes > 0 { runner.audio(early) }
        early = ByteBuffer()
        if hasStopped { runner.stopped() }
        if isClosed {
            runner.closed()
            letGo()
        }
    }

    private func refuse(_ code: String, _ close: MediaClose, call: ID<Call>? = nil) {
        station.meters.refuse()
        station.logger.warning(
            "media stream refused",
            metadata: ["reason": .string(code), "call": .string(call.map { "\($0)" } ?? "unknown")])
        transport?.close(close, reason: code)
    }

    package func audio(_ audio: ByteBuffer) {
        if let runner { return runner.audio(audio) }
        guard early.readableBytes + audio.readableBytes <= Self.earlyBytesMax else { return }
        early.writeImmutableBuffer(audio)
    }

    package func digit(_ digit: String) { runner?.digit(digit) }
    package func mark(_ number: Int) { runner?.mark(number) }

    package func stopped() {
        hasStopped = true
        runner?.stopped()
    }

    package func protocolViolation(_ violation: MediaViolation) {
        station.meters.refuse()
        runner?.protocolViolation(violation)
    }

    package func closed() {
        guard !isClosed else { return }
        isClosed = true
        onClosed()
        // Before the control plane has answered, `begin` still needs to know whose stream this was.
        guard let runner else { return }
        runner.closed()
        letGo()
    }

    /// Transport, stream and runner hold each other until the socket is gone.
    private func letGo() {
        runner = nil
        transport = nil
    }
}
