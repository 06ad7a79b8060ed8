import Base

/// Interruption or backchannel? Pure.
///
/// Speech over the agent pauses its voice after a short guard, then is judged: real words or lasting
/// speech take the floor; a noise, or nothing but "mm-hm", lets the agent go on from the very sample.
package struct BargeIn: Sendable {
    package struct Policy: Hashable, Sendable {
        /// Speech this short does not even pause the agent.
        package var guardMs = 40
        /// Speech at least this long takes the floor, words or not. 100...2000.
        package var judgeMs = 300
        /// Words that take the floor at once; 0: lasting speech alone is enough. 0...10.
        package var words = 0
        /// Words are awaited this long after short speech has ended.
        package var wordsLimitMs = 500
        /// Speech as long as this takes the floor although only "mm-hm" or too few words were recognised.
        package var overlapMaxMs = 1500
        package init() {}
    }

    enum Verdict: Hashable { case nothing, pause, resume, interrupt }

    private enum State: Hashable {
        /// No speech over the agent.
        case quiet
        /// Too short to tell; the agent goes on until `until`.
        case suspected(since: CallTime, until: CallTime)
        /// The agent is paused and the caller speaks.
        case paused(since: CallTime)
        /// The agent is paused, the caller has stopped; words may still come.
        case awaitingWords(since: CallTime, until: CallTime)
    }

    private enum Heard: Hashable { case nothing, backchannel, words(Int) }

    private static let earLagMsMax = 500

    private let policy: Policy
    private var state = State.quiet
    private var heard = Heard.nothing
    /// How late the ear has told the end of speech: what lasts up to now may have ended that long ago.
    private var earLagMs = 100

    init(policy: Policy) { self.policy = policy }

    var isQuiet: Bool { state == .quiet }
    var isPaused: Bool {
        switch state {
        case .quiet, .suspected: false
        case .paused, .awaitingWords: true
        }
    }

    var deadline: CallTime? {
        switch state {
        case .quiet: nil
        case .suspected(_, let until), .awaitingWords(_, let until): until
        case .paused(let since): judgeAt(since)
        }
    }

    /// The caller speaks while the agent does; `since` when that speech began, `over` when the agent's did.
    mutating func begin(since: CallTime, over agentSince: CallTime, at now: CallTime) {
        switch state {
        case .quiet:
            heard = .nothing
            state = .suspected(
                since: max(since, agentSince), until: max(now, since + .milliseconds(policy.guardMs)))
        case .awaitingWords(let since, _): state = .paused(since: since)
        case .suspected, .paused: break
        }
    }

    mutating func speechEnded(agoMs: Int, at now: CallTime) -> Verdict {
        earLagMs = min(max(0, agoMs), Self.earLagMsMax)
        switch state {
        case .suspected:
            state = .quiet
            return .nothing
        case .paused(let since):
            state = .awaitingWords(since: since, until: now + .milliseconds(policy.wordsLimitMs))
            return .nothing
        case .quiet, .awaitingWords: return .nothing
        }
    }

    /// `text` is all the caller has said in this turn.
    mutating func words(_ text: String, isFinal: Bool, fillsSlot: Bool, at now: CallTime) -> Verdict {
        guard state != .quiet else { return .nothing }
        let count = Words.split(text).count
        if count > 0 { heard = Backchannel.isOnly(text, fillsSlot: fillsSlot) ? .backchannel : .words(count) }
        if case .words(let count) = heard, count >= policy.words { return judged(.interrupt) }
        if isFinal, case .awaitingWords = state { return judged(.resume) }
        return .nothing
    }

    mutating func handleDeadline(at now: CallTime) -> Verdict {
        switch state {
        case .suspected(let since, let until) where now >= until:
            state = .paused(since: since)
            return .pause
        case .paused(let since) where now >= judgeAt(since): return judged(.interrupt)
        case .awaitingWords(_, let until) where now >= until: return judged(.resume)
        default: return .nothing
        }
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
        let isEnough = policy.words == 0 && heard == .nothing
        return since + .milliseconds(isEnough ? policy.judgeMs + earLagMs : policy.overlapMaxMs)
    }
}
