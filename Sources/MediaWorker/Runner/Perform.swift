import Agents
import Base
import CallDispatch
import Conversation
import Foundation
import Logging
import NIOCore
import Speech

/// Effects: what the conversation orders, done.
extension CallRunner {
    func perform(_ effect: Dialogue.Effect) {
        switch effect {
        case .startReply(let id, let request): parts?.mind.start(id, request)
        case .cancelReply(let id): parts?.mind.cancel(id)
        case .spareReply(let request, let line): parts?.mind.spare(request, line: line)
        case .speak(let id, let text):
            playout.enqueue(id)
            guard let made = takePrepared(id) else { return parts?.mouth.speak(id, text) ?? () }
            _ = playout.append(made.audio, to: id)
            if made.isWhole { _ = playout.complete(id) }
            playout.pump(at: now)
        case .prepare(let id, let text):
            prepared = Prepared(id: id)
            parts?.mouth.speak(id, text)
        case .discard(let id): if takePrepared(id) != nil { parts?.mouth.cancel([id]) }
        case .duckPlayout: playout.duck(at: now)
        case .unduckPlayout: playout.unduck()
        case .pausePlayout: playout.pause(at: now)
        case .resumePlayout(let fromStart):
            playout.resume(fromStart: fromStart)
            playout.pump(at: now)
        case .clearPlayout: parts?.mouth.cancel(playout.clear(at: now))
        case .listen(let expectation, let phrases): parts?.ear.expect(expectation, phrases: phrases)
        case .callTool(let call, _): callTool(call)
        case .cancelTool(let key): toolTasks.removeValue(forKey: key)?.cancel()
        case .startRecording: if plan.definition.recording.mode != .off { files.startRecording(at: now) }
        case .pauseRecording: files.recorder.pause()
        case .resumeRecording: files.recorder.resume()
        case .extendHold(let number): extendHold(number)
        case .record(let fact): record(fact)
        case .hangUp(let reason): end(reason)
        }
    }

    /// Voice made ahead, until it is known whether it is spoken.
    struct Prepared {
        let id: Dialogue.UtteranceID
        var audio = ByteBuffer()
        var isWhole = false
    }

    private func takePrepared(_ id: Dialogue.UtteranceID) -> Prepared? {
        guard let made = prepared, made.id == id else { return nil }
        prepared = nil
        return made
    }

    /// From the synthesiser, for what is not spoken yet. False when it is as for what is spoken.
    private func isMadeAhead(_ id: Dialogue.UtteranceID, _ event: Mouth.Event) -> Bool {
        guard prepared?.id == id else { return false }
        switch event {
        case .audio(let audio):
            let isFirst = prepared?.audio.readableBytes == 0
            prepared?.audio.writeImmutableBuffer(audio)
            if isFirst { receive(.synthesised(id, milliseconds: audio.readableBytes / 8, isLast: false)) }
        case .finished(let usage):
            meter.add(usage)
            prepared?.isWhole = true
            let bytes = prepared?.audio.readableBytes ?? 0
            receive(.synthesised(id, milliseconds: bytes / 8, isLast: true))
        case .failed(let fault):
            prepared = nil
            receive(.synthesisFailed(id, code: fault.code))
        case .began, .stopped, .fellBack: return false
        }
        return true
    }

    /// From the synthesiser.
    func spoken(_ id: Dialogue.UtteranceID, _ event: Mouth.Event) {
        guard !isMadeAhead(id, event) else { return }
        switch event {
        case .began(let speaker): voices.sounds(id, by: speaker)
        case .audio(let audio):
            guard let milliseconds = playout.append(audio, to: id) else { parts?.mouth.cancel([id]); return }
            playout.pump(at: now)
            // The first audio starts the clock of a turn; later pieces are told when the last has come.
            if milliseconds == audio.readableBytes / 8 {
                receive(.synthesised(id, milliseconds: milliseconds, isLast: false))
            }
        case .finished(let usage):
            meter.add(usage)
            guard let milliseconds = playout.complete(id) else { return }
            playout.pump(at: now)
            receive(.synthesised(id, milliseconds: milliseconds, isLast: true))
        case .failed(let fault):
            station.logger.warning(
                "synthesiser failed",
                metadata: [
                    "call": .string("\(key.call)"), "reason": .string(fault.code),
                    "cause": .string(fault.cause),
                ])
            _ = playout.complete(id)
            receive(.synthesisFailed(id, code: fault.code))
        case .stopped(let usage): for part in usage { meter.add(part) }
        case .fellBack(let vendor, let fault): fellBack("tts", to: vendor, fault)
        }
    }

    /// From the ear, beside words.
    func heard(_ report: Ear.Report) {
        switch report {
        case .usage(let usage): meter.setRecognised(usage)
        case .utteranceEdge: parts?.mouth.warm()
        case .understood(let hearer): voices.understood(by: hearer)
        case .fellBack(let vendor, let fault): fellBack("stt", to: vendor, fault)
        case .failed(let fault):
            station.logger.warning(
                "recogniser failed",
                metadata: [
                    "call": .string("\(key.call)"), "reason": .string(fault.code),
                    "cause": .string(fault.cause),
                ])
            receive(.recogniserFailed(code: fault.code))
        }
    }

