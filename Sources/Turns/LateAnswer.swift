import Base

/// Is the model so late that something is to be said meanwhile? Once a turn of the caller's. Pure.
package struct LateAnswer: Sendable {
    package struct Policy: Hashable, Sendable {
        /// Said meanwhile; nil: nothing is.
        package var line: String?
        /// From the end of the caller's speech. 300...5000.
        package var afterMs = 900
        package init() {}
    }

    /// A model that has only just been asked is given so long all the same.
    package static let graceMs = 300

    var policy: Policy
    /// The end of the caller's speech, while nothing has been said since.
    private var unansweredSince: CallTime?
    /// The utterance that was last said meanwhile: it is no part of the answer.
    private(set) var utterance: Int?

    init(policy: Policy) { self.policy = policy }

    /// When the line is due where the model was asked at `askedAt` and has sent no word.
    func due(askedAt: CallTime) -> CallTime? {
        guard policy.line != nil, let unansweredSince else { return nil }
        return max(
            unansweredSince + .milliseconds(policy.afterMs), askedAt + .milliseconds(Self.graceMs))
    }

    mutating func callerFinished(at end: CallTime) { unansweredSince = end }

    mutating func agentSpoke() { unansweredSince = nil }

    mutating func said(_ utterance: Int) { self.utterance = utterance }
}

/// The line that is said meanwhile.
extension Turns {
    /// nil while nobody waits for a model's first word, or the caller has the floor.
    var lateAnswerDue: CallTime? {
        guard let askedAt = reply.silentSince, !isClosing, !isCallerSpeaking, !playout.isBusy else {
            return nil
        }
        return lateAnswer.due(askedAt: askedAt)
    }

    mutating func bridge(at now: CallTime, _ effects: inout [Effect]) {
        guard let due = lateAnswerDue, due <= now, let line = lateAnswer.policy.line else { return }
        speak(line, true, at: now, &effects)
        // Whatever became of it: once.
        lateAnswer.agentSpoke()
        lateAnswer.said(utterances)
        effects.append(.note("answer_late"))
    }
}
