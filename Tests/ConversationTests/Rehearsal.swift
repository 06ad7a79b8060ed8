import Agents
import Base
import Conversation

/// Plays one call in virtual time: a caller with lines, a voice that takes time to speak, scripted model and tools.
///
/// Everything that enters and leaves the conversation becomes a line of `Ladder` text; progress of audio is left out.
struct Rehearsal {
    struct Reply {
        var text: [String] = []
        var tool: (name: String, arguments: String)?
        var failure: String?
        /// From the request to the first word.
        var afterMs = 300
    }

    private(set) var conversation: Conversation
    private(set) var ladder: [String] = []
    private(set) var effects: [Dialogue.Effect] = []
    private(set) var inputs: [(CallTime, Dialogue.Input)] = []
    private(set) var now = CallTime.zero
    /// What the model answers, in order; then it falls silent.
    var replies: [Reply] = []
    /// Tool name → milliseconds and result; nil fails.
    var tools: [String: (ms: Int, result: JSON?)] = [:]
    var fundedTo: Int? = 10_000_000
    private var events: [(at: CallTime, order: Int, input: Dialogue.Input)] = []
    private var order = 0
    /// What the model said to guesses: it says it again when they were wrong.
    private var drafts: [Dialogue.ReplyID: Reply] = [:]
    /// When the voice of what was prepared was asked for.
    private var prepared: [Dialogue.UtteranceID: CallTime] = [:]
    private var voice: [(id: Dialogue.UtteranceID, lengthMs: Int, heardMs: Int)] = []
    private var isPaused = false
    private var voiceAt: CallTime?

    static let msPerCharacter = 60
    private static let synthesisMs = 100
    private static let reportMs = 100

    init(
        _ definition: AgentDefinition, variables: [String: String] = [:], isOutbound: Bool = false,
        fundedMs: Int = 10_000_000, resuming: Checkpoint? = nil
    ) {
        conversation = Conversation(
            definition: definition, variables: variables, call: "call", isOutbound: isOutbound,
            fundedMs: fundedMs, holdNumber: 0, resuming: resuming)
    }

    mutating func at(_ ms: Int, _ input: Dialogue.Input) { schedule(.milliseconds(ms), input) }

    /// How late the ear tells the edges of speech, and words come after it has told the end.
    static let earStartMs = 40
    static let earEndMs = 100
    static let wordsMs = 100

    /// Speech from `ms` for `lasting`; the ear and the recogniser tell of it a little later.
    mutating func caller(_ ms: Int, _ text: String, lasting: Int = 800) {
        at(ms + Self.earStartMs, .speechStarted(agoMs: Self.earStartMs))
        at(ms + lasting + Self.earEndMs, .speechEnded(agoMs: Self.earEndMs))
        at(ms + lasting + Self.earEndMs + Self.wordsMs, .transcript(.init(text: text, isFinal: true)))
    }

    mutating func run(until ms: Int) {
        while let next = nextTime, next <= .milliseconds(ms) {
            now = max(now, next)
            if let event = events.first, event.at <= now {
                events.removeFirst()
                feed(event.input)
            } else if let due = conversation.deadline, due <= now {
                feed(.deadline)
            } else {
                playOn()
            }
        }
        now = max(now, .milliseconds(ms))
    }

    private var nextTime: CallTime? {
        [events.first?.at, conversation.deadline, isPaused || voice.isEmpty ? nil : voiceAt].compactMap { $0 }
            .min()
    }

    private mutating func schedule(_ time: CallTime, _ input: Dialogue.Input) {
        order += 1
        let index = events.firstIndex { $0.at > time } ?? events.endIndex
        events.insert((time, order, input), at: index)
    }

    private mutating func feed(_ input: Dialogue.Input) {
        let isSilent: Bool
        switch input {
        case .heard, .synthesised: isSilent = true
        default: isSilent = false
        }
        let out = conversation.handle(input, at: now)
        inputs.append((now, input))
        if !isSilent, input != .deadline || !out.isEmpty { ladder.append(Ladder.line(input, at: now)) }
        for effect in out {
            ladder.append(Ladder.line(effect, at: now))
            perform(effect)
        }
        effects += out
    }

