import Base
package import NIOCore
import Synchronization

/// Speech made ahead: greetings and failure lines sound at once, and still sound when the vendor is away.
///
/// Owns: audio of prepared lines by voice and text, bounded, the least recently used given up first. Everything else
/// passes through to the synthesiser.
package final class SpeechCache: TextToSpeech {
    /// About 70 minutes of speech at 8000 bytes a second.
    package static let bytesMax = 32 << 20
    /// A longer line is not kept: 60 s.
    package static let lineBytesMax = 60 * 8_000

    /// Lines that wait to be made; more are made when they are spoken.
    package static let queueMax = 10_000

    private struct Key: Hashable {
        var voice: String
        var text: String
    }
    private struct State {
        var lines: [Key: (audio: ByteBuffer, usedAt: UInt64)] = [:]
        var bytes = 0
        var uses: UInt64 = 0
        /// Wanted or being made, so that twenty calls of one agent make its greeting once.
        var inWork: Set<Key> = []
        /// Made one after another: a line that somebody waits for is behind one of these at most.
        var queue: [(key: Key, loop: any EventLoop)] = []
        var isMaking = false
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
                guard state.lines[key] == nil, state.inWork.insert(key).inserted else { continue }
                state.queue.append((key, loop))
            }
        }
        makeNext()
    }

    /// Starts the first of the queue unless one is being made.
    private func makeNext() {
        let next = state.withLock { state -> (key: Key, loop: any EventLoop)? in
            guard !state.isMaking, !state.queue.isEmpty else { return nil }
            state.isMaking = true
            return state.queue.removeFirst()
        }
        guard let next else { return }
        next.loop.execute { self.make(next.key, on: next.loop) }
    }

    package func holds(_ text: String, voice: String) -> Bool {
        state.withLock { $0.lines[Key(voice: voice, text: text)] != nil }
    }

    package func speak(
        _ text: String, voice: String, on loop: any EventLoop,
        events: @escaping @Sendable (SynthesisEvent) -> Void
    ) -> any SynthesisStream {
        guard let audio = take(Key(voice: voice, text: text)) else {
            return synthesizer.speak(text, voice: voice, on: loop, events: events)
        }
        let stream = CachedSpeech()
        loop.execute {
            guard !stream.isCancelled else { return }
            events(.audio(audio))
            // Nothing was bought for it.
            guard !stream.isCancelled else { return }
            events(.finished(Usage(component: .tts, source: "cache", unit: .characters, quantity: 0)))
        }
        return stream
    }

    private func take(_ key: Key) -> ByteBuffer? {
        state.withLock { state in
            state.uses += 1
            state.lines[key]?.usedAt = state.uses
            return state.lines[key]?.audio
        }
    }

    private func make(_ key: Key, on loop: any EventLoop) {
        let making = Making()
        _ = synthesizer.speak(key.text, voice: key.voice, on: loop) { event in
            switch event {
            case .audio(var chunk): making.audio.writeBuffer(&chunk)
            case .finished: self.keep(making.audio, for: key)
            case .failed: self.keep(ByteBuffer(), for: key)
            }
        }
    }

    /// Empty audio: it failed.
    private func keep(_ audio: ByteBuffer, for key: Key) {
        let size = audio.readableBytes
        defer { makeNext() }
        state.withLock { state in
            state.inWork.remove(key)
            state.isMaking = false
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
}

/// Touched on the loop only.
private final class CachedSpeech: SynthesisStream, @unchecked Sendable {
    var isCancelled = false
    func cancel() { isCancelled = true }
}

/// Touched on the loop only.
private final class Making: @unchecked Sendable {
    var audio = ByteBuffer()
}
