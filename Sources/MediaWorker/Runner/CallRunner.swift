import Agents
import Base
package import CallDispatch
package import Conversation
import Foundation
import Logging
package import NIOCore
import Speech
package import Telephony

/// Carries one call: records every input, lets the conversation decide, performs what it says.
///
/// Lives on the event loop of the call's media socket; nothing in here suspends. Owns the call's clock, its files and
/// its parts (ear, mouth, mind, playout). Does not own: decisions (Conversation), money and truth (control plane).
package final class CallRunner: @unchecked Sendable, Ticking {
    /// After its socket vanished a call waits so long for the carrier to ask elsewhere and the claim to move.
    package static let lostStreamGrace: Duration = .seconds(10)
    /// Usage is told so often.
    static let sliceEvery: Duration = .seconds(5)
    /// A carrier that takes nothing, or owes the echo of a mark, for so long has gone.
    package static let stallMax: Duration = .seconds(5)
    /// A carrier sends 50 frames a second, silence too: one that sends nothing at all for so long has gone.
    package static let silentMax: Duration = .seconds(10)

    /// A beat that comes so late says nothing about the carrier.
    static let loopStallMax: Duration = .seconds(1)

    enum Phase: Equatable {
        case live
        /// The socket is gone without a word.
        case lost(until: CallTime)
        case ending
        case over
    }

    package let key: CallKey
    package let pulse = Pulse()
    let plan: Plan
    let station: Station
    let transport: any CallTransport
    let loop: any EventLoop
    let start: NIODeadline
    var phase = Phase.live
    var conversation: Conversation
    let playout: Playout
    let files: CallFiles
    var meter = Meter()
    /// Who really heard and spoke.
    var voices = TurnVoices(prepared: SpeechCache.source)
    /// Voice made ahead, in case it is spoken next.
    var prepared: Prepared?
    /// Tools that run, by key.
    var toolTasks: [String: Task<Void, Never>] = [:]
    var hasCarrierStopped = false
    private(set) var parts: Parts?
    private var inbox: [Dialogue.Input] = []
    private var isHandling = false
    /// Rings at the conversation's deadline or before it: an alarm is not moved for a deadline that moves away.
    private var armed: (due: CallTime, alarm: Scheduled<Void>)?
    var beats = Beats()
    let trace: CallTrace

    /// What listens, speaks and thinks; made once the runner exists, as they call back into it.
    struct Parts {
        let ear: Ear
        let mouth: Mouth
        let mind: Mind
    }

    /// When regular things were last done.
    struct Beats {
        var slice = CallTime.zero
        var stalledSince: CallTime?
        /// When the carrier last said anything.
        var heardFrom = CallTime.zero
        var at = CallTime.zero
        var counts = Pacing.Counts()
    }

    /// `checkpoint` is what another worker left; it must be nil unless `plan.isResumed`.
    package init(plan: Plan, on transport: any CallTransport, station: Station, checkpoint: Checkpoint?) {
        self.plan = plan
        self.station = station
        self.transport = transport
        loop = transport.loop
        let key = CallKey(call: plan.call, tenant: plan.tenant, epoch: plan.epoch)
        self.key = key
        start = transport.loop.now
        trace = CallTrace(
            call: plan.call, tenant: plan.tenant, epoch: plan.epoch,
            startedAt: Int64(Date().timeIntervalSince1970 * 1_000_000_000))
        var resuming = checkpoint
        if plan.isResumed {
            resuming = resuming ?? Checkpoint(elapsedMs: plan.elapsedMs)
            resuming?.elapsedMs = plan.elapsedMs
        }
        conversation = Conversation(
            definition: plan.definition, variables: plan.variables, call: plan.call.description,
            isOutbound: plan.direction == .outbound, fundedMs: plan.fundedMs, holdNumber: plan.holdNumber,
            resuming: resuming)
        playout = Playout(to: transport, policy: station.configuration.pacing)
        files = CallFiles(plan, station: station, checkpoint: resuming, on: transport.loop) {
            [reporter = station.reporter] in reporter.tell($0, of: key)
        }
    }

    /// Opens the voices and lets the conversation begin.
    ///
    /// - Throws: `Fault` when the plan asks for a voice or model that is not there.
    package func begin() throws {
        loop.preconditionInEventLoop()
        parts = makeParts(try station.voices(plan, loop))
        LoopTick.on(loop).add(self)
        tell(.mediaStarted)
        files.begin()
        if plan.definition.recording.mode == .on { files.startRecording(at: now) }
        receive(.mediaStarted(resumed: plan.isResumed))
    }

    /// Time since this epoch's media began.
    var now: CallTime { CallTime(nanoseconds: (loop.now - start).nanoseconds) }

    var connectedMs: Int { now.milliseconds }

    func tell(_ fact: CallFact) { station.reporter.tell(fact, of: key) }

    /// One input: recorded, decided, performed. Inputs that effects bring about at once wait for their turn.
    package func receive(_ input: Dialogue.Input) {
        loop.preconditionInEventLoop()
        guard phase == .live else { return }
        if input.wantsExactPlace { inbox += heardInputs(at: now, isExact: true) }
        inbox.append(input)
        guard !isHandling else { return }
        isHandling = true
        while !inbox.isEmpty {
            let next = inbox.removeFirst()
            guard phase == .live else { continue }
            let now = now
            files.journal.append(next, at: now, isPrivate: conversation.isPrivate)
            if case .heard(let id, _, _) = next { voices.heard(id) }
            for effect in conversation.handle(next, at: now) { perform(effect) }
        }
        isHandling = false
        rearm()
    }

    private func rearm() {
        guard phase == .live, let due = conversation.deadline else { return }
        if let armed {
            guard due < armed.due else { return }
            armed.alarm.cancel()
        }
        let alarm = loop.scheduleTask(deadline: start + .nanoseconds(due.nanoseconds)) { [weak self] in
            guard let self, self.armed?.due == due else { return }
            self.armed = nil
            self.ring()
        }
        armed = (due, alarm)
    }

    private func ring() {
        guard let due = conversation.deadline, due <= now else { return rearm() }
        receive(.deadline)
    }

    private func makeParts(_ voices: CallVoices) -> Parts {
        let definition = plan.definition
        return Parts(
            ear: Ear(
                voices.recogniser,
                settings: RecognitionSettings(
                    language: definition.language, phrases: definition.voice.keyterms),
                weights: station.configuration.weights, on: loop,
                tell: { [weak self] in self?.receive($0) }, report: { [weak self] in self?.heard($0) }),
            mouth: Mouth(voices.synthesiser, voice: definition.voice.voice, on: loop) { [weak self] in
                self?.spoken($0, $1)
            },
            mind: Mind(
                voices.model, on: loop, tell: { [weak self] in self?.thought($0) },
                report: { [weak self] in self?.thought($0) }))
    }

    /// Disarms everything; the phase has been changed before.
    func silence() {
        armed?.alarm.cancel()
        armed = nil
        parts?.ear.close()
        parts?.mouth.close()
        parts?.mind.close()
        parts = nil
        inbox = []
    }
}

