import Base

/// Is the caller done? Pure.
///
/// Evidence in, a wait out (`Waits`): the turn ends when the silence has lasted as long; speech in between
/// starts it again. Speech that follows at once shows that the turn was cut: `reopen` puts both parts together.
package struct Endpointing: Sendable {
    /// Pressed keys kept in one turn; further ones are dropped.
    package static let keysMax = 32

    /// A voice that fades is told to have ended, or has gone on, within so long.
    private static let fadingMaxMs = 160

    /// What the caller said with the floor.
    struct Turn: Hashable {
        var words: CallerWords
        var keys: String
        var asked: Expectation
        var startedAt: CallTime
        /// When speech ended, or the last key was pressed.
        var endedAt: CallTime
        var fullness: Fullness
        var evidence: TurnEvidence
        /// When it was taken for over.
        var takenAt: CallTime

        var text: String { words.text }
        var isEmpty: Bool { words.isEmpty && keys.isEmpty }
    }

    enum Hearing: Hashable {
        case taken
        /// Nothing new in it, or only words whose final is to come.
        case repeated
        /// Final words that are in no turn: late, or said over keys.
        case refused
        /// Final words that contradict those the last turn was taken with.
        case revised
    }

    private enum State: Hashable {
        /// The caller has not said anything since the last turn.
        case idle
        /// `fading`: when the voice stopped, in case it has.
        case speaking(since: CallTime, fading: CallTime?)
        case paused(since: CallTime)
        /// Keys are being pressed: their tones are not speech.
        case keying(last: CallTime)
    }

    var policy: Policy {
        didSet {
            waits = Waits(policy)
            weigh()
        }
    }
    private var waits: Waits
    private var state = State.idle
    private var asked = Expectation.open
    private var words = CallerWords()
    private(set) var keys = ""
    private(set) var fullness = Fullness.none
    private var finished = 0.5
    private var finality: Double?
    private var recogniser: Double?
    private var pauses = CallerPauses()
    /// The longest pause so far in what is being dictated.
    private var gapMs = 0
    private var evidence: TurnEvidence
    private var startedAt = CallTime.zero
    private var areKeysClosed = false
    private var lastTurnAt: CallTime?
    /// The last turn, as long as it may turn out to be cut.
    private var last: Turn?
    /// The partial words that went with the last turn, as long as their final may still come late.
    private var told = ""

    init(policy: Policy) {
        self.policy = policy
        waits = Waits(policy)
        evidence = TurnEvidence(.silence, waitMs: policy.openMs)
    }

    var isIdle: Bool { state == .idle }
    var speakingSince: CallTime? { if case .speaking(let since, _) = state { since } else { nil } }
    /// Words so far, finals first.
    var text: String { words.text }
    var isEmpty: Bool { words.isEmpty && keys.isEmpty }

    mutating func ask(_ expectation: Expectation) {
        asked = expectation
        weigh()
    }

    mutating func speechStarted(since start: CallTime) {
        switch state {
        case .idle:
            told = ""
            startedAt = max(start, last?.endedAt ?? .zero)
            state = .speaking(since: startedAt, fading: nil)
        case .paused(let end):
            paused(start - end)
            state = .speaking(since: max(start, end), fading: nil)
        case .speaking, .keying: return
        }
        words.speechHeard()
        finality = nil
        recogniser = nil
        weigh()
    }

    /// The caller paused within the turn.
    private mutating func paused(_ pause: Duration, weight: Int = 1) {
        if asked.isDictated {
            gapMs = max(gapMs, Int(pause.milliseconds))
        } else {
            pauses.add(pause, weight: weight)
        }
    }

    /// The voice has stopped, perhaps only between two words: a reply may be begun.
    mutating func speechFading(since end: CallTime) {
        guard case .speaking(let start, _) = state else { return }
        state = .speaking(since: start, fading: max(start, end))
    }

    /// `finality`: how final the voice sounded there, 0...1.
    mutating func speechEnded(since end: CallTime, finality: Double?) {
        guard case .speaking(let start, _) = state else { return }
        state = .paused(since: max(start, end))
        self.finality = finality
        weigh()
    }

    /// The recogniser's guess; 0 takes it back.
    mutating func guessed(_ probability: Double) {
        recogniser = probability > 0 ? min(probability, 1) : nil
        weigh()
    }

    /// The turn's words if this transcript is taken.
    func text(with transcript: String) -> String {
        words.with(CallerWords.rest(of: transcript, after: told))
    }

    /// `fullness` of the answer and how `finished` (0...1) it sounds, this transcript included.
    mutating func heard(
        _ transcript: String, isFinal: Bool, _ fullness: Fullness, finished: Double, at now: CallTime
    ) -> Hearing {
        let whole = Words.trimmed(transcript)
        let text = CallerWords.rest(of: whole, after: told)
        if case .keying = state { return refusal(of: text, isFinal) }
        // Neither faded nor over: it went on.
        if case .speaking(let start, let fading?) = state, now > fading + .milliseconds(Self.fadingMaxMs) {
            state = .speaking(since: start, fading: nil)
        }
        if state == .idle {
            if whole.isEmpty { return .taken }
            if isFinal, let last, last.words.isRevised(by: whole) { return .revised }
            if let lastTurnAt, now < lastTurnAt + .milliseconds(policy.lateMs) {
                if isFinal { told = "" }
                return refusal(of: text, isFinal)
            }
            if text.isEmpty { return .repeated }
            // The recogniser heard what the ear did not.
            startedAt = now
            state = .paused(since: now)
            words.speechHeard()
        }
        if isFinal {
            guard words.hear(final: text, at: now) else { return .repeated }
        } else {
            words.hear(partial: text)
        }
        judge(fullness, finished: finished)
        return .taken
    }

    /// Of words that are not taken.
    private func refusal(of words: String, _ isFinal: Bool) -> Hearing {
        let isTold = words.isEmpty || last?.words.finals.contains(words) == true
        return isFinal && !isTold ? .refused : .repeated
    }

    /// How much of the answer the words hold, when that is judged anew.
    mutating func judge(_ fullness: Fullness, finished: Double) {
        self.fullness = fullness
        // One word that is the whole answer does not break off, in whatever language.
        let isBare = fullness == .full && !words.text.contains(" ")
        self.finished = isBare ? max(finished, 0.5) : finished
        weigh()
    }

    /// `#` closes the keys pressed so far.
    mutating func pressed(_ key: String, _ fullness: Fullness, at now: CallTime) {
        if key == "#" {
            areKeysClosed = !keys.isEmpty
            return
        }
        if keys.isEmpty { startedAt = now }
        if keys.count < Self.keysMax { keys += key }
        self.fullness = fullness
        state = .keying(last: now)
        evidence = TurnEvidence(.keys, waitMs: keyWaitMs)
    }

    private mutating func weigh() {
        if case .keying = state { return }
        evidence = waits.weigh(
            asked, fullness, finished: finished, finality: finality, recogniser: recogniser, pauses,
            gapMs: gapMs)
    }

    /// When the turn ends unless something is heard.
    var deadline: CallTime? {
        switch state {
        case .idle: nil
        // Breaths between make it no shorter.
        case .speaking: startedAt + .milliseconds(policy.speechMaxMs)
        case .paused(let since): since + .milliseconds(max(evidence.waitMs, finalWaitMs))
        case .keying(let last): areKeysClosed ? last : last + .milliseconds(evidence.waitMs)
        }
    }

    /// When the evidence alone ends the turn, whatever final words are still due; nil while the caller's voice sounds or
    /// the last that was said has no words yet.
    var likelyEnd: CallTime? {
        guard let quietSince, keys.isEmpty, words.isHeardToTheEnd else { return nil }
        return quietSince + .milliseconds(evidence.waitMs)
    }

    private var quietSince: CallTime? {
        switch state {
        case .paused(let since): since
        case .speaking(_, let fading): fading
        case .idle, .keying: nil
        }
    }

    /// A whole answer needs no final words.
    private var finalWaitMs: Int {
        guard words.isFinalDue, fullness != .full else { return 0 }
        return words.partial.isEmpty ? policy.finalLimitMs : policy.partialLimitMs
    }

    /// The finished turn; it may be empty. Called at `deadline` or later.
    mutating func take(at now: CallTime) -> Turn {
        var turn = Turn(
            words: words, keys: keys, asked: asked, startedAt: startedAt, endedAt: now, fullness: fullness,
            evidence: evidence, takenAt: now)
        let isStillSpeaking = speakingSince != nil
        switch state {
        case .paused(let since):
            turn.endedAt = since
            if finalWaitMs > evidence.waitMs { turn.evidence.term = .finalDue }
            turn.evidence.waitMs = max(evidence.waitMs, finalWaitMs)
        case .keying(let last): turn.endedAt = last
        case .speaking: turn.evidence = TurnEvidence(.endless, waitMs: 0)
        case .idle: break
        }
        // Cut in the middle of speech: words whose final is still to come go with it.
        let rest = isStillSpeaking && !words.finals.isEmpty ? words.partial : ""
        if !rest.isEmpty { turn.words.hear(partial: "") }
        reset()
        told = isStillSpeaking ? "" : turn.words.partial
        if !turn.isEmpty {
            lastTurnAt = now
            last = isStillSpeaking ? nil : turn
        }
        // An ear that hears speech for so long and no word has missed its end.
        if isStillSpeaking, !turn.isEmpty {
            speechStarted(since: now)
            words.hear(partial: rest)
        }
        return turn
    }

    /// True for a turn without words that was too long for a noise.
    func wasSpeech(_ turn: Turn) -> Bool { turn.endedAt - turn.startedAt >= .milliseconds(policy.noiseMs) }

    /// What was said since the last turn is forgotten.
    mutating func reset() {
        state = .idle
        words = CallerWords()
        keys = ""
        fullness = .none
        finished = 0.5
        finality = nil
        recogniser = nil
        gapMs = 0
        areKeysClosed = false
        weigh()
    }

    /// What was said is no turn; words that still come for it are late.
    mutating func drop(at now: CallTime) {
        let isStillSpeaking = speakingSince != nil
        reset()
        lastTurnAt = now
        if isStillSpeaking { speechStarted(since: now) }
    }

    private var keyWaitMs: Int {
        switch fullness {
        case .full: 0
        case .enough: policy.keyEnoughMs
        case .part, .none: policy.keyOwedMs
        }
    }
}

