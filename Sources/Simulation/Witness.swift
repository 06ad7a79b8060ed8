import Agents
import Base
import Conversation

/// What must hold after every input, whatever comes in and in whatever order. The one place where it is written.
///
/// Watches inputs and effects as a runner would, and keeps what is needed to make inputs that fit.
struct Witness {
    /// The agent has begun to act on a caller's turn, or has ended the call, by so long after it.
    static let owedMaxMs = 90_000
    /// Nothing at all happens between agent and caller for no longer than this.
    static let stillMaxMs = 90_000
    /// How long after its limit a call is over: the goodbye, and a timer that is late.
    static let overdueMaxMs = 25_000
    /// Words that the agent said and that no turn has told of yet; more are forgotten.
    static let spokenMax = 1000

    /// No words come late, twice or garbled: then none is told twice.
    let areWordsExact: Bool
    /// What comes in is what a caller and a carrier would send.
    let areInputsFitting: Bool
    private(set) var broken: String?
    private(set) var hangUps = 0
    private(set) var ending: EndReason?
    private(set) var lastUtterance = 0
    private(set) var lastReply = 0
    private(set) var openReply: Int?
    private var prepared: (id: Int, text: String)?
    private(set) var hold = 0
    private(set) var tools: [String] = []
    private(set) var tally = Tally()
    private var isPaused = false
    private var isDucked = false
    private var finishedTools: Set<String> = []
    private var recording = Recording.off
    private var words = WordAccount()
    private(set) var drafts: DraftAccount
    private var spoken: [Substring] = []
    private var lastTurn = 0
    private var limitAt: CallTime?
    private var owedSince: CallTime?
    private var lastActAt = CallTime.zero
    private var lastStirAt = CallTime.zero
    private var mayTurnsSkip = false
    private var pressed = 0
    private var digits = 0

    private enum Recording { case off, on, paused }

    /// Counted for the table.
    struct Tally {
        var turns = 0
        var interruptions = 0
        var cuts = 0
        var longestWaitMs = 0
    }

    /// `readOnly`: tools that change nothing.
    init(areWordsExact: Bool, areInputsFitting: Bool, readOnly: Set<String> = []) {
        drafts = DraftAccount(readOnly: readOnly)
        self.areWordsExact = areWordsExact
        self.areInputsFitting = areInputsFitting
    }

    /// The caller presses a key, however it is told of.
    mutating func willPress() { pressed += 1 }

    /// `maxMs`: how long the call may last once it is connected.
    mutating func begin(maxMs: Int, at now: CallTime) {
        limitAt = now + .milliseconds(max(0, maxMs) + Self.overdueMaxMs)
        lastActAt = now
        lastStirAt = now
    }

    /// Another worker goes on from a checkpoint: what was under way is lost with the first.
    mutating func takeOver(maxMs: Int, at now: CallTime) {
        begin(maxMs: maxMs, at: now)
        isPaused = false
        isDucked = false
        openReply = nil
        prepared = nil
        owedSince = nil
        recording = .off
        mayTurnsSkip = true
        tools.removeAll { !finishedTools.contains($0) }
        spoken = []
        words.takeOver()
        drafts.takeOver()
    }

    mutating func check(
        _ input: Dialogue.Input, _ effects: [Dialogue.Effect], isOver: Bool, deadline: CallTime?,
        at now: CallTime
    ) {
        let wasOver = hangUps > 0
        note(input, at: now)
        if wasOver { require(effects.isEmpty, "effects after hanging up") }
        for effect in effects { check(effect, at: now) }
        if hangUps > 0 {
            if !wasOver {
                require(isOver && effects.last?.isHangUp == true, "hanging up is not the end")
                if let lost = words.lost { require(false, "the caller's \"\(lost)\" is in no turn") }
            }
            return require(deadline == nil, "a deadline after the end")
        }
        checkTime(input, deadline, at: now)
    }

    private mutating func checkTime(_ input: Dialogue.Input, _ deadline: CallTime?, at now: CallTime) {
        guard let limitAt else { return }
        require(deadline != nil, "the call waits for nothing")
        if input == .deadline, let deadline { require(deadline > now, "the deadline does not move on") }
        require(now <= limitAt, "the call outlives its limit")
        if let owedSince {
            require(
                now <= owedSince + .milliseconds(Self.owedMaxMs), "the agent owes an answer and does nothing")
        }
        require(
            now <= max(lastActAt, lastStirAt) + .milliseconds(Self.stillMaxMs), "nothing happens any more")
    }

    private mutating func note(_ input: Dialogue.Input, at now: CallTime) {
        switch input {
        case .replyFinished(let id, _), .replyFailed(let id, _): if id.number == openReply { openReply = nil }
        case .synthesisFailed(let id, _): if prepared?.id == id.number { prepared = nil }
        case .toolFinished(let key, _), .toolFailed(let key, _):
            finishedTools.insert(key)
            drafts.answered(key)
        case .speechStarted, .speechEnded, .stirred, .digit, .keyTone: lastStirAt = now
        case .transcript(let transcript):
            lastStirAt = now
            if limitAt != nil, hangUps == 0 { words.hear(transcript) }
        case .mediaStarted(let resumed):
            // What was asked of the outside and not answered is asked again.
            if resumed { tools.removeAll { !finishedTools.contains($0) } }
        default: break
        }
    }