/// The beat.
extension CallRunner {
    func tick(at instant: NIODeadline) {
        pulse.beat(instant)
        let now = now
        switch phase {
        case .live: beat(at: now)
        case .lost(let until) where now >= until: endLost()
        case .lost, .ending: break
        case .over: LoopTick.on(loop).remove(self)
        }
    }

    private func beat(at now: CallTime) {
        playout.pump(at: now)
        for input in heardInputs(at: now, isExact: false) { receive(input) }
        files.beat(at: now)
        watchStall(at: now)
        if now - beats.slice >= Self.sliceEvery {
            beats.slice = now
            tellSlice()
        }
    }

    func heardInputs(at now: CallTime, isExact: Bool) -> [Dialogue.Input] {
        playout.hear(at: now, isExact: isExact) {
            files.recorder.agent($0, at: now)
            parts?.ear.agentSounds($0)
        }
    }

    /// The socket is open and nobody is there: let go of, as if it had broken, and told apart.
    private func watchStall(at now: CallTime) {
        // After a stall of our own, what the carrier said meanwhile is still to be read.
        let wasAway = now - beats.at > Self.loopStallMax
        beats.at = now
        guard !wasAway else { return }
        if !playout.isStalled {
            beats.stalledSince = nil
        } else if beats.stalledSince == nil {
            beats.stalledSince = now
        }
        if let since = beats.stalledSince, now - since > Self.stallMax { return stalled("nothing_read") }
        if playout.owesMark(at: now, for: Self.stallMax) { return stalled("nothing_played") }
        if now - beats.heardFrom > Self.silentMax { stalled("nothing_sent") }
    }

    private func stalled(_ what: String) {
        station.logger.warning(
            "media socket stalled",
            metadata: ["call": .string("\(key.call)"), "reason": .string(what)])
        tell(.event(code: "media_stalled", detail: what))
        transport.close(.policy, reason: "stalled")
        closed()
    }

    func tellSlice() {
        let connectedMs = connectedMs
        tell(.usage(usage(connectedMs: connectedMs), connectedMs: connectedMs))
        countFrames()
    }

    func usage(connectedMs: Int) -> [Usage] {
        meter.usage(connectedMs: connectedMs, carrier: plan.carrier.vendor)
    }

    private func countFrames() {
        let counts = playout.pacing.counts
        station.meters.played(
            frames: counts.frames - beats.counts.frames, late: counts.late - beats.counts.late,
            underruns: counts.underruns - beats.counts.underruns)
        beats.counts = counts
    }
}

/// From the carrier's stream.
extension CallRunner: MediaSink {
    package func started(_ start: StreamStart, on transport: any CallTransport) {}

    package func audio(_ audio: ByteBuffer) {
        guard phase == .live else { return }
        beats.heardFrom = now
        files.recorder.caller(audio, at: now)
        parts?.ear.hear(audio)
    }

    package func digit(_ digit: String) { receive(.digit(digit)) }

    package func mark(_ number: Int) {
        guard phase == .live else { return }
        let now = now
        beats.heardFrom = now
        playout.echoed(number, at: now)
        for input in heardInputs(at: now, isExact: false) { receive(input) }
    }

    package func stopped() {
        hasCarrierStopped = true
        receive(.callerHungUp)
    }

    package func protocolViolation(_ violation: MediaViolation) {
        guard phase == .live else { return }
        tell(.event(code: "media_violation", detail: violation.code))
    }

    /// Without a `stop` before it, the call may live on at another worker: say nothing final yet.
    package func closed() {
        guard phase == .live else { return }
        phase = .lost(until: now + Self.lostStreamGrace)
        saveCheckpoint()
        silence()
        tellSlice()
        tell(.event(code: "media_lost", detail: ""))
        files.finish(at: now) { [station, key] facts in
            for fact in facts { station.reporter.tell(fact, of: key) }
        }
    }
}

extension Dialogue.Input {
    /// What the conversation makes of it depends on how much has been heard by now.
    fileprivate var wantsExactPlace: Bool {
        switch self {
        case .stirred, .speechStarted, .transcript, .digit, .keyTone, .deadline, .endRequested, .callerHungUp,
            .holdRefused:
            true
        default: false
        }
    }
}
