import Base

/// What the agent says: lines of its own, the model's reply as it comes, and what becomes of both on the line.
extension Turns {
    mutating func speak(
        _ text: String, _ isInterruptible: Bool, at now: CallTime, _ effects: inout [Effect]
    ) {
        guard !Words.split(text).isEmpty else { return }
        guard !playout.isFull else { return effects.append(.note("playout_full")) }
        if isQuiet { busySince = now }
        hasSpoken = true
        lateAnswer.agentSpoke()
        let isInterruptible = isInterruptible && !isClosing
        if playout.preparedText == text,
            let made = playout.enqueuePrepared(isInterruptible: isInterruptible, at: now)
        {
            if let madeAt = made.madeAt { stopwatch.firstAudio(at: madeAt) }
            return effects.append(.speak(made.utterance.id, text))
        }
        utterances += 1
        playout.enqueue(utterances, text, isInterruptible: isInterruptible, at: now)
        effects.append(.speak(utterances, text))
    }

    mutating func handleReply(_ input: Input, at now: CallTime, _ effects: inout [Effect]) {
        switch input {
        case .replyText(let id, let text):
            guard reply.isCurrent(id) else { return }
            if !text.isEmpty, !reply.isDraft { stopwatch.firstToken(at: now) }
            for clause in reply.add(text, at: now) { speak(clause, true, at: now, &effects) }
            prepareOpening(at: now, &effects)
        case .replyFinished(let id):
            guard reply.isCurrent(id) else { return }
            for clause in reply.finish() { speak(clause, true, at: now, &effects) }
            guard reply.isDraft else { return finishReply(&effects) }
            prepareOpening(at: now, &effects)
            effects.append(.draftFinished(Words.trimmed(reply.text)))
        case .replyFailed(let id):
            guard reply.isCurrent(id) else { return }
            if reply.isDraft {
                // Nobody waits for it: the turn is answered in its time.
                effects.append(.draftDropped(reply: id))
                _ = reply.cancel()
                return forgetDraft(&effects)
            }
            _ = reply.cancel()
            effects.append(.replyFailed)
        default: break
        }
    }

    mutating func finishReply(_ effects: inout [Effect]) {
        hasSpoken = true
        effects.append(.replyFinished(Words.trimmed(reply.text)))
    }

    mutating func handlePlayout(_ input: Input, at now: CallTime, _ effects: inout [Effect]) {
        switch input {
        case .synthesised(let id, let ms, let isLast):
            if playout.synthesised(id, ms: ms, isLast: isLast, at: now), ms > 0, id != lateAnswer.utterance {
                stopwatch.firstAudio(at: now)
            }
        case .synthesisFailed(let id):
            if playout.isPrepared(id) { return _ = playout.dropPrepared() }
            if playout.drop(id, at: now) != nil { effects.append(.synthesisFailed(id)) }
        case .heard(let id, let ms, let isFinished):
            if playout.heard(id, ms: ms, isFinished: isFinished, at: now), ms > 0 || isFinished,
                id != lateAnswer.utterance
            {
                stopwatch.heard(at: now + .milliseconds(-ms))
            }
        default: break
        }
    }
}