    /// A vendor failed, and another (or the same once more) took over.
    func fellBack(_ stage: String, to vendor: String, _ fault: Fault) {
        station.logger.warning(
            "vendor failed",
            metadata: [
                "call": .string("\(key.call)"), "stage": .string(stage), "reason": .string(fault.code),
                "cause": .string(fault.cause), "next": .string(vendor),
            ])
        tellAndShow(.event(code: "\(stage)_fallback", detail: "\(fault.code), now \(vendor)"))
    }

    /// From the model.
    func thought(_ input: Dialogue.Input) {
        if case .replyFinished(_, let usage) = input { for part in usage { meter.add(part) } }
        receive(input)
    }

    /// From the model, beside replies.
    func thought(_ report: Mind.Report) {
        switch report {
        case .route(let route): tell(.route(route))
        case .fellBack(let next?, let fault): fellBack("llm", to: next.source, fault)
        case .fellBack(nil, let fault): tellAndShow(.event(code: "llm_cut", detail: fault.code))
        }
    }

    private func callTool(_ call: Dialogue.ToolCall) {
        guard let tool = plan.definition.tools.first(where: { $0.name == call.name }) else {
            return receive(.toolFailed(key: call.key, code: "tool.unknown"))
        }
        // The checkpoint is on its way before the tool is: whoever takes over asks under the same key.
        saveCheckpoint()
        toolTasks[call.key] = Task { [self] in
            let outcome = await ToolRequest.run(call, of: tool, over: station.http)
            loop.execute {
                // Cancelled: nobody waits for it.
                guard self.toolTasks.removeValue(forKey: call.key) != nil else { return }
                switch outcome {
                case .finished(let result): self.receive(.toolFinished(key: call.key, result: result))
                case .failed(let code): self.receive(.toolFailed(key: call.key, code: code))
                }
                self.saveCheckpoint()
            }
        }
    }

    private func extendHold(_ number: Int) {
        Task { [self] in
            let input: Dialogue.Input
            do {
                switch try await station.link.extendHold(
                    key.call, tenant: key.tenant, epoch: key.epoch, number: number)
                {
                case .funded(let untilMs): input = .holdExtended(number: number, fundedMs: untilMs)
                case .refused: input = .holdRefused(number: number)
                }
            } catch is Refusal {
                input = .holdRefused(number: number)
            } catch {
                input = .holdUnanswered(number: number)
            }
            loop.execute { self.receive(input) }
        }
    }

    private func record(_ fact: Dialogue.Fact) {
        switch fact {
        case .turn(let turn):
            let report = CallFact.Turn(turn, elapsedMs: plan.elapsedMs)
            for (stage, milliseconds) in report.stages {
                station.meters.stage(stage, milliseconds: milliseconds)
            }
            tell(.turn(report))
            tellLatency(turn)
            show(.turn(report))
            saveCheckpoint()
        case .tool(let tool):
            tellAndShow(
                .tool(
                    key: tool.key, name: tool.name, succeeded: tool.succeeded, milliseconds: tool.milliseconds
                ))
        case .node(let id): tellAndShow(.event(code: "node", detail: id))
        // Which key was pressed may be part of a card number: told that, not what.
        case .digit: tellAndShow(.event(code: "digit", detail: ""))
        case .usage: break  // Counted when the model told it, whether the conversation still listened or not.
        case .note(let code, let detail): tellAndShow(.event(code: code, detail: detail))
        }
    }

    private func tellAndShow(_ fact: CallFact) {
        tell(fact)
        show(fact)
    }

    /// For whoever watches the call right now; lost if nobody does.
    func show(_ fact: CallFact) {
        guard let text = try? JSONEncoder().encode(fact) else { return }
        Task { [station, key] in
            // Losing a glance at a live call is the point of a live view.
            try? await station.board.publish(event: Array(text), call: key.call)
        }
    }

    func saveCheckpoint() { files.checkpoints.save(conversation.checkpoint) }
}

extension CallFact.Turn {
    init(_ turn: Dialogue.TurnFact, elapsedMs: Int) {
        var stages: [String: Int] = [:]
        stages["final_text"] = turn.stages?.finalTextMs
        stages["end_of_turn"] = turn.stages?.endOfTurnMs
        stages["requested"] = turn.stages?.requestedMs
        stages["first_token"] = turn.stages?.firstTokenMs
        stages["first_audio"] = turn.stages?.firstAudioMs
        stages["heard"] = turn.stages?.heardMs
        self.init(
            number: turn.number, speaker: turn.speaker.rawValue, text: turn.text,
            startMs: turn.startedAt.milliseconds + elapsedMs, endMs: turn.endedAt.milliseconds + elapsedMs,
            wasInterrupted: turn.wasInterrupted, stages: stages)
    }
}
