import Base
import Conversation

/// How the world answers the agent: voice, model, tools, ledger.
extension SimulatedCall {
    private static let ledgerMs = 30
    private static let extensionMs = 60_000

    mutating func perform(_ effect: Dialogue.Effect) {
        guard scenario.course == .conversation else { return }
        switch effect {
        case .speak(let id, let text): speak(id, text)
        case .prepare(let id, let text): prepared = synthesise(id, text)
        case .discard: prepared = nil
        case .startReply(let id, let request): reply(id, request)
        case .callTool(let call, _): runTool(call)
        case .extendHold(let number): extend(number)
        case .listen(let expectation, _): caller.expectation = expectation
        case .pausePlayout: voice.pause()
        case .resumePlayout(let fromStart):
            voice.resume(fromStart: fromStart)
            planPlaying()
            if voice.isEmpty { wait() }
        case .clearPlayout:
            voice.clear()
            wait()
        case .cancelReply, .cancelTool: break  // What is under way arrives all the same.
        case .hangUp, .record, .spareReply, .duckPlayout, .unduckPlayout, .startRecording, .pauseRecording,
            .resumeRecording:
            break
        }
    }

    mutating func plan(_ input: Dialogue.Input, in milliseconds: Int) {
        agenda.plan(.input(input), at: now + .milliseconds(milliseconds))
    }

    private mutating func speak(_ id: Dialogue.UtteranceID, _ text: String) {
        let utterance = prepared?.id == id ? prepared : nil
        prepared = nil
        waiting += 1
        guard voice.enqueue(utterance ?? synthesise(id, text)) else { return }
        planPlaying()
        planAside(within: max(200, text.utf8.count * SimulatedVoice.msPerCharacter))
    }

    private mutating func synthesise(_ id: Dialogue.UtteranceID, _ text: String) -> SimulatedVoice.Utterance {
        let lengthMs = max(200, text.utf8.count * SimulatedVoice.msPerCharacter)
        let firstMs = dice.number(120...450)
        var utterance = SimulatedVoice.Utterance(id: id, lengthMs: lengthMs)
        if dice.chance(scenario.faults.voice) {
            if dice.chance(0.5) { plan(.synthesisFailed(id, code: "500"), in: firstMs) }
        } else {
            utterance.readyAt = now + .milliseconds(firstMs)
            plan(.synthesised(id, milliseconds: lengthMs / 2, isLast: false), in: firstMs)
            let isWhole = !dice.chance(scenario.faults.voice)
            plan(.synthesised(id, milliseconds: lengthMs, isLast: isWhole), in: firstMs * 2)
        }
        return utterance
    }

    private mutating func planPlaying() {
        guard voice.isSpeaking else { return }
        agenda.plan(.playedOn(voice.playing), at: now + .milliseconds(SimulatedVoice.markMs))
    }

    /// The caller may speak while the agent does.
    private mutating func planAside(within lengthMs: Int) {
        let at = now + .milliseconds(dice.number(300...max(300, lengthMs)))
        if dice.chance(scenario.manners.interrupts) {
            agenda.plan(.callerCutsIn(voice.playing), at: at)
        } else if dice.chance(scenario.manners.backchannels) {
            agenda.plan(.callerMurmurs(voice.playing), at: at)
        }
    }

    /// A mark comes back, or does not, or says something else.
    mutating func playOn() {
        let told = voice.playOn(at: now)
        if voice.isEmpty { wait() } else { planPlaying() }
        guard let told else { return }
        guard dice.chance(scenario.faults.marks) else { return feed(told) }
        switch dice.number(0...3) {
        case 0: break  // Missing.
        case 1: plan(told, in: dice.number(0...3000))
        case 2:
            feed(told)
            plan(told, in: 1)
        default:
            let id = Dialogue.UtteranceID(dice.number(0...(witness.lastUtterance + 1)))
            feed(.heard(id, milliseconds: dice.number(-100...5000), isFinished: dice.chance(0.2)))
        }
    }

    private mutating func reply(_ id: Dialogue.ReplyID, _ request: Dialogue.ModelRequest) {
        var afterMs = dice.number(200...900)
        let isFaulty = dice.chance(scenario.faults.model)
        if isFaulty, dice.chance(0.3) { return }  // Stalls for ever.
        if isFaulty, dice.chance(0.3) { return plan(.replyFailed(id, code: "500"), in: afterMs) }
        let isAnswered = if case .toolResult = request.messages.last { true } else { false }
        for delta in isFaulty ? ["", "Well."] : replyText() {
            plan(.replyText(id, delta), in: afterMs)
            afterMs += dice.number(10...80)
        }
        if !isAnswered, dice.chance(0.25) || isFaulty {
            let (lookUp, change) = (SimulatedAgent.lookUp, SimulatedAgent.change)
            let names = dice.pick([[lookUp], [lookUp], [lookUp, lookUp], [change], [lookUp, change]])
            let arguments = isFaulty && dice.chance(0.5) ? "{\"order\":" : "{\"order\":7}"
            for name in isFaulty ? dice.pick([["none"], names]) : names {
                plan(.replyToolCall(id, id: "t", name: name, arguments: arguments), in: afterMs)
            }
        } else if dice.chance(0.06) {
            plan(.replyToolCall(id, id: "e", name: "end_call", arguments: "{}"), in: afterMs)
        }
        plan(.replyFinished(id, []), in: afterMs + 10)
        guard isFaulty else { return }
        plan(.replyText(id, "And one more thing."), in: afterMs + dice.number(0...2000))
        plan(.replyFinished(id, []), in: afterMs + dice.number(11...2000))
    }

    private mutating func replyText() -> [String] {
        var deltas: [String] = []
        for _ in 0...dice.number(0...2) {
            deltas += dice.pick([
                ["Let me ", "see what I ", "can do for you. "],
                ["Of course, ", "that is possible on Tuesday or on Friday. "],
                ["Your order ", "left our house yesterday, and it will be with you tomorrow. "],
                ["What is ", "your phone number? "], ["Is that right? "],
            ])
        }
        return deltas
    }

    private mutating func runTool(_ call: Dialogue.ToolCall) {
        let afterMs = dice.number(50...2500)
        let answer = Dialogue.Input.toolFinished(
            key: call.key, result: ["slot": "ten o'clock", "status": "sent"])
        guard dice.chance(scenario.faults.tools) else { return plan(answer, in: afterMs) }
        switch dice.number(0...3) {
        case 0: break  // Never.
        case 1: plan(.toolFailed(key: call.key, code: "http_500"), in: afterMs)
        case 2:
            plan(answer, in: afterMs)
            plan(.toolFailed(key: call.key, code: "timeout"), in: afterMs + dice.number(0...3000))
        default: plan(.toolFinished(key: "other", result: nil), in: afterMs)
        }
    }

    private mutating func extend(_ number: Int) {
        let isFaulty = dice.chance(scenario.faults.ledger)
        guard isFaulty else {
            fundedMs += Self.extensionMs
            return plan(.holdExtended(number: number, fundedMs: fundedMs), in: Self.ledgerMs)
        }
        switch dice.number(0...3) {
        case 0: break  // Never.
        case 1: plan(.holdUnanswered(number: number), in: dice.number(30...5000))
        case 2: plan(.holdRefused(number: number), in: Self.ledgerMs)
        default: plan(.holdExtended(number: number, fundedMs: 0), in: Self.ledgerMs)
        }
    }
}