/// A turn that was taken for over too soon.
extension Endpointing {
    /// What is being said began so soon after the last turn that it belongs to it.
    var isReopenable: Bool {
        guard state != .idle, let last, startedAt <= last.takenAt + .milliseconds(policy.reopenMs),
            startedAt - last.startedAt < .milliseconds(policy.speechMaxMs)
        else { return false }
        // Keys that were all of an answer are followed by the next one.
        return keys.isEmpty || (!last.keys.isEmpty && last.fullness != .full)
    }

    /// When the last turn can no longer be reopened; nil while it may be, or there is none.
    var standsAt: CallTime? {
        guard let takenAt = last?.takenAt, !isReopenable else { return nil }
        return takenAt + .milliseconds(policy.reopenMs)
    }

    /// The last turn may yet be reopened.
    var isLastOpen: Bool { last != nil }

    /// The last turn stands whatever comes. False when there is none that did not.
    mutating func stand() -> Bool {
        defer { last = nil }
        return last != nil
    }

    /// Both parts are one turn, and what was asked then is asked again.
    mutating func reopen() {
        guard let last else { return }
        self.last = nil
        lastTurnAt = nil
        told = ""
        asked = last.asked
        // A cut says more than a pause: this wait was too short.
        paused(startedAt - last.endedAt, weight: 2)
        words.follow(last.words)
        keys = String((last.keys + keys).prefix(Self.keysMax))
        startedAt = last.startedAt
        weigh()
    }

    /// The last turn is put back with the final words that came late; it is over at once.
    mutating func revise(_ final: String, at now: CallTime) {
        guard let last else { return }
        self.last = nil
        told = ""
        words = last.words
        _ = words.hear(final: final, at: now)
        keys = last.keys
        asked = last.asked
        startedAt = last.startedAt
        state = .paused(since: last.endedAt)
        fullness = last.fullness
        weigh()
    }
}