    private mutating func check(_ effect: Dialogue.Effect, at now: CallTime) {
        require(hangUps == 0, "an effect after hanging up")
        switch effect {
        case .hangUp(let reason):
            hangUps += 1
            ending = reason
            isPaused = false
        case .duckPlayout, .unduckPlayout, .pausePlayout, .resumePlayout, .clearPlayout: checkPlayout(effect)
        case .speak(let id, let text):
            if let (number, words) = prepared, number == id.number {
                require(words == text, "something else is spoken than was prepared")
                prepared = nil
            } else {
                require(id.number == lastUtterance + 1 && !text.isEmpty, "utterances out of order")
                lastUtterance = id.number
            }
            spoken += text.wordsAsWritten
            if spoken.count > Self.spokenMax { spoken.removeFirst(spoken.count - Self.spokenMax) }
            act(at: now)
        case .prepare(let id, let text):
            require(prepared == nil, "two lines are prepared at once")
            require(id.number == lastUtterance + 1 && !text.isEmpty, "utterances out of order")
            lastUtterance = id.number
            prepared = (id.number, text)
        case .discard(let id):
            require(prepared?.id == id.number, "a line is discarded that is not prepared")
            prepared = nil
        case .startReply(let id, let request):
            require(openReply == nil && id.number == lastReply + 1, "two replies at once")
            lastReply = id.number
            openReply = id.number
            keep(drafts.started(request))
            if !request.isDraft { act(at: now) }
        case .cancelReply(let id):
            require(openReply == id.number, "a reply is cancelled that is not open")
            openReply = nil
        case .callTool(let call, let isDraft):
            require(openReply == nil, "a tool runs before its reply is whole")
            require(!tools.contains(call.key), "a tool runs twice under the key \(call.key)")
            keep(drafts.called(call, isDraft: isDraft))
            tools.append(call.key)
            if !isDraft { act(at: now) }
        case .cancelTool(let key): keep(drafts.cancelled(key))
        case .startRecording, .pauseRecording, .resumeRecording: checkRecording(effect)
        case .extendHold(let number):
            require(number >= hold, "a hold's number goes back")
            hold = number
        case .record(let fact): check(fact, at: now)
        case .listen, .spareReply: break
        }
    }

    private mutating func act(at now: CallTime) {
        lastActAt = now
        owedSince = nil
    }

    private mutating func checkPlayout(_ effect: Dialogue.Effect) {
        switch effect {
        case .duckPlayout:
            require(!isDucked && !isPaused, "ducked twice")
            isDucked = true
        case .unduckPlayout:
            require(isDucked, "what was not ducked comes back")
            isDucked = false
        case .pausePlayout:
            require(!isPaused, "paused twice")
            isPaused = true
        case .resumePlayout:
            require(isPaused, "what was not paused goes on")
            isPaused = false
            isDucked = false
        default:
            isPaused = false
            isDucked = false
        }
    }

    private mutating func checkRecording(_ effect: Dialogue.Effect) {
        switch (effect, recording) {
        case (.startRecording, .off), (.resumeRecording, .paused): recording = .on
        case (.pauseRecording, .on): recording = .paused
        default: require(false, "a recording that cannot: \(Ladder.text(of: effect))")
        }
    }

    private mutating func check(_ fact: Dialogue.Fact, at now: CallTime) {
        switch fact {
        case .turn(let turn): check(turn, at: now)
        case .tool(let tool):
            finishedTools.insert(tool.key)
            keep(drafts.told(tool.key))
        case .note(let code, _):
            if code == "draft_dropped" { keep(drafts.wasDropped()) }
            if code == "turn_reopened" { tally.cuts += 1 }
            words.drop(for: code)
        case .digit:
            digits += 1
            require(digits <= pressed || !areInputsFitting, "a key that was pressed once counts twice")
        case .node, .usage: break
        }
    }

    private mutating func check(_ turn: Dialogue.TurnFact, at now: CallTime) {
        require(
            mayTurnsSkip ? turn.number > lastTurn : turn.number == lastTurn + 1, "turns are numbered wrongly")
        mayTurnsSkip = false
        lastTurn = turn.number
        require(
            turn.startedAt <= turn.endedAt && turn.endedAt <= now, "a turn ends before it begins, or ahead")
        tally.turns += 1
        switch turn.speaker {
        case .caller:
            drafts.turnIsTold()
            words.tell(turn.text)
            if areWordsExact, let word = words.doubled {
                require(false, "the caller's \"\(word)\" is told twice")
            }
            if lastActAt < turn.endedAt, owedSince == nil { owedSince = now }
        case .agent:
            if turn.wasInterrupted { tally.interruptions += 1 }
            tally.longestWaitMs = max(tally.longestWaitMs, turn.stages?.heardMs ?? 0)
            checkHeard(turn.text)
        }
    }

    /// The words of an agent's turn were spoken, in this order.
    private mutating func checkHeard(_ text: String) {
        var at = 0
        for word in text.wordsAsWritten {
            while at < spoken.count, !Self.stands(word, for: spoken[at]) { at += 1 }
            guard at < spoken.count else {
                return require(false, "the agent's turn holds \"\(word)\", which was not spoken")
            }
            at += 1
        }
        spoken.removeFirst(at)
    }

    /// As it was spoken, or with its digits masked.
    private static func stands(_ told: Substring, for spoken: Substring) -> Bool {
        told == spoken || (told.utf8.count == spoken.utf8.count && Masked.digits(String(spoken)) == told)
    }

    private mutating func keep(_ broken: String?) { if let broken { require(false, broken) } }

    mutating func require(_ holds: Bool, _ promise: @autoclosure () -> String) {
        if !holds, broken == nil { broken = promise() }
    }
}

extension Dialogue.Effect {
    var isHangUp: Bool { if case .hangUp = self { true } else { false } }
}
