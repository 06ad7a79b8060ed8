import Base

/// The reply that is begun before the turn is over.
extension Turns {
    /// When the words so far are taken for the whole turn; nil while the agent has something to say or nothing is said.
    var guessDue: CallTime? {
        isClosing || !isQuiet ? nil : preemption.deadline(endsAt: endpointing.likelyEnd)
    }

    /// The guess still holds, and nothing else has become of it meanwhile.
    package var canDraft: Bool { preemption.isOpen && isQuiet && !reply.isDraft }

    /// Words that contradict the guess end what was begun on it.
    mutating func guess(at now: CallTime, _ effects: inout [Effect]) {
        if preemption.isOpen, preemption.isWrong(about: endpointing.text) { forgetDraft(&effects) }
        guard let due = guessDue, due <= now else { return }
        let text = endpointing.text
        preemption.begin(text)
        effects.append(.guess(text))
    }

    mutating func beginReply(at now: CallTime, _ effects: inout [Effect]) {
        if isQuiet { busySince = now }
        guard preemption.isRight, reply.isDraft else {
            forgetDraft(&effects)
            stopwatch.requested(at: now)
            return effects.append(.startReply(reply.begin(at: now)))
        }
        preemption.forget()
        stopwatch.requested(at: reply.askedAt)
        let draft = reply.adopt()
        effects.append(.draftAdopted)
        if let at = draft.firstTextAt { stopwatch.firstToken(at: at) }
        for clause in draft.clauses { speak(clause, true, at: now, &effects) }
        if draft.isFinished { finishReply(&effects) }
    }

    mutating func continueDraft(at now: CallTime, _ effects: inout [Effect]) {
        guard preemption.isOpen, reply.isDraftWhole else { return }
        effects.append(.startReply(reply.goOn(at: now)))
    }

    mutating func prepare(_ line: String, at now: CallTime, _ effects: inout [Effect]) {
        guard preemption.isOpen, isQuiet, playout.preparedText == nil, !Words.split(line).isEmpty else {
            return
        }
        utterances += 1
        playout.prepare(utterances, line, at: now)
        effects.append(.prepare(utterances, line))
    }

    mutating func prepareOpening(at now: CallTime, _ effects: inout [Effect]) {
        if let line = reply.opening { prepare(line, at: now, &effects) }
    }

    mutating func forgetDraft(_ effects: inout [Effect]) {
        preemption.forget()
        if let id = playout.dropPrepared() { effects.append(.discard(id)) }
        guard reply.isDraft else { return }
        effects.append(.draftDropped(reply: reply.number))
        if let id = reply.cancel() { effects.append(.cancelReply(id)) }
    }
}