    private mutating func playOn() {
        guard !voice.isEmpty else { return }
        voice[0].heardMs = min(voice[0].lengthMs, voice[0].heardMs + Self.reportMs)
        let head = voice[0]
        let isFinished = head.heardMs >= head.lengthMs
        if isFinished { voice.removeFirst() }
        voiceAt = now + .milliseconds(Self.reportMs)
        feed(.heard(head.id, milliseconds: head.heardMs, isFinished: isFinished))
    }

    private mutating func perform(_ effect: Dialogue.Effect) {
        switch effect {
        case .speak(let id, let text):
            let askedAt = prepared.removeValue(forKey: id)
            if askedAt == nil { synthesise(id, text) }
            if voice.isEmpty {
                voiceAt =
                    max(now, (askedAt ?? now) + .milliseconds(Self.synthesisMs))
                    + .milliseconds(Self.reportMs)
            }
            voice.append((id, text.count * Self.msPerCharacter, 0))
        case .prepare(let id, let text):
            prepared[id] = now
            synthesise(id, text)
        case .discard(let id): prepared[id] = nil
        case .pausePlayout: isPaused = true
        case .resumePlayout:
            isPaused = false
            voiceAt = now + .milliseconds(Self.reportMs)
        case .clearPlayout:
            voice.removeAll()
            isPaused = false
        case .callTool(let call, _):
            guard let tool = tools[call.name] else { return }
            let answer: Dialogue.Input =
                tool.result.map { .toolFinished(key: call.key, result: $0) }
                ?? .toolFailed(key: call.key, code: "http_500")
            schedule(now + .milliseconds(tool.ms), answer)
        case .startReply(let id, let request): answer(id, isDraft: request.isDraft)
        case .cancelReply(let id):
            guard let draft = drafts.removeValue(forKey: id) else { return }
            replies.insert(draft, at: 0)
            events.removeAll { $0.input.isNews(of: id) }
        case .cancelTool(let key): events.removeAll { $0.input.isAnswer(of: key) }
        case .extendHold(let number):
            let answer: Dialogue.Input =
                fundedTo.map { .holdExtended(number: number, fundedMs: $0) } ?? .holdRefused(number: number)
            schedule(now + .milliseconds(30), answer)
        default: break
        }
    }

    private mutating func synthesise(_ id: Dialogue.UtteranceID, _ text: String) {
        let length = text.count * Self.msPerCharacter
        schedule(
            now + .milliseconds(Self.synthesisMs), .synthesised(id, milliseconds: length, isLast: true))
    }

    private mutating func answer(_ id: Dialogue.ReplyID, isDraft: Bool) {
        guard !replies.isEmpty else { return }
        let reply = replies.removeFirst()
        drafts = isDraft ? [id: reply] : [:]
        var time = now + .milliseconds(reply.afterMs)
        for text in reply.text {
            schedule(time, .replyText(id, text))
            time = time + .milliseconds(50)
        }
        if let tool = reply.tool {
            schedule(time, .replyToolCall(id, id: "x", name: tool.name, arguments: tool.arguments))
        }
        if let failure = reply.failure {
            schedule(time, .replyFailed(id, code: failure))
        } else {
            schedule(time, .replyFinished(id, []))
        }
    }

    var said: [String] { effects.compactMap { if case .speak(_, let text) = $0 { text } else { nil } } }
    var hangUps: [EndReason] {
        effects.compactMap { if case .hangUp(let reason) = $0 { reason } else { nil } }
    }
    var turns: [Dialogue.TurnFact] {
        effects.compactMap { if case .record(.turn(let turn)) = $0 { turn } else { nil } }
    }
    var toolCalls: [Dialogue.ToolCall] {
        effects.compactMap { if case .callTool(let call, _) = $0 { call } else { nil } }
    }
    var lastReply: Dialogue.ReplyID? {
        effects.compactMap { if case .startReply(let id, _) = $0 { id } else { nil } }.last
    }
    func count(_ effect: Dialogue.Effect) -> Int { effects.count { $0 == effect } }
}

extension Dialogue.Input {
    fileprivate func isAnswer(of tool: String) -> Bool {
        switch self {
        case .toolFinished(let key, _), .toolFailed(let key, _): key == tool
        default: false
        }
    }

    fileprivate func isNews(of reply: Dialogue.ReplyID) -> Bool {
        switch self {
        case .replyText(let id, _), .replyFinished(let id, _), .replyFailed(let id, _): id == reply
        case .replyToolCall(let id, _, _, _): id == reply
        default: false
        }
    }
}
