import Base

/// Is the caller done? Pure.
///
/// Evidence in, a wait out: silence so far, whether the recogniser still owes words, how much of the
/// asked-for answer they hold, and what was asked. The turn ends when the wait is over; speech in between
/// starts it again.
package struct Endpointing: Sendable {
    /// Milliseconds of silence, counted from the last sound of speech.
    package struct Policy: Hashable, Sendable {
        /// After open speech. 200...3000.
        package var openMs = 700
        /// A dictated answer with nothing owed.
        package var fullMs = 200
        /// Yes, no, a choice, a known name.
        package var matchedMs = 250
        /// A day was named; the date may follow.
        package var dateMs = 500
        /// A number that is long enough and may go on.
        package var enoughMs = 1200
        /// A number that is not long enough: through the pauses of someone reading it out.
        package var dictatedMs = 2800
        /// Added when the words break off in mid-sentence.
        package var hesitantMs = 800
        /// How long final words are awaited before those heard so far must do.
        package var finalLimitMs = 1500
        /// Between two keys while more are owed, and while what is there would do.
        package var keyOwedMs = 4000
        package var keyEnoughMs = 1500
        /// Speech without a pause is cut into turns of this length.
        package var speechMaxMs = 60_000
        /// Words that come this soon after a turn, without new speech, belong to it and are too late.
        package var lateMs = 3000
        /// Speech without words shorter than this was a noise.
        package var noiseMs = 600
        package init() {}
    }

    /// Pressed keys kept in one turn; further ones are dropped.
    package static let keysMax = 32
    /// Characters of words kept in one turn.
    package static let textMax = 4000

    /// What the caller said with the floor.
    struct Turn: Hashable {
        var text: String
        var keys: String
        var startedAt: CallTime
        /// When speech ended, or the last key was pressed.
        var endedAt: CallTime
        var finalAt: CallTime?
        var fullness: Fullness
    }

    private enum State: Hashable {
        /// The caller has not said anything since the last turn.
        case idle
        case speaking(since: CallTime)
        case paused(since: CallTime)
        /// Keys are being pressed: their tones are not speech.
        case keying(last: CallTime)
    }

    private let policy: Policy
    private var state = State.idle
    private(set) var asked = Expectation.open
    private var pieces: [String] = []
    private var partial = ""
    private(set) var keys = ""
    private var fullness = Fullness.none
    private var startedAt = CallTime.zero
    private var finalAt: CallTime?
    /// Speech was heard for which no final words have come.
    private var isFinalDue = false
    private var lastTurnAt: CallTime?
    private var areKeysClosed = false

    init(policy: Policy) { self.policy = policy }

    var isIdle: Bool { state == .idle }
    var speakingSince: CallTime? { if case .speaking(let since) = state { since } else { nil } }
    /// Words so far, finals first.
    var text: String { Self.joined(pieces, partial) }

    mutating func ask(_ expectation: Expectation) { asked = expectation }

    mutating func speechStarted(since start: CallTime) {
        switch state {
        case .idle:
            startedAt = start
            state = .speaking(since: start)
            isFinalDue = true
        case .paused(let end):
            state = .speaking(since: max(start, end))
            isFinalDue = true
        case .speaking, .keying: break
        }
    }

    mutating func speechEnded(since end: CallTime) {
        if case .speaking(let start) = state { state = .paused(since: max(start, end)) }
    }

    /// The turn's words if this transcript is taken.
    func text(with transcript: String) -> String { Self.joined(pieces, transcript) }

    /// False when the words are not taken: late, repeated, or the tones of keys.
    mutating func heard(_ transcript: String, isFinal: Bool, _ fullness: Fullness, at now: CallTime) -> Bool {
        if case .keying = state { return false }
        let words = Words.trimmed(transcript)
        if state == .idle {
            if words.isEmpty { return true }
            if let lastTurnAt, now < lastTurnAt + .milliseconds(policy.lateMs) { return false }
            // The recogniser heard what the ear did not.
            startedAt = now
            state = .paused(since: now)
            isFinalDue = true
        }
        guard isFinal else {
            partial = words
            self.fullness = fullness
            return true
        }
        defer { partial = "" }
        if !isFinalDue, pieces.last == words { return false }
        if !isFinalDue, let last = pieces.last, words.hasPrefix(last) { pieces.removeLast() }
        isFinalDue = false
        finalAt = now
        if !words.isEmpty, pieces.reduce(0, { $0 + $1.utf8.count }) < Self.textMax { pieces.append(words) }
        self.fullness = fullness
        return true
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
    }

    /// When the turn ends unless something is heard.
    var deadline: CallTime? {
        switch state {
        case .idle: nil
        case .speaking(let since): since + .milliseconds(policy.speechMaxMs)
        case .paused(let since):
            since + .milliseconds(isFinalDue ? max(waitMs, policy.finalLimitMs) : waitMs)
        case .keying(let last): areKeysClosed ? last : last + .milliseconds(keyWaitMs)
        }
    }

    /// The finished turn; its text may be empty. Called at `deadline` or later.
    mutating func take(at now: CallTime) -> Turn {
        var turn = Turn(
            text: text, keys: keys, startedAt: startedAt, endedAt: now, finalAt: finalAt, fullness: fullness)
        let isStillSpeaking = speakingSince != nil
        switch state {
        case .paused(let since): turn.endedAt = since
        case .keying(let last): turn.endedAt = last
        case .idle, .speaking: break
        }
        reset()
        if !turn.text.isEmpty || !turn.keys.isEmpty { lastTurnAt = now }
        if isStillSpeaking { speechStarted(since: now) }
        return turn
    }

    /// True for a turn without words that was too long for a noise.
    func wasSpeech(_ turn: Turn) -> Bool { turn.endedAt - turn.startedAt >= .milliseconds(policy.noiseMs) }

    mutating func reset() {
        state = .idle
        pieces.removeAll()
        partial = ""
        keys = ""
        fullness = .none
        finalAt = nil
        isFinalDue = false
        areKeysClosed = false
    }

    private var keyWaitMs: Int {
        switch fullness {
        case .full: 0
        case .enough: policy.keyEnoughMs
        case .part, .none: policy.keyOwedMs
        }
    }

    private var waitMs: Int {
        switch (fullness, asked) {
        case (.full, .digits), (.full, .phone): policy.fullMs
        case (.full, _): policy.matchedMs
        case (.enough, .digits), (.enough, .phone): policy.enoughMs
        case (.enough, .date): policy.dateMs
        case (.part, _): policy.dictatedMs
        case (.enough, _), (.none, _): policy.openMs + (isHesitant ? policy.hesitantMs : 0)
        }
    }

    private static let unfinished: Set<String> = [
        "um", "uh", "er", "and", "but", "so", "or", "the", "a", "an", "my", "is", "to", "of", "for", "at",
        "on", "with",
        "because", "if", "i", "it's", "that's", "i'm", "on", "like", "well",
    ]

    private var isHesitant: Bool {
        guard let last = Words.split(partial.isEmpty ? pieces.last ?? "" : partial).last else { return false }
        return Self.unfinished.contains(last)
    }

    private static func joined(_ pieces: [String], _ last: String) -> String {
        let last = Words.trimmed(last)
        if pieces.isEmpty { return last }
        return last.isEmpty ? pieces.joined(separator: " ") : pieces.joined(separator: " ") + " " + last
    }
}
