import Agents
import Base
import Conversation
import Foundation
import Testing

/// Whatever comes in, in whatever order: what must hold after every input.
struct AnyInputsTests {
    private static let inputsPerSeed = 500

    @Test(arguments: 0..<UInt64(200))
    func aFlowKeepsItsPromises(seed: UInt64) throws {
        try run(try definition(Desks.appointments), seed: seed)
    }

    @Test(arguments: 0..<UInt64(200))
    func aPromptKeepsItsPromises(seed: UInt64) throws {
        try run(try definition(Desks.prompt), seed: seed &+ 1000)
    }

    @Test(arguments: 0..<UInt64(100))
    func aMenuKeepsItsPromises(seed: UInt64) throws {
        try run(try definition(Desks.menu), seed: seed &+ 5000)
    }

    private func run(_ definition: AgentDefinition, seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var witness = Witness(seed: seed)
        var conversation = Self.start(definition, nil)
        var history: [(CallTime, Dialogue.Input, [Dialogue.Effect])] = []
        var now = CallTime.zero
        for step in 0..<Self.inputsPerSeed {
            var input = step == 0 ? .mediaStarted(resumed: false) : witness.input(&random)
            let next = now + .milliseconds(Int.random(in: 0...400, using: &random))
            if let due = conversation.deadline, due <= next {
                now = max(now, due)
                input = .deadline
            } else {
                now = next
            }
            let effects = conversation.handle(input, at: now)
            history.append((now, input, effects))
            witness.check(input, effects, conversation, at: now)
            if step % 100 == 50 { try checkRoundTrip(conversation.checkpoint, definition, seed) }
        }
        // Left alone, every call ends.
        for _ in 0..<3000 {
            guard let due = conversation.deadline else { break }
            now = max(now, due)
            let effects = conversation.handle(.deadline, at: now)
            history.append((now, .deadline, effects))
            witness.check(.deadline, effects, conversation, at: now)
        }
        #expect(conversation.isOver, "seed \(seed): left alone, the call does not end")
        #expect(witness.hangUps == 1, "seed \(seed)")
        var again = Self.start(definition, nil)
        for (time, input, effects) in history where again.handle(input, at: time) != effects {
            Issue.record("seed \(seed): replay differs at \(time.milliseconds) \(Ladder.text(of: input))")
            return
        }
    }

    private static func start(_ definition: AgentDefinition, _ checkpoint: Checkpoint?) -> Conversation {
        Conversation(
            definition: definition, variables: ["clinic": "Elm"], call: "c", fundedMs: 90_000, holdNumber: 0,
            resuming: checkpoint)
    }

    private func checkRoundTrip(_ checkpoint: Checkpoint, _ definition: AgentDefinition, _ seed: UInt64)
        throws
    {
        let copy = try JSONDecoder().decode(Checkpoint.self, from: JSONEncoder().encode(checkpoint))
        #expect(copy == checkpoint, "seed \(seed)")
        var resumed = Self.start(definition, copy)
        _ = resumed.handle(.mediaStarted(resumed: true), at: .zero)
        #expect(resumed.isOver || resumed.deadline != nil, "seed \(seed): a resumed call waits for nothing")
    }
}

/// Watches the effects as a runner would and makes inputs that fit them, or do not.
private struct Witness {
    let seed: UInt64
    var hangUps = 0
    private var isPaused = false
    private var lastUtterance = 0
    private var openReply: Int?
    private var lastReply = 0
    private var tools: [String] = []
    private var hold = 0
    private var isSpeaking = false

    init(seed: UInt64) { self.seed = seed }

    private static let words = [
        "ann lee", "tuesday", "five five five", "oh one two", "double two six", "yes", "no", "mm-hm", "",
        "okay",
        "the third of march", "what did you say", "I would like to", "um", "goodbye",
    ]

