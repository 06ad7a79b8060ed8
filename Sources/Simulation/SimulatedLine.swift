import Base
import Conversation

/// What the caller does, and what ear and recogniser make of it.
extension SimulatedCall {
    /// How late the ear tells the edges of speech.
    private static let earStartMs = 50
    private static let earFadeMs = 40
    private static let earEndMs = 120
    private static let partialMs = 450
    /// How late a key is known by its tones.
    private static let toneMs = 40
    private static let impatientMs = 6000...20_000

    /// The agent is silent: the caller will answer, or ask whether anybody is there.
    mutating func wait() {
        waiting += 1
        let at = max(now, speaksUntil) + .milliseconds(dice.number(scenario.manners.reactionMs))
        agenda.plan(.callerAnswers(waiting), at: at)
    }

    mutating func callerAnswers() {
        guard now >= speaksUntil else { return wait() }
        if dice.chance(scenario.faults.carrier) {
            return feed(dice.chance(0.5) ? .mediaLost : .mediaStarted(resumed: dice.chance(0.5)))
        }
        if dice.chance(scenario.faults.carrier) { return feed(.endRequested) }
        if dice.chance(scenario.faults.carrier) { return feed(.lineTone(dice.pick(LineTone.allCases))) }
        switch caller.answer(&dice) {
        case .hangUp: feed(.callerHungUp)
        case .staySilent: break
        case .press(let keys):
            var afterMs = 0
            let toldMs = dice.number(0...300)
            for key in keys {
                press(String(key), in: afterMs, toldMs: toldMs)
                afterMs += dice.number(120...900)
            }
            speaksUntil = now + .milliseconds(afterMs)
        case .speak(let parts): speak(parts)
        }
        // Unless the agent speaks before.
        waiting += 1
        let silentMs = dice.number(Self.impatientMs)
        agenda.plan(.callerAnswers(waiting), at: max(now, speaksUntil) + .milliseconds(silentMs))
    }

    /// The carrier tells of keys, or lets their tones through, or both.
    private mutating func press(_ key: String, in milliseconds: Int, toldMs: Int) {
        witness.willPress()
        if scenario.keys != .tones { plan(.digit(key), in: milliseconds + toldMs) }
        if scenario.keys != .told { plan(.keyTone(key), in: milliseconds + Self.toneMs) }
    }

    mutating func speak(_ parts: [SimulatedCaller.Speech]) {
        guard now >= speaksUntil else { return }
        var afterMs = 0
        for part in parts {
            afterMs += part.afterMs
            hear(part, from: afterMs)
            if dice.chance(scenario.manners.isTwoPeople) {
                hear(caller.aside(&dice), from: afterMs + dice.number(0...part.lastsMs))
            }
            afterMs += part.lastsMs
        }
        speaksUntil = now + .milliseconds(afterMs)
    }

    private mutating func hear(_ speech: SimulatedCaller.Speech, from startMs: Int) {
        let endMs = startMs + speech.lastsMs
        if dice.chance(0.5) { plan(.stirred, in: startMs + 20) }
        planEdge(.speechStarted(agoMs: Self.earStartMs), in: startMs + Self.earStartMs)
        plan(.speechFading(agoMs: Self.earFadeMs), in: endMs + Self.earFadeMs)
        planEdge(.speechEnded(agoMs: Self.earEndMs), in: endMs + Self.earEndMs)
        if dice.chance(0.3) {
            plan(.endOfTurn(probability: Double(dice.number(0...100)) / 100), in: endMs + 80)
        }
        var from = startMs
        for start in stride(from: 0, to: speech.words.count, by: SimulatedCaller.wordsPerFinal) {
            let end = min(start + SimulatedCaller.wordsPerFinal, speech.words.count)
            let lastsMs = speech.lastsMs * (end - start) / speech.words.count
            recognise(Array(speech.words[start..<end]), from: from, lastsMs: lastsMs)
            from += lastsMs
        }
    }

    /// An edge that is missing, comes twice, or late and with a time nobody believes.
    private mutating func planEdge(_ edge: Dialogue.Input, in milliseconds: Int) {
        guard dice.chance(scenario.faults.ear) else { return plan(edge, in: milliseconds) }
        switch dice.number(0...2) {
        case 0: if dice.chance(0.5) { plan(.settled, in: milliseconds) }
        case 1:
            plan(edge, in: milliseconds)
            plan(edge, in: milliseconds + dice.number(0...500))
        default:
            plan(.speechStarted(agoMs: dice.number(-5000...9000)), in: milliseconds + dice.number(0...2000))
        }
    }

    private mutating func recognise(_ words: [String], from startMs: Int, lastsMs: Int) {
        let endMs = startMs + lastsMs
        var at = startMs + Self.partialMs
        while at < endMs {
            let count = words.count * (at - startMs) / max(1, lastsMs)
            planWords(words.prefix(count).joined(separator: " "), isFinal: false, in: at)
            at += Self.partialMs
        }
        let final = words.joined(separator: " ")
        let finalMs = endMs + dice.number(100...400)
        guard dice.chance(scenario.faults.recogniser) else {
            return planWords(final, isFinal: true, in: finalMs)
        }
        switch dice.number(0...5) {
        case 0: break  // None.
        case 1: planWords("", isFinal: true, in: finalMs)
        case 2: planWords(final, isFinal: true, in: finalMs + dice.number(500...8000))
        case 3:
            planWords(final, isFinal: true, in: finalMs)
            planWords(final, isFinal: true, in: finalMs + dice.number(0...1500))
        case 4:
            planWords(final, isFinal: true, in: finalMs)
            planWords(words.prefix(2).joined(separator: " "), isFinal: false, in: finalMs + 50)
        default: planWords("something else was said", isFinal: true, in: finalMs)
        }
    }

    private mutating func planWords(_ text: String, isFinal: Bool, in milliseconds: Int) {
        plan(.transcript(.init(text: text, isFinal: isFinal)), in: milliseconds)
    }
}
