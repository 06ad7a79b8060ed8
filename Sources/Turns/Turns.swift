package import Base

/// Whose turn is it? Pure: no clock, no tasks, no audio.
///
/// Owns: routing between `Endpointing`, `Preemption`, `BargeIn`, `Playout`, `Reply`, `LateAnswer` and `Patience`, each of
/// which answers one question. Does not own: what is said or what an answer means.
///
/// Feed every event to `handle`, carry out the effects in order, and call again with `.deadline` no
/// earlier than `deadline`. Invariants: playout is never paused without a deadline; a reply is cancelled
/// at most once.
package struct Turns: Sendable {
    private var policy: Policy
    var endpointing: Endpointing
    private var bargeIn: BargeIn
    var playout = Playout()
    var reply: Reply
    var preemption: Preemption
    var lateAnswer: LateAnswer
    private var patience: Patience
    var stopwatch = Stopwatch()
    /// Utterances spoken so far, in the whole call.
    package internal(set) var utterances: Int
    var isClosing = false
    var hasSpoken = false
    /// Since when the agent has had something to say.
    var busySince = CallTime.zero
    /// Kept, as it is asked after every input: a getter would be given a copy of all of this.
    package private(set) var deadline: CallTime?
    /// An ear that tells an edge later than this is not believed.
    package static let agoMsMax = 5000

    /// `replies` and `utterances` count on from an earlier worker's.
    package init(policy: Policy, replies: Int = 0, utterances: Int = 0) {
        self.policy = policy
        endpointing = Endpointing(policy: policy.endpointing)
        bargeIn = BargeIn(policy: policy.bargeIn)
        reply = Reply(policy: policy.reply, number: replies)
        preemption = Preemption(policy: policy.preemption)
        lateAnswer = LateAnswer(policy: policy.lateAnswer)
        patience = Patience(silenceMs: policy.silenceMs)
        self.utterances = utterances
    }

    /// Goes on by another policy, to see what it would decide.
    package mutating func adopt(_ policy: Policy) {
        self.policy = policy
        endpointing.policy = policy.endpointing
        bargeIn.policy = policy.bargeIn
        reply.policy = policy.reply
        preemption.policy = policy.preemption
        lateAnswer.policy = policy.lateAnswer
        patience.silenceMs = policy.silenceMs
        deadline = nextDeadline
    }

    package var replies: Int { reply.number }
    /// Nothing is queued and no reply is pending.
    package var isQuiet: Bool { !playout.isBusy && !reply.isPending }
    package var isCallerSpeaking: Bool { endpointing.speakingSince != nil }
    /// The caller has said something that is not yet a turn.
    package var isCallerHeard: Bool { !endpointing.isIdle }
    package func isCurrent(reply id: Int) -> Bool { reply.isCurrent(id) }
    package func isDraft(reply id: Int) -> Bool { reply.isDraft && id == reply.number }
    /// The turn's words if `transcript` is added; what its fullness is judged on.
    package func text(with transcript: String) -> String { endpointing.text(with: transcript) }
    package var keys: String { endpointing.keys }

    private var nextDeadline: CallTime? {
        var first: CallTime?
        func consider(_ time: CallTime?) {
            if let time { first = min(first ?? time, time) }
        }
        if !isClosing { consider(endpointing.deadline) }
        consider(endpointing.standsAt)
        consider(guessDue)
        consider(bargeIn.deadline)
        consider(playout.deadline)
        consider(reply.deadline)
        consider(lateAnswerDue)
        consider(patience.deadline)
        return first
    }

    package mutating func handle(_ input: Input, at now: CallTime) -> [Effect] {
        var effects: [Effect] = []
        switch input {
        case .speechStarted(let agoMs):
            endpointing.speechStarted(since: Self.edge(agoMs, before: now))
        case .speechFading(let agoMs): endpointing.speechFading(since: Self.edge(agoMs, before: now))
        case .speechEnded(let agoMs, let finality):
            endpointing.speechEnded(since: Self.edge(agoMs, before: now), finality: finality)
            obey(bargeIn.speechEnded(agoMs: agoMs, at: now), at: now, &effects)
        case .stirred: if canBeInterrupted(at: now) { obey(bargeIn.stirred(at: now), at: now, &effects) }
        case .settled: obey(bargeIn.settled(), at: now, &effects)
        case .endOfTurn(let probability): endpointing.guessed(probability)
        case .judged(let fullness):
            endpointing.judge(fullness, finished: Self.finished(endpointing.text))
        case .stand: stand(&effects)
        case .transcript(let text, let isFinal, let fullness):
            hear(text, isFinal, fullness, at: now, &effects)
        case .key(let key, let fullness): press(key, fullness, at: now, &effects)
        case .ask(let expectation):
            endpointing.ask(expectation)
            if !isClosing { patience.expectAnswer() }
        case .say(let text, let isInterruptible): speak(text, isInterruptible, at: now, &effects)
        case .beginReply: beginReply(at: now, &effects)
        case .beginDraft: if canDraft { effects.append(.startReply(reply.begin(at: now, isDraft: true))) }
        case .continueDraft: continueDraft(at: now, &effects)
        case .prepare(let line): prepare(line, at: now, &effects)
        case .forgetDraft: forgetDraft(&effects)
        case .replyText, .replyFinished, .replyFailed: handleReply(input, at: now, &effects)
        case .synthesised, .synthesisFailed, .heard: handlePlayout(input, at: now, &effects)
        case .hush:
            forgetDraft(&effects)
            takeFloor(isInterruption: false, at: now, &effects)
        case .close: close(at: now, &effects)
        case .deadline: break
        }
        settle(at: now, &effects)
        deadline = nextDeadline
        return effects
    }

    /// When an edge was that is told `agoMs` late; call time begins at zero.
    private static func edge(_ agoMs: Int, before now: CallTime) -> CallTime {
        max(.zero, now + .milliseconds(-min(max(0, agoMs), agoMsMax)))
    }

    /// The agent speaks or is about to, and is not so near its end that it is let finish.
    private func canBeInterrupted(at now: CallTime) -> Bool {
        guard !isQuiet, playout.isInterruptible, !isClosing else { return false }
        guard !reply.isPending, !playout.isPaused, let leftMs = playout.leftMs(at: now) else { return true }
        return leftMs > policy.bargeIn.tailMs
    }

    /// The caller speaks while the agent does.
    private mutating func overlap(at now: CallTime, _ effects: inout [Effect]) {
        guard let since = endpointing.speakingSince, canBeInterrupted(at: now) else { return }
        obey(bargeIn.begin(since: since, over: busySince, at: now), at: now, &effects)
    }

    /// How finished words at least are that end with a question mark.
    private static let questionFinished = 0.85

    /// How finished the words sound; even odds where there are none.
    private static func finished(_ text: String) -> Double {
        let probability = Completeness.probability(finished: text)
        // The recogniser heard a question: it says more than words that could go on.
        if text.utf8.last == UInt8(ascii: "?") { return max(probability, questionFinished) }
        return probability == 0 ? 0.5 : probability
    }

    private mutating func hear(
        _ text: String, _ isFinal: Bool, _ fullness: Fullness, at now: CallTime, _ effects: inout [Effect]
    ) {
        guard !isClosing else {
            if isFinal, !Words.split(text).isEmpty { effects.append(.note("transcript_too_late")) }
            return
        }
        if playout.isEcho(text) {
            endpointing.reset()
            obey(bargeIn.goOn(at: now), at: now, &effects)
            return effects.append(.note("echo"))
        }
        let finished = Self.finished(endpointing.text(with: text))
        switch endpointing.heard(text, isFinal: isFinal, fullness, finished: finished, at: now) {
        case .taken: break
        case .repeated: return
        case .revised where !playout.hasHeardWords:
            endpointing.revise(Words.trimmed(text), at: now)
            return retract(at: now, &effects)
        case .revised, .refused: return effects.append(.note("transcript_too_late"))
        }
        let isOverAgent = !bargeIn.isQuiet
        obey(
            bargeIn.words(endpointing.text, isFinal: isFinal, fillsSlot: fillsSlot(fullness), at: now),
            at: now,
            &effects)
        // "mm-hm" is over; it must not become an answer once the agent has finished.
        if isFinal, isOverAgent, !isQuiet, !isCallerSpeaking, isBackchannel(endpointing.text, fullness) {
            endpointing.reset()
        }
    }

    private func isBackchannel(_ text: String, _ fullness: Fullness) -> Bool {
        text.isEmpty || policy.bargeIn.phrases.isBackchannel(text, fillsSlot: fillsSlot(fullness))
    }

    /// It answers what has been asked; over what comes before the question, "yes" says "go on".
    private func fillsSlot(_ fullness: Fullness) -> Bool {
        fullness == .full && !reply.isPending && playout.isAtLastSentence
    }

    private mutating func press(
        _ key: String, _ fullness: Fullness, at now: CallTime, _ effects: inout [Effect]
    ) {
        guard !isClosing, playout.isInterruptible else { return effects.append(.note("key_ignored")) }
        endpointing.pressed(key, fullness, at: now)
        if !isQuiet || endpointing.isReopenable { takeFloor(isInterruption: true, at: now, &effects) }
    }

    /// Everything that follows from the new state and the time, after every input.
    private mutating func settle(at now: CallTime, _ effects: inout [Effect]) {
        overlap(at: now, &effects)
        if isQuiet || !playout.isInterruptible, !bargeIn.isQuiet { dismiss(at: now, &effects) }
        if let due = bargeIn.deadline, due <= now { obey(bargeIn.handleDeadline(at: now), at: now, &effects) }
        if !isClosing, let due = endpointing.deadline, due <= now { endTurn(at: now, &effects) }
        if let due = endpointing.standsAt, due <= now { stand(&effects) }
        switch playout.handleDeadline(at: now) {
        case .unspoken(let id): effects.append(.synthesisFailed(id))
        case .unreported: effects.append(.note("playout_unreported"))
        case nil: break
        }
        if let due = reply.deadline, due <= now {
            if reply.isDraft {
                forgetDraft(&effects)
            } else if let id = reply.cancel() {
                effects += [.cancelReply(id), .replyFailed]
            }
        }
        bridge(at: now, &effects)
        if isQuiet, hasSpoken { finishAgentTurn(wasInterrupted: false, at: now, &effects) }
        guess(at: now, &effects)
        patience.update(isQuiet: isQuiet && endpointing.isIdle && !isClosing, at: now)
        if patience.handleDeadline(at: now) { effects.append(.silence) }
    }

    private mutating func obey(_ verdict: BargeIn.Verdict, at now: CallTime, _ effects: inout [Effect]) {
        switch verdict {
        case .nothing: break
        case .duck:
            playout.isDucked = true
            effects.append(.duckPlayout)
        case .unduck:
            playout.isDucked = false
            effects.append(.unduckPlayout)
        case .pause:
            playout.pause()
            effects.append(.pausePlayout)
        case .resume(let fromStart):
            playout.resume(fromStart: fromStart, at: now)
            effects.append(.resumePlayout(fromStart: fromStart))
        case .interrupt: takeFloor(isInterruption: true, at: now, &effects)
        }
    }

    private mutating func dismiss(at now: CallTime, _ effects: inout [Effect]) {
        obey(bargeIn.goOn(at: now), at: now, &effects)
    }

    private mutating func endTurn(at now: CallTime, _ effects: inout [Effect]) {
        guard !endpointing.isEmpty else {
            if endpointing.wasSpeech(endpointing.take(at: now)) { patience.hurry() }
            return
        }
        if !isQuiet {
            guard playout.isInterruptible else {
                endpointing.drop(at: now)
                return effects.append(.note("spoke_over_protected_line"))
            }
            if endpointing.keys.isEmpty, isBackchannel(endpointing.text, endpointing.fullness) {
                endpointing.drop(at: now)
                dismiss(at: now, &effects)
                return effects.append(.note("backchannel"))
            }
        }
        takeFloor(isInterruption: true, at: now, &effects)
        stand(&effects)
        let turn = endpointing.take(at: now)
        preemption.endTurn(turn.keys.isEmpty ? turn.text : "")
        if !preemption.isRight { forgetDraft(&effects) }
        patience.stop()
        lateAnswer.callerFinished(at: turn.endedAt)
        stopwatch.start(speechEnded: turn.endedAt, finalAt: turn.words.finalAt, at: now)
        effects.append(.callerTurn(CallerTurn(turn, turn.evidence)))
        if !endpointing.isLastOpen {
            preemption.stand()
            effects.append(.turnStands)
        }
    }

    private mutating func stand(_ effects: inout [Effect]) {
        guard endpointing.stand() else { return }
        preemption.stand()
        effects.append(.turnStands)
    }

    /// The agent falls silent: voice, queue and model.
    private mutating func takeFloor(isInterruption: Bool, at now: CallTime, _ effects: inout [Effect]) {
        bargeIn.reset()
        if isInterruption, endpointing.isReopenable, !playout.hasHeardWords {
            endpointing.reopen()
            return retract(at: now, &effects)
        }
        guard !isQuiet else { return }
        stand(&effects)
        let heard = silence(at: now, &effects)
        if isInterruption { effects.append(.interrupted(heard: heard)) }
        finishAgentTurn(wasInterrupted: isInterruption, at: now, &effects)
    }

    /// Voice, queue and model stop; gives the words that were heard of them.
    private mutating func silence(at now: CallTime, _ effects: inout [Effect]) -> String {
        if playout.isBusy || playout.isPaused || playout.isDucked { effects.append(.clearPlayout) }
        forgetDraft(&effects)
        if let id = reply.cancel() { effects.append(.cancelReply(id)) }
        hasSpoken = false
        return playout.clear(at: now)
    }

    /// The last turn was not over: the reply to it was never begun.
    private mutating func retract(at now: CallTime, _ effects: inout [Effect]) {
        bargeIn.reset()
        _ = silence(at: now, &effects)
        _ = playout.takeTurn()
        _ = stopwatch.take()
        patience.stop()
        effects.append(.reopened)
    }

    private mutating func finishAgentTurn(wasInterrupted: Bool, at now: CallTime, _ effects: inout [Effect]) {
        let isAllHeard = hasSpoken
        hasSpoken = false
        if let turn = playout.takeTurn(), !turn.text.isEmpty {
            stand(&effects)
            effects.append(
                .agentTurn(
                    AgentTurn(
                        text: turn.text, startedAt: turn.startedAt, endedAt: turn.endedAt,
                        wasInterrupted: wasInterrupted, stages: stopwatch.take())))
        }
        if isAllHeard { effects.append(.allHeard) }
    }

    private mutating func close(at now: CallTime, _ effects: inout [Effect]) {
        isClosing = true
        stand(&effects)
        patience.stop()
        endpointing.reset()
        dismiss(at: now, &effects)
        forgetDraft(&effects)
        if let id = reply.cancel() { effects.append(.cancelReply(id)) }
    }

    /// What the caller was saying when the line was cut; nil for nothing.
    package mutating func takeUnfinished(at now: CallTime) -> CallerTurn? {
        guard !endpointing.isIdle, !isClosing else { return nil }
        guard !endpointing.isEmpty else { return nil }
        let turn = CallerTurn(endpointing.take(at: now), nil)
        deadline = nextDeadline
        return turn
    }
}
