import Base
import NIOCore
import Speech
import VendorSim

/// A bot that does nothing but wait for each vendor in turn: final words, then the first token, then the first audio.
///
/// What it needs from the caller's last sound to the agent's first is the floor that an agent which decides nothing stands on.
/// The caller hears it as callers hear ours: from its next 20 ms frame on. On its loop only.
final class FloorBot: @unchecked Sendable {
    private static let frame = TimeAmount.milliseconds(20)
    /// A turn that is not answered by then is given up.
    private static let answerMax = TimeAmount.seconds(8)
    private static let quiet = ByteBuffer(repeating: 0xFF, count: 160)

    private let loop: any EventLoop
    private let model: any LanguageModel
    private let synthesiser: any TextToSpeech
    private let voice: String
    private var stream: (any RecognitionStream)?
    private var chat: (any ChatStream)?
    private var speech: (any SynthesisStream)?
    private var lastSoundAt: NIODeadline?
    /// The first audio is there; the caller's next frame plays it.
    private var hasSpoken = false
    private var answered: EventLoopPromise<Double?>?
    /// Turns so far: what is left of an earlier one is not sent.
    private var turns = 0

    init(
        _ recogniser: any SpeechToText, _ model: any LanguageModel, _ synthesiser: any TextToSpeech,
        voice: String,
        on loop: any EventLoop
    ) {
        self.loop = loop
        self.model = model
        self.synthesiser = synthesiser
        self.voice = voice
        stream = recogniser.open(RecognitionSettings(language: "en-US"), on: loop) { [weak self] event in
            if case .final(let text, _) = event, !text.isEmpty { self?.ask(text) }
        }
        synthesiser.warm(voice: voice, on: loop)
    }

    /// Milliseconds from the last sound of `audio` (µ-law, its last `tailMs` quiet) to the first of the answer; nil: none came.
    func turn(_ audio: [UInt8], tailMs: Int) -> EventLoopFuture<Double?> {
        let answered = loop.makePromise(of: Double?.self)
        self.answered = answered
        lastSoundAt = nil
        hasSpoken = false
        turns += 1
        stream?.utteranceStarted()
        send(audio[...], of: turns, at: loop.now, tailMs: tailMs)
        loop.assumeIsolated().scheduleTask(in: Self.answerMax + .milliseconds(Int64(audio.count / 8))) {
            [turns] in if self.turns == turns { self.end(nil) }
        }
        return answered.futureResult
    }

    func close() {
        stream?.close()
        stream = nil
    }

    /// One frame, and the next on its time; quiet ones until the answer is there.
    private func send(_ rest: ArraySlice<UInt8>, of turn: Int, at due: NIODeadline, tailMs: Int) {
        guard answered != nil, turn == turns else { return }
        if hasSpoken, let from = lastSoundAt { return end(Double((due - from).nanoseconds) / 1e6) }
        if rest.isEmpty {
            if lastSoundAt == nil {
                lastSoundAt = due - .milliseconds(Int64(tailMs))
                stream?.utteranceEnded()
            }
            stream?.send(Self.quiet)
        } else {
            // Whole frames, as a caller's line has them.
            var frame = ByteBuffer(bytes: rest.prefix(160))
            frame.writeRepeatingByte(0xFF, count: 160 - frame.readableBytes)
            stream?.send(frame)
        }
        loop.assumeIsolated().scheduleTask(deadline: due + Self.frame) {
            self.send(rest.dropFirst(160), of: turn, at: due + Self.frame, tailMs: tailMs)
        }
    }

    private func ask(_ text: String) {
        guard answered != nil, lastSoundAt != nil, chat == nil else { return }
        let request = ChatRequest(
            model: VendorGround.model, messages: [.system("Be brief."), .user(text)], tools: [],
            temperature: nil,
            maxTokens: 100)
        chat = model.reply(to: request, on: loop) { [weak self] event in
            guard case .text(let text) = event else { return }
            self?.speak(text)
        }
    }

    private func speak(_ text: String) {
        guard speech == nil, answered != nil else { return }
        speech = synthesiser.speak(text, voice: voice, on: loop) { [weak self] event in
            if case .audio = event { self?.hasSpoken = true }
        }
    }

    private func end(_ milliseconds: Double?) {
        guard let answered else { return }
        self.answered = nil
        chat?.cancel()
        speech?.cancel()
        (chat, speech) = (nil, nil)
        answered.succeed(milliseconds)
    }
}
