import Base

/// Interruption or backchannel? Pure.
///
/// Three steps: the first sign of the caller's voice *ducks* the agent's, speech that lasts *pauses* it, and then it is
/// judged. Real words, a stop phrase or lasting speech take the floor; a noise, or nothing but "mm-hm", lets the agent
/// go on from the very sample, or from the start of its sentence after a long pause. A caller for whom the agent was
/// paused in vain is given longer the next time: who says "mm-hm" once says it again.
package struct BargeIn: Sendable {
    package struct Policy: Hashable, Sendable {
        /// Speech that has lasted so long since its onset pauses the agent. 40...1000.
        package var pauseMs = 180
        /// Pauses and judges lasting speech so much later for each pause in a row that nothing came of. 0...1000.
        package var falsePauseMs = 250
        /// Speech at least this long takes the floor, words or not. 100...2000.
        package var judgeMs = 300
        /// Words that take the floor at once; 0: lasting speech alone is enough. 0...10.
        package var words = 0
        /// Words of short speech that come this long after its end may still take the floor.
        package var wordsLimitMs = 1000
        /// Speech as long as this takes the floor although only "mm-hm" or too few words were recognised.
        package var overlapMaxMs = 1500
        /// Fast evidence that is neither confirmed nor withdrawn for so long is dismissed.
        package var stirMaxMs = 400
        /// An agent with less than this left to say is let finish.
        package var tailMs = 300
        /// After a pause of this length the agent begins its sentence again.
        package var restartMs = 1000
        package var phrases = Phrases()
        package init() {}
    }

    enum Verdict: Hashable {
        case nothing, duck, unduck, pause, interrupt
        /// `fromStart`: of the utterance that was paused.
        case resume(fromStart: Bool)
    }

    private enum State: Hashable {
        /// No sign of the caller over the agent.
        case quiet
        /// Fast evidence only; the agent is ducked.
        case stirred(since: CallTime, until: CallTime)
        /// Speech, too short to tell; the agent is ducked until `until`.
        case suspected(since: CallTime, until: CallTime)
        /// The agent is paused and the caller speaks.
        case paused(since: CallTime)
        /// The caller has stopped and the agent goes on; words of it may still come.
        case doubted(until: CallTime)
    }

    /// `beginning`: words that may become a backchannel.
    private enum Heard: Hashable { case nothing, beginning, backchannel, words(Int) }

    private static let earLagMsMax = 500
    /// More pauses in vain teach no more.
    private static let falsePausesMax = 3
    /// A sound stirs the ear so long after its onset: a hiss before a voice ("seven") is the onset of speech.
    private static let stirLagMs = 40
    /// Speech that comes back so soon after its end never ended: the ear had a doubt.
    private static let bridgeMs = 60

    var policy: Policy
    private var state = State.quiet
    private var heard = Heard.nothing
    private var pausedAt = CallTime.zero
    /// The last speech over the agent.
    private var last: (since: CallTime, endedAt: CallTime)?
    /// Pauses in a row that nothing came of, 0...falsePausesMax.
    private var falsePauses = 0
    /// Lasting speech has taken the floor; its words will tell whether it was meant to.
    private var isUnexplained = false
    /// How late the ear has told the end of speech: what lasts up to now may have ended that long ago.
    private var earLagMs = 100

    init(policy: Policy) { self.policy = policy }

    var isQuiet: Bool { state == .quiet }

    var deadline: CallTime? {
        switch state {
        case .quiet: nil
        case .stirred(_, let until), .suspected(_, let until), .doubted(let until): until
        case .paused(let since): judgeAt(since)
        }
    }

    /// Fast evidence that the caller speaks while the agent does.
    mutating func stirred(at now: CallTime) -> Verdict {
        switch state {
        case .quiet, .doubted: break
        case .stirred, .suspected, .paused: return .nothing
        }
        heard = .nothing
        state = .stirred(
            since: now + .milliseconds(-Self.stirLagMs), until: now + .milliseconds(policy.stirMaxMs))
        return .duck
    }

    mutating func settled() -> Verdict {
        guard case .stirred = state else { return .nothing }
        return judged(.unduck)
    }

    /// The caller speaks while the agent does; `since` when that speech began, `over` when the agent's did.
    mutating func begin(since: CallTime, over agentSince: CallTime, at now: CallTime) -> Verdict {
        let onset: CallTime
        let verdict: Verdict
        switch state {
        case .quiet, .doubted: (onset, verdict) = (resumedOnset(since), .duck)
        case .stirred(let stirredSince, _):
            (onset, verdict) = (min(resumedOnset(since), stirredSince), .nothing)
        case .suspected, .paused: return .nothing
        }
        heard = .nothing
        isUnexplained = false
        // Who spoke before the agent did is not talked over at all.
        state = .suspected(
            since: max(onset, agentSince),
            until: max(now, onset + .milliseconds(policy.pauseMs + patienceMs)))
        return verdict
    }

    private var patienceMs: Int { falsePauses * policy.falsePauseMs }

    private func resumedOnset(_ since: CallTime) -> CallTime {
        guard let last, since - last.endedAt <= .milliseconds(Self.bridgeMs) else { return since }
        return min(last.since, since)
    }

    mutating func speechEnded(agoMs: Int, at now: CallTime) -> Verdict {
        earLagMs = min(max(0, agoMs), Self.earLagMsMax)
        let verdict: Verdict
        let onset: CallTime
        switch state {
        case .suspected(let since, _): (onset, verdict) = (since, .unduck)
        case .paused(let since): (onset, verdict) = (since, resumed(at: now))
        case .quiet, .stirred, .doubted: return .nothing
        }
        last = (onset, now + .milliseconds(-earLagMs))
        state = .doubted(until: now + .milliseconds(policy.wordsLimitMs))
        return verdict
    }

    /// `text` is all the caller has said in this turn.
    mutating func words(_ text: String, isFinal: Bool, fillsSlot: Bool, at now: CallTime) -> Verdict {
        guard state != .quiet else {
            if isFinal { explain(text, fillsSlot: fillsSlot) }
            return .nothing
        }
        let count = Words.split(text).count
        if policy.phrases.interrupts(text) { return interrupted() }
        if count > 0 {
            if policy.phrases.isBackchannel(text, fillsSlot: fillsSlot) {
                heard = .backchannel
            } else if !isFinal, policy.phrases.mayBecomeBackchannel(text, fillsSlot: fillsSlot) {
                heard = .beginning
            } else {
                heard = .words(count)
            }
        }
        if case .words(let count) = heard, count >= policy.words { return interrupted() }
        if heard == .backchannel, case .suspected(let since, let until) = state {
            state = .suspected(since: since, until: max(until, judgeAt(since)))
        }
        if isFinal, case .doubted = state { reset() }
        return .nothing
    }

    mutating func handleDeadline(at now: CallTime) -> Verdict {
        switch state {
        case .stirred(_, let until) where now >= until: return judged(.unduck)
        case .suspected(let since, let until) where now >= until:
            guard now < judgeAt(since) else { return outlasted() }
            state = .paused(since: since)
            pausedAt = now
            return .pause
        case .paused(let since) where now >= judgeAt(since): return outlasted()
        case .doubted(let until) where now >= until: return judged(.nothing)
        default: return .nothing
        }
    }

    /// It was nothing: the voice comes back as it was.
    mutating func goOn(at now: CallTime) -> Verdict {
        switch state {
        case .quiet: .nothing
        case .doubted: judged(.nothing)
        case .stirred, .suspected: judged(.unduck)
        case .paused: judged(resumed(at: now))
        }
    }

    private mutating func resumed(at now: CallTime) -> Verdict {
        falsePauses = min(falsePauses + 1, Self.falsePausesMax)
        return .resume(fromStart: now - pausedAt >= .milliseconds(policy.restartMs))
    }

    private mutating func interrupted() -> Verdict {
        falsePauses = 0
        return judged(.interrupt)
    }

    private mutating func outlasted() -> Verdict {
        isUnexplained = true
        return judged(.interrupt)
    }

    private mutating func explain(_ text: String, fillsSlot: Bool) {
        guard isUnexplained, !Words.split(text).isEmpty else { return }
        isUnexplained = false
        let wasInVain = policy.phrases.isBackchannel(text, fillsSlot: fillsSlot)
        falsePauses = wasInVain ? min(falsePauses + 1, Self.falsePausesMax) : 0
    }

    mutating func reset() {
        state = .quiet
        heard = .nothing
    }

    private mutating func judged(_ verdict: Verdict) -> Verdict {
        reset()
        return verdict
    }

    private func judgeAt(_ since: CallTime) -> CallTime {
        let isEnough = policy.words == 0 && (heard == .nothing || heard == .beginning)
        return since + .milliseconds(isEnough ? policy.judgeMs + earLagMs + patienceMs : policy.overlapMaxMs)
    }
}
