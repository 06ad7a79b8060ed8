import Base
import NIOCore
import Speech

/// Understands every utterance as the next of its lines: what a real recogniser would make of open speech.
struct ScriptedRecogniser: SpeechToText {
    let lines: [String]
    init(_ lines: [String]) { self.lines = lines }

    func open(
        _ settings: RecognitionSettings, on loop: any EventLoop,
        events: @escaping @Sendable (RecognitionEvent) -> Void
    ) -> any RecognitionStream { Stream(lines, loop, events) }

    /// Confined to the call's loop.
    private final class Stream: RecognitionStream, @unchecked Sendable {
        private var lines: ArraySlice<String>
        private let loop: any EventLoop
        private let events: @Sendable (RecognitionEvent) -> Void
        private var isOpen = true
        private var heardMs: Int64 = 0

        init(
            _ lines: [String], _ loop: any EventLoop, _ events: @escaping @Sendable (RecognitionEvent) -> Void
        ) {
            (self.lines, self.loop, self.events) = (lines[...], loop, events)
        }

        func utteranceEnded() {
            guard let line = lines.popFirst() else { return }
            loop.execute { if self.isOpen { self.events(.final(line, words: [])) } }
        }
        func close() { isOpen = false }
        func send(_ audio: ByteBuffer) {
            heardMs += Int64(audio.readableBytes / 8)
            events(.usage(Usage(component: .stt, source: "offline", unit: .milliseconds, quantity: heardMs)))
        }
        func expect(_ expectation: Expectation, phrases: [String]) {}
        func utteranceStarted() {}
        func voiceFaded() {}
    }
}
