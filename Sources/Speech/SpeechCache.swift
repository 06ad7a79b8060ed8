import Base
package import NIOCore
import Synchronization

/// Speech made once: greetings and failure lines sound at once, and still sound when the vendor is away.
///
/// Owns: audio of prepared lines by voice and text, bounded, the least recently used given up first. A prepared line
/// that is spoken before it is there is made then, for all who speak it meanwhile. A line that another worker has made
/// is taken from the store. Everything else passes through to the synthesiser. No call is charged for a prepared line.
package final class SpeechCache: TextToSpeech {
    /// About 70 minutes of speech at 8000 bytes a second.
    package static let bytesMax = 32 << 20
    /// A longer line is not kept: 60 s.
    package static let lineBytesMax = 60 * 8_000
    /// Lines that wait to be made; more pass through.
    package static let queueMax = 10_000
    /// A store that has not answered by then is not waited for.
    package static let storeMax: Duration = .milliseconds(100)

    private struct Key: Hashable {
        var voice: String
        var text: String
    }
    /// A line on its way: its audio so far, and who listens.
    private struct Making {
        var audio = ByteBuffer()
        var listeners: [Listener] = []
        /// The store has been asked and has not answered.
        var isSought = false
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
    private let shared: Shared?
    private let state = Mutex(State())

    /// `id`: what the sound of a line depends on beside voice and text.
    package struct Shared: Sendable {
        package var store: any LineStore
        package var id: [String]
        package init(store: any LineStore, id: [String]) {
            self.store = store
            self.id = id
        }
    }

    package init(
        _ synthesizer: any TextToSpeech, bytesMax: Int = SpeechCache.bytesMax, shared: Shared? = nil
    ) {
        self.synthesizer = synthesizer
        self.bytesMax = bytesMax
        self.shared = shared
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

    /// Who speaks a prepared line.
    package static let source = "cache"
    /// Nothing was bought for the call.
    private static let finished = SynthesisEvent.finished(
        Usage(component: .tts, source: source, unit: .characters, quantity: 0))

    /// Starts the first of the queue unless one is being made.
    private func makeAhead() {
        let next = state.withLock { state -> (key: Key, loop: any EventLoop)? in
            guard state.ahead == nil else { return nil }
            while !state.queue.isEmpty {
                let next = state.queue.removeFirst()
                guard state.wanted.remove(next.key) != nil else { continue }
                state.ahead = next.key
                state.making[next.key] = Making(isSought: shared != nil)
                return next
            }
            return nil
        }
        guard let next else { return }
        guard let shared else { return next.loop.execute { self.make(next.key, on: next.loop) } }
        next.loop.scheduleTask(in: TimeAmount(Self.storeMax)) { self.sought(next.key, nil, on: next.loop) }
        Task {
            let audio = try? await shared.store.loadLine(shared.id(next.key.voice, next.key.text))
            next.loop.execute { self.sought(next.key, audio, on: next.loop) }
        }
    }

    /// The store has answered, or has taken too long; the first of both counts.
    private func sought(_ key: Key, _ audio: [UInt8]?, on loop: any EventLoop) {
        let isDue = state.withLock { state in
            guard state.making[key]?.isSought == true else { return false }
            state.making[key]?.isSought = false
            return true
        }
        guard isDue else { return }
        guard let audio, !audio.isEmpty, audio.count <= Self.lineBytesMax else { return make(key, on: loop) }
        took(.audio(ByteBuffer(bytes: audio)), of: key)
        end(key, Self.finished)
    }

    private func make(_ key: Key, on loop: any EventLoop) {
        _ = synthesizer.speak(key.text, voice: key.voice, on: loop) { event in
            switch event {
            case .audio: self.took(event, of: key)
            // A line that is always the same needs no account of what was heard of it.
            case .words, .spent, .fellBack: break
            case .finished:
                self.share(key)
                self.end(key, Self.finished)
            case .failed: self.end(key, event)
            }
        }
    }

    private func took(_ event: SynthesisEvent, of key: Key) {
        guard case .audio(let chunk) = event else { return }
        state.withLock { state in
            state.making[key]?.audio.writeImmutableBuffer(chunk)
            state.making[key]?.listeners.forEach { $0.tell(event) }
        }
    }

    /// Other workers need not make it again.
    private func share(_ key: Key) {
        guard let shared, let audio = state.withLock({ $0.making[key]?.audio }), audio.readableBytes > 0,
            audio.readableBytes <= Self.lineBytesMax
        else { return }
        Task {
            // Whoever misses it makes it.
            try? await shared.store.saveLine(
                shared.id(key.voice, key.text), audio: Array(audio.readableBytesView))
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

extension SpeechCache.Shared {
    fileprivate func id(_ voice: String, _ text: String) -> [String] { id + [voice, text] }
}

/// Who hears a shared line. `isCancelled` is touched on the loop only.
private final class Listener: SynthesisStream, @unchecked Sendable {
    private let loop: any EventLoop
    private let events: @Sendable (SynthesisEvent) -> Void
    private var isCancelled = false
    let speaker: ModelChoice? = ModelChoice(vendor: SpeechCache.source, model: "")

    init(loop: any EventLoop, events: @escaping @Sendable (SynthesisEvent) -> Void) {
        self.loop = loop
        self.events = events
    }

    func tell(_ event: SynthesisEvent) {
        loop.execute { if !self.isCancelled { self.events(event) } }
    }

    func cancel() { isCancelled = true }
}
