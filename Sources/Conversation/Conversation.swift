package import Agents
package import Base
import Calls
package import Turns

/// One call: whose turn it is, what the agent says, whether the call may go on and how it ends. Pure.
///
/// Owns: translating between `Turns`, the agent's machine, `CallMachine`, `Meter` and `ToolRuns`, none of
/// which knows another. Does not own: any decision of theirs.
/// Invariants: `hangUp` is the last effect and comes once; the same inputs at the same times give the same
/// effects; after `.deadline` at its time, `deadline` lies ahead or is nil.
package struct Conversation: Sendable {
    /// Characters of one transcript that are looked at.
    package static let transcriptMax = 4000

    /// One input on its way through the machines.
    struct Step {
        let time: CallTime
        var effects: [Dialogue.Effect] = []
        /// What `Turns` told on the way.
        var turns: [Turns.Effect] = []
    }

    let definition: AgentDefinition
    let variables: [String: String]
    let hasPrivateNodes: Bool
    private let before: Checkpoint?
    var turns: Turns
    var flow: FlowMachine?
    var prompt: PromptMachine?
    var call: CallMachine
    private var meter: Meter
    private var farEnd: FarEnd
    private var keypad = Keypad()
    var tools = ToolRuns()
    var recording = Checkpoint.RecordingState.off
    var turnNumber: Int
    private var startedAt: CallTime?
    private var lastAt = CallTime.zero
    /// What the recogniser was last told to listen for.
    var listening: Listening?
    /// The recogniser has failed for good. Not of a checkpoint: whoever takes over has one of its own.
    var isDeaf = false
    /// The caller's last turn, until it stands.
    var tentative: TentativeTurn?
    /// The caller's turns so far.
    var callerTurns = 0
    /// The reply that was begun on a guess at the turn that is being spoken.
    var draft: DraftReply?
    /// The last draft that was dropped: what it cost may still be told.
    var droppedReply: Int?

    // As of the last input. Kept, as a getter would be given a copy of all of this.
    /// Call again with `.deadline` no earlier than this; nil: nothing will happen by itself.
    package private(set) var deadline: CallTime?
    /// The call has ended; inputs change nothing any more.
    package private(set) var isOver = false
    /// What the caller says and presses now must not be kept.
    package private(set) var isPrivate = false

    struct Listening: Hashable {
        var expectation: Expectation
        var phrases: [String]
    }

    /// `key` prefixes tool keys: the call's id. `isOutbound`: we placed the call. `fundedMs` counts connected time of the whole call.
    /// `resuming`: the checkpoint of the worker that was lost, its `elapsedMs` set to the plan's.
    package init(
        definition: AgentDefinition, variables: [String: String], call key: String,
        isOutbound: Bool = false, fundedMs: Int, holdNumber: Int, resuming: Checkpoint?
    ) {
        self.definition = definition
        self.variables = variables
        hasPrivateNodes = definition.flow?.nodes.contains { $0.recording == .pause } ?? false
        before = resuming
        turns = Turns(
            policy: Self.policy(definition), replies: resuming?.replies ?? 0,
            utterances: resuming?.utterances ?? 0)
        flow = definition.flow.map {
            FlowMachine(
                flow: $0, definition: definition, variables: variables, call: key, memory: resuming?.flow)
        }
        prompt = definition.prompt.map {
            PromptMachine(
                prompt: $0, definition: definition, variables: variables, call: key, memory: resuming?.prompt)
        }
        call = CallMachine(policy: .init(maxMs: definition.limits.maxSeconds * 1000))
        meter = Meter(fundedMs: fundedMs, number: holdNumber)
        farEnd = FarEnd(isOutbound: isOutbound)
        turnNumber = resuming?.turns ?? 0
        stand()
    }

    /// What an agent's settings come to.
    package static func policy(_ definition: AgentDefinition) -> Turns.Policy {
        let settings = definition.turns
        var policy = Turns.Policy()
        policy.endpointing.openMs = settings.endpointingMs
        policy.endpointing.wordsTrust = definition.language.hasPrefix("en") ? 1 : 0
        policy.bargeIn.judgeMs = settings.bargeInMs
        policy.bargeIn.pauseMs = settings.bargeInMs * 3 / 5
        policy.bargeIn.words = settings.bargeInWords
        policy.bargeIn.phrases = Phrases(
            language: definition.language, acknowledging: settings.acknowledgementPhrases,
            interrupting: settings.interruptionPhrases)
        policy.silenceMs = settings.silenceMs
        policy.preemption.guessesMax = settings.preemptiveReplies
        policy.lateAnswer.line = definition.prompt?.filler
        policy.lateAnswer.afterMs = definition.prompt?.fillerAfterMs ?? policy.lateAnswer.afterMs
        return policy
    }

    private mutating func stand() {
        isOver = call.isOver
        isPrivate = isPrivateNow
        deadline = isOver ? nil : turns.deadline
        guard !isOver else { return }
        for other in [call.deadline, meter.deadline, tools.deadline] {
            guard let other else { continue }
            deadline = deadline.map { min($0, other) } ?? other
        }
    }

    /// The caller has said something that is not yet a turn.
    var isCallerHeard: Bool { !call.isOver && turns.isCallerHeard }

    package var checkpoint: Checkpoint {
        let connected = startedAt.map { Int((lastAt - $0).milliseconds) } ?? 0
        var checkpoint = Checkpoint(elapsedMs: (before?.elapsedMs ?? 0) + connected)
        checkpoint.flow = flow?.memory
        checkpoint.prompt = prompt?.memory
        checkpoint.turns = turnNumber
        checkpoint.replies = turns.replies
        checkpoint.utterances = turns.utterances
        checkpoint.recording = startedAt == nil ? before?.recording ?? .off : recording
        checkpoint.ending = call.ending ?? (startedAt == nil ? before?.ending : nil)
        return checkpoint
    }

    /// Decides. The effects are to be performed in order; an input that changes nothing gives none.
    package mutating func handle(_ input: Dialogue.Input, at now: CallTime) -> [Dialogue.Effect] {
        decide(input, at: now).effects
    }

    /// `handle`, with what was decided about turns on the way: for those who look at a recorded call.
    package mutating func decide(_ input: Dialogue.Input, at now: CallTime) -> (
        effects: [Dialogue.Effect], turns: [Turns.Effect]
    ) {
        guard !call.isOver else { return ([], []) }
        lastAt = max(lastAt, now)
        var step = Step(time: lastAt)
        route(input, &step)
        if call.isOver, let last = step.effects.firstIndex(where: \.isHangUp) {
            step.effects.removeSubrange((last + 1)...)
        }
        stand()
        return (step.effects, step.turns)
    }

    /// Takes turns by another policy from now on: for asking what it would have decided.
    package mutating func adopt(_ policy: Turns.Policy) {
        turns.adopt(policy)
        stand()
    }

    private mutating func route(_ input: Dialogue.Input, _ step: inout Step) {
        switch input {
        case .mediaStarted(let resumed): startMedia(resumed: resumed, &step)
        case .endRequested: end(.requested, &step)
        case .callerHungUp: leave(.callerHungUp, &step)
        case .mediaLost: leave(.carrierFailed, &step)
        case .deadline: handleDeadlines(&step)
        case _ where startedAt == nil: break  // Nobody listens yet.
        case .speechStarted(let agoMs):
            apply(turns.handle(.speechStarted(agoMs: agoMs), at: step.time), &step)
        case .speechFading(let agoMs):
            apply(turns.handle(.speechFading(agoMs: agoMs), at: step.time), &step)
        case .speechEnded(let agoMs, let finality):
            apply(turns.handle(.speechEnded(agoMs: agoMs, finality: finality), at: step.time), &step)
        case .stirred: apply(turns.handle(.stirred, at: step.time), &step)
        case .settled: apply(turns.handle(.settled, at: step.time), &step)
        case .endOfTurn(let probability):
            apply(turns.handle(.endOfTurn(probability: probability), at: step.time), &step)
        case .transcript(let transcript): hear(transcript, &step)
        case .digit(let digit): if keypad.told(digit, at: step.time) { press(digit, &step) }
        case .keyTone(let digit): if keypad.heard(digit, at: step.time) { press(digit, &step) }
        case .lineTone(let tone): hear(tone, &step)
        case .recogniserFailed(let code):
            note("stt_failed", detail: code, &step)
            isDeaf = true
            needHearing(&step)
        case .replyText, .replyToolCall, .replyFinished, .replyFailed: handleReply(input, &step)
        case .synthesised(let id, let ms, let isLast):
            apply(turns.handle(.synthesised(id.number, ms: ms, isLast: isLast), at: step.time), &step)
        case .synthesisFailed(let id, _):
            apply(turns.handle(.synthesisFailed(id.number), at: step.time), &step)
        case .heard(let id, let ms, let isFinished):
            apply(turns.handle(.heard(id.number, ms: ms, isFinished: isFinished), at: step.time), &step)
        case .toolFinished(let key, let result): finishTool(key, result: result, code: nil, &step)
        case .toolFailed(let key, let code): finishTool(key, result: nil, code: code, &step)
        case .holdExtended(let number, let fundedMs):
            apply(meter.handle(.extended(number: number, fundedMs: fundedMs), at: step.time), &step)
        case .holdRefused(let number): apply(meter.handle(.refused(number: number), at: step.time), &step)
        case .holdUnanswered(let number):
            apply(meter.handle(.unanswered(number: number), at: step.time), &step)
        }
    }

    private mutating func startMedia(resumed: Bool, _ step: inout Step) {
        if startedAt == nil {
            startedAt = step.time
            let elapsedMs = before?.elapsedMs ?? 0
            apply(call.handle(.connected(elapsedMs: elapsedMs), at: step.time), &step)
            farEnd.connected(elapsedMs: elapsedMs, at: step.time)
            startRecording(resumed: before?.recording, &step)
            // Funds may be short already: the machine asks at once, and hears the answer later.
            apply(meter.handle(.connected(elapsedMs: elapsedMs), at: step.time), &step)
        } else {
            guard resumed else { return }
            apply(turns.handle(.hush, at: step.time), &step)
            listening = nil
        }
        guard resumed || before != nil else { return startAgent(&step) }
        // Protected: who spoke into the gap was not heard, and must learn of it.
        apply(turns.handle(.say(definition.lines.reconnected, isInterruptible: false), at: step.time), &step)
        if let ending = call.ending ?? before?.ending { return end(ending, &step) }
        resumeAgent(&step)
    }

    private mutating func startRecording(resumed: Checkpoint.RecordingState?, _ step: inout Step) {
        let isOn =
            definition.recording.mode == .on
            || (definition.recording.mode == .afterConsent && resumed ?? .off != .off)
        guard isOn else { return }
        recording = .on
        step.effects.append(.startRecording)
        guard resumed == .paused else { return }
        recording = .paused
        step.effects.append(.pauseRecording)
    }

    private mutating func hear(_ transcript: Dialogue.Transcript, _ step: inout Step) {
        let text = Words.cut(transcript.text, to: Self.transcriptMax)
        if transcript.isFinal, !text.isEmpty { farEnd.heardWords() }
        let fullness = self.fullness(text: turns.text(with: text), keys: "")
        apply(turns.handle(.transcript(text, isFinal: transcript.isFinal, fullness), at: step.time), &step)
    }

    /// Where there is no person, a goodbye would be heard by nobody.
    private mutating func hear(_ tone: LineTone, _ step: inout Step) {
        guard call.ending == nil else { return }
        note("line_tone", detail: tone.rawValue, &step)
        guard let reason = farEnd.heard(tone, at: step.time) else { return }
        apply(turns.handle(.hush, at: step.time), &step)
        end(reason, &step)
    }

    private mutating func press(_ digit: String, _ step: inout Step) {
        guard digit.utf8.count == 1, "0123456789*#".contains(digit), call.ending == nil else { return }
        step.effects.append(.record(.digit(isPrivateNow ? "x" : digit)))
        let fullness = self.fullness(text: "", keys: turns.keys + (digit == "#" ? "" : digit))
        apply(turns.handle(.key(digit, fullness), at: step.time), &step)
    }

    private mutating func handleDeadlines(_ step: inout Step) {
        func isDue(_ time: CallTime?) -> Bool { time.map { $0 <= step.time } ?? false }
        let now = step.time
        if isDue(turns.deadline) { apply(turns.handle(.deadline, at: now), &step) }
        if isDue(tools.deadline) {
            for effect in tools.handleDeadline(at: now) { apply(effect, &step) }
        }
        if isDue(meter.deadline) { apply(meter.handle(.deadline, at: now), &step) }
        if isDue(call.deadline) { apply(call.handle(.deadline, at: now), &step) }
    }

    /// Orders first: news may lead to further inputs, whose orders come after these.
    mutating func apply(_ effects: [Turns.Effect], _ step: inout Step) {
        step.turns += effects
        for effect in effects where effect.isOrder { apply(effect, &step) }
        for effect in effects where !effect.isOrder { apply(effect, &step) }
    }

    private mutating func apply(_ effect: Turns.Effect, _ step: inout Step) {
        switch effect {
        case .startReply(let id): startReply(id, &step)
        case .cancelReply(let id): step.effects.append(.cancelReply(Dialogue.ReplyID(id)))
        case .speak(let id, let text): step.effects.append(.speak(Dialogue.UtteranceID(id), text: text))
        case .prepare(let id, let text): step.effects.append(.prepare(Dialogue.UtteranceID(id), text: text))
        case .discard(let id): step.effects.append(.discard(Dialogue.UtteranceID(id)))
        case .pausePlayout: step.effects.append(.pausePlayout)
        case .duckPlayout: step.effects.append(.duckPlayout)
        case .unduckPlayout: step.effects.append(.unduckPlayout)
        case .resumePlayout(let fromStart): step.effects.append(.resumePlayout(fromStart: fromStart))
        case .clearPlayout: step.effects.append(.clearPlayout)
        case .guess(let text): guess(text, &step)
        case .draftFinished(let text): runAhead(text, &step)
        case .draftAdopted: adoptDraft(&step)
        case .draftDropped(let reply): dropDraft(reply, &step)
        case .callerTurn(let turn): begin(turn, &step)
        case .reopened: forgetTurn(&step)
        case .turnStands: keepTurn(&step)
        case .agentTurn(let turn): record(turn, &step)
        case .interrupted(let heard): interrupted(heard, &step)
        case .replyFinished(let text): finishReply(text, &step)
        case .replyFailed: fail("reply_failed", &step)
        case .synthesisFailed: fail("synthesis_failed", &step)
        case .silence: if call.ending == nil { hearNothing(&step) }
        case .allHeard:
            // A later effect of the same batch may have made the agent speak again.
            if turns.isQuiet { apply(call.handle(.allHeard, at: step.time), &step) }
        case .note(let code): note(code, &step)
        }
    }

    private mutating func apply(_ effects: [Meter.Effect], _ step: inout Step) {
        for effect in effects {
            switch effect {
            case .extend(let number): step.effects.append(.extendHold(number: number))
            case .outOfFunds: finish(.noFunds, saying: definition.lines.noFunds, &step)
            }
        }
    }

    private mutating func apply(_ effects: [CallMachine.Effect], _ step: inout Step) {
        for effect in effects {
            switch effect {
            case .timeIsUp: finish(.timeLimit, saying: definition.lines.timeLimit, &step)
            case .hangUp(let reason):
                commitTurn(&step)
                apply(turns.handle(.hush, at: step.time), &step)
                step.effects.append(.hangUp(reason))
            }
        }
    }

    /// The agent cannot go on: says so and hangs up. While it is ending already, the end goes its way.
    mutating func fail(_ code: String, _ step: inout Step) {
        note(code, &step)
        finish(.agentFailed, saying: definition.lines.failure, &step)
    }

    /// Nobody hears words any more: an agent that needs them cannot go on. One that asks for keys can.
    mutating func needHearing(_ step: inout Step) {
        guard isDeaf, flow?.takesKeys != true else { return }
        finish(.agentFailed, saying: definition.lines.failure, &step)
    }

    private mutating func finish(_ reason: EndReason, saying line: String, _ step: inout Step) {
        guard call.ending == nil else { return }
        apply(turns.handle(.hush, at: step.time), &step)
        apply(turns.handle(.say(line, isInterruptible: false), at: step.time), &step)
        end(reason, &step)
    }

    /// What is queued is heard to its end, then the call is over.
    mutating func end(_ reason: EndReason, _ step: inout Step) {
        guard call.ending == nil else { return }
        commitTurn(&step)
        if let turn = turns.takeUnfinished(at: step.time) { record(turn, &step) }
        apply(call.handle(.end(reason), at: step.time), &step)
        guard !call.isOver else { return }
        apply(turns.handle(.close, at: step.time), &step)
        if turns.isQuiet { apply(call.handle(.allHeard, at: step.time), &step) }
    }

    private mutating func leave(_ reason: EndReason, _ step: inout Step) {
        commitTurn(&step)
        if let turn = turns.takeUnfinished(at: step.time) { record(turn, &step) }
        apply(call.handle(.gone(call.ending ?? reason), at: step.time), &step)
    }
}