    mutating func input(_ random: inout SeededGenerator) -> Dialogue.Input {
        let utterance = Dialogue.UtteranceID(max(0, lastUtterance - Int.random(in: 0...2, using: &random)))
        let reply = Dialogue.ReplyID(max(0, lastReply - (Int.random(in: 0...5, using: &random) == 0 ? 1 : 0)))
        let words = Self.words.randomElement(using: &random) ?? ""
        let ms = Int.random(in: -10...3000, using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<22:
            isSpeaking.toggle()
            return edge(agoMs: ms / 10)
        case 22: return edge(agoMs: ms * 10)
        case 23:
            return ms < 500 ? .stirred : ms < 1000 ? .settled : .endOfTurn(probability: Double(ms) / 2000)
        case 24..<34: return .transcript(.init(text: words, isFinal: false))
        case 34..<48: return .transcript(.init(text: words, isFinal: true))
        case 48..<52: return .digit(String("0123456789*#x".randomElement(using: &random) ?? "1"))
        case 52..<58: return .replyText(reply, words + ". ")
        case 58..<60: return .replyToolCall(reply, id: "t", name: "weather", arguments: ms > 500 ? "{}" : "{")
        case 60..<64: return .replyFinished(reply, [])
        case 64..<72: return .synthesised(utterance, milliseconds: ms, isLast: ms > 1000)
        case 72..<88: return .heard(utterance, milliseconds: ms, isFinished: ms > 1500)
        case 88..<92: return .toolFinished(key: tools.last ?? "none", result: ["slot": "ten"])
        case 92..<94: return .toolFailed(key: tools.randomElement(using: &random) ?? "none", code: "timeout")
        case 94..<97: return .holdExtended(number: hold, fundedMs: ms * 200)
        case 97: return .holdUnanswered(number: hold)
        default: return rare(&random)
        }
    }

    private func edge(agoMs: Int) -> Dialogue.Input {
        isSpeaking ? .speechStarted(agoMs: agoMs) : .speechEnded(agoMs: agoMs)
    }

    private func rare(_ random: inout SeededGenerator) -> Dialogue.Input {
        switch Int.random(in: 0..<60, using: &random) {
        case 0: .callerHungUp
        case 1: .mediaLost
        case 2: .endRequested
        case 3: .holdRefused(number: hold)
        case 4: .replyFailed(Dialogue.ReplyID(lastReply), code: "500")
        case 5: .synthesisFailed(Dialogue.UtteranceID(lastUtterance), code: "500")
        case 6: .mediaStarted(resumed: true)
        case 7: .mediaStarted(resumed: false)
        default: .deadline
        }
    }

    mutating func check(
        _ input: Dialogue.Input, _ effects: [Dialogue.Effect], _ conversation: Conversation, at now: CallTime
    ) {
        if case .replyFinished(let id, _) = input, id.number == openReply { openReply = nil }
        if case .replyFailed(let id, _) = input, id.number == openReply { openReply = nil }
        let place = "seed \(seed) at \(now.milliseconds) ms, \(Ladder.text(of: input))"
        if hangUps > 0 { #expect(effects.isEmpty, "\(place): effects after hanging up") }
        for effect in effects { check(effect, place) }
        if hangUps > 0 {
            #expect(conversation.deadline == nil, "\(place): deadline after the end")
        } else if input == .deadline, let deadline = conversation.deadline {
            #expect(deadline > now, "\(place): the deadline does not move on")
        }
        if isPaused { #expect(conversation.deadline != nil, "\(place): paused for ever") }
    }

    private mutating func check(_ effect: Dialogue.Effect, _ place: String) {
        #expect(hangUps == 0, "\(place): \(Ladder.text(of: effect)) after hanging up")
        switch effect {
        case .hangUp:
            hangUps += 1
            isPaused = false
        case .pausePlayout:
            #expect(!isPaused, "\(place): paused twice")
            isPaused = true
        case .resumePlayout:
            #expect(isPaused, "\(place): resumed what was not paused")
            isPaused = false
        case .clearPlayout: isPaused = false
        case .speak(let id, let text):
            #expect(id.number == lastUtterance + 1 && !text.isEmpty, "\(place): utterances out of order")
            lastUtterance = id.number
        case .startReply(let id, _):
            #expect(openReply == nil && id.number == lastReply + 1, "\(place): two replies at once")
            lastReply = id.number
            openReply = id.number
        case .cancelReply(let id):
            #expect(openReply == id.number, "\(place): cancelled a reply that is not open")
            openReply = nil
        case .callTool(let call): tools.append(call.key)
        case .extendHold(let number): hold = number
        default: break
        }
    }
}
