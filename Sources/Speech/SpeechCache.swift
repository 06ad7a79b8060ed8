import Base
package import NIOCore
import Synchronization

/// Speech made once: greetings and failure lines sound at once, and still sound when the vendor is away.
///
/// Owns: audio of prepared lines by voice and text, bounded, the least recently used given up first. A prepared line
/// that is spoken before it is there is made then, for all who speak it meanwhile. Everything else passes through to
/// the synthesiser. No call is charged for a prepared line.
package final class SpeechCache: TextToSpeech {
    /// About 70 minutes of speech at 8000 bytes a second.
    package static let bytesMax = 32 << 20
    /// A longer line is not kept: 60 s.
    package static let lineBytesMax = 60 * 8_000
    /// Lines that wait to be made; more pass through.
    package static let queueMax = 10_000

    private struct Key: Hashable {
        var voice: String
        var text: String
    }
    /// A line on its way: its audio so far, and who listens.
    private struct Making {
        var audio = ByteBuffer()
        var listeners: [Listener] = []
    }
    private struct State {
        var lines: [Key: (audio: ByteBuffer, usedAt: UInt64)] = [:]
        var bytes = 0
        var uses: UInt64 = 0
        var making: [Key: Making] = [:]
        /// Lines to be made ahead, in order, one after another: a line that somebody waits for has one of these beside
        /// it at most. What is not in `wanted` any more was made for somebody who spoke it.
        var queue: [(key: Key, loop: any EventLoop)] = []
        var wanted: Set<Key> = []
        var ahead: Key?
    }

    private let synthesizer: any TextToSpeech
    private let bytesMax: Int
    private let state = Mutex(State())

    package init(_ synthesizer: any TextToSpeech, bytesMax: Int = SpeechCache.bytesMax) {
        self.synthesizer = synthesizer
        self.bytesMax = bytesMax
    }

    /// Makes those of `lines` that are not there yet, in order. A line that fails is simply not there.
    package func prepare(_ lines: [String], voice: String, on loop: any EventLoop) {
        state.withLock { state in
            for line in lines where !line.isEmpty && state.queue.count < Self.queueMax {
                let key = Key(voice: voice, text: line)
                guard state.lines[key] == nil, state.making[key] == nil, state.wanted.insert(key).inserted
                else { continue }
                state.queue.append((key, loop))
            }
        }
        makeAhead()
    }

    package func warm(voice: String, on loop: any EventLoop) { synthesizer.warm(voice: voice, on: loop) }

    package func holds(_ text: String, voice: String) -> Bool {
        state.withLock { $0.lines[Key(voice: voice, text: text)] != nil }
    }

    package func speak(
        _ text: String, voice: String, on loop: any EventLoop,
        events: @escaping @Sendable (SynthesisEvent) -> Void
    ) -> any SynthesisStream {
        enum Found { case shared, wanted, unknown }
        let key = Key(voice: voice, text: text)
        let listener = Listener(loop: loop, events: events)
        let found = state.withLock { state -> Found in
            if let line = state.lines[key] {
                state.uses += 1
                state.lines[key]?.usedAt = state.uses
                listener.tell(.audio(line.audio))
                listener.tell(Self.finished)
                return .shared
            }
            if let audio = state.making[key]?.audio {
                if audio.readableBytes > 0 { listener.tell(.audio(audio)) }
                state.making[key]?.listeners.append(listener)
                return .shared
            }
            guard state.wanted.remove(key) != nil else { return .unknown }
            state.making[key] = Making(listeners: [listener])
            return .wanted
        }
        switch found {
        case .unknown: return synthesizer.speak(text, voice: voice, on: loop, events: events)
        case .wanted: make(key, on: loop)
        case .shared: break
        }
        return listener
    }

    /// Nothing was bought for the call.
    private static let finished = SynthesisEvent.finished(
        Usage(component: .tts, source: "cache", unit: .characters, quantity: 0))

    /// Starts the first of the queue unless one is being made.
    private func makeAhead() {
        let next = state.withLock { state -> (key: Key, loop: any EventLoop)? in
            guard state.ahead == nil else { return nil }
            while !state.queue.isEmpty {
                let next = state.queue.removeFirst()
                guard state.wanted.remove(next.key) != nil else { continue }
                state.ahead = next.key
                state.making[next.key] = Making()
                return next
            }
            return nil
        }
        guard let next else { return }
        next.loop.execute { self.make(next.key, on: next.loop) }
    }

    private func make(_ key: Key, on loop: any EventLoop) {
        _ = synthesizer.speak(key.text, voice: key.voice, on: loop) { event in
            switch event {
            case .audio(let chunk):
                self.state.withLock { state in
                    state.making[key]?.audio.writeImmutableBuffer(chunk)
                    state.making[key]?.listeners.forEach { $0.tell(event) }
                }
            // A line that is always the same needs no account of what was heard of it.
            case .words, .spent, .fellBack: break
            case .finished: self.end(key, Self.finished)
            case .failed: self.end(key, event)
            }
        }
    }

    private func end(_ key: Key, _ event: SynthesisEvent) {
        defer { makeAhead() }
        state.withLock { state in
            if state.ahead == key { state.ahead = nil }
            guard let made = state.making.removeValue(forKey: key) else { return }
            made.listeners.forEach { $0.tell(event) }
            if case .finished = event { keep(made.audio, for: key, &state) }
        }
    }

    private func keep(_ audio: ByteBuffer, for key: Key, _ state: inout State) {
        let size = audio.readableBytes
        guard size > 0, size <= min(Self.lineBytesMax, bytesMax) else { return }
        while state.bytes + size > bytesMax,
            let oldest = state.lines.min(by: { $0.value.usedAt < $1.value.usedAt })
        {
            state.bytes -= oldest.value.audio.readableBytes
            state.lines[oldest.key] = nil
        }
        state.uses += 1
        state.lines[key] = (audio, state.uses)
        state.bytes += size
    }
}

/// Who hears a shared line. `isCancelled` is touched on the loop only.
private final class Listener: SynthesisStream, @unchecked Sendable {
    private let loop: any EventLoop
    private let events: @Sendable (SynthesisEvent) -> Void
    private var isCancelled = false

    init(loop: any EventLoop, events: @escaping @Sendable (SynthesisEvent) -> Void) {
        self.loop = loop
        self.events = events
    }

    func tell(_ event: SynthesisEvent) {
        loop.execute { if !self.isCancelled { self.events(event) } }
    }

    func cancel() { isCancelled = true }
}
