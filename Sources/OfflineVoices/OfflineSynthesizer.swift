import CVoicesShim
import Foundation
import Synchronization

/// flite: speech without a network, in US English, for tests and for trying things out.
///
/// Callbacks come from threads of its own, in order, one at a time for each speech.
package enum OfflineSynthesizer {
    /// slt (female), rms, awb (male): 16 kHz. kal: 8 kHz, robotic, fastest.
    package static let voices = ["rms", "slt", "awb", "kal"]
    /// Longer texts are cut here; a spoken reply is far shorter.
    package static let charactersMax = 4_000
    /// Sentences in the works at once; further ones wait in order.
    package static let threadsMax = 24
    /// Speeches that may wait for a thread; one more ends at once as failed.
    package static let waitingMax = 1_000
    /// Audio a speech may be ahead of another that waits, milliseconds.
    private static let slackMs = 200

    private static let pool = ThreadPool(name: "flite", limit: threadsMax)
    private static let turnstile = Turnstile(places: ProcessInfo.processInfo.activeProcessorCount)
    private static let speakers = Speakers()
    private static let inFlight = Atomic<Int>(0)

    /// Speaks `text`. Chunks of about 25 ms come as they are made; `onEnd` comes once and last: true when all was spoken,
    /// false when cancelled, the voice is unknown or too many speeches wait.
    @discardableResult
    package static func speak(
        _ text: String, voice: String,
        onAudio: @escaping @Sendable (_ samples: [Int16], _ sampleRate: Int) -> Void,
        onEnd: @escaping @Sendable (_ isComplete: Bool) -> Void
    ) -> OfflineSpeech {
        let speech = OfflineSpeech(onAudio: onAudio)
        let plain = speakable(text)
        let isAccepted = inFlight.add(1, ordering: .relaxed).newValue <= waitingMax
        pool.submit {
            let isComplete = isAccepted && run(speech, plain, voice)
            inFlight.subtract(1, ordering: .relaxed)
            onEnd(isComplete)
        }
        return speech
    }

    /// Makes instances of `voice` ahead, so that the first sentence does not wait for it.
    package static func warm(voice: String, count: Int = 2) {
        pool.submit {
            let made = (0..<count).compactMap { _ in speakers.take(voice) }
            made.forEach { speakers.put($0, voice) }
        }
    }

    private static func run(_ speech: OfflineSpeech, _ text: String, _ voice: String) -> Bool {
        guard !speech.isCancelled else { return false }
        turnstile.enter(delivered: 0)
        defer { turnstile.leave() }
        guard !speech.isCancelled, let speaker = speakers.take(voice) else { return false }
        defer { speakers.put(speaker, voice) }
        guard !text.isEmpty else { return true }
        let result = voices_speaker_speak(
            speaker.handle, text,
            { user, samples, count, rate in
                guard let user, let samples else { return 1 }
                let speech = Unmanaged<OfflineSpeech>.fromOpaque(user).takeUnretainedValue()
                let chunk = UnsafeBufferPointer(start: samples, count: Int(count))
                return speech.deliver(chunk, rate: Int(rate)) ? 0 : 1
            }, Unmanaged.passUnretained(speech).toOpaque())
        return result == 1 && !speech.isCancelled
    }

    fileprivate static func giveWay(deliveredMs: Int) {
        turnstile.giveWay(delivered: deliveredMs, slack: slackMs)
    }

    /// Printable ASCII, which is all flite reads: accents folded, other signs become spaces.
    private static func speakable(_ text: String) -> String {
        let folded = text.prefix(charactersMax).replacing("\u{2019}", with: "'")
            .folding(options: .diacriticInsensitive, locale: nil)
        let ascii = folded.utf8.map { (0x20...0x7E).contains($0) ? $0 : 0x20 }
        let plain = String(decoding: ascii, as: UTF8.self)
        return plain.contains { $0.isLetter || $0.isNumber } ? plain : ""
    }
}

/// One text being spoken.
package final class OfflineSpeech: Sendable {
    private let cancelled = Atomic<Bool>(false)
    private let delivered = Atomic<Int>(0)
    private let onAudio: @Sendable ([Int16], Int) -> Void

    fileprivate init(onAudio: @escaping @Sendable ([Int16], Int) -> Void) { self.onAudio = onAudio }

    /// Stops soon; a chunk being delivered at this moment still arrives, and `onEnd(false)` follows.
    package func cancel() { cancelled.store(true, ordering: .relaxed) }

    fileprivate var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    /// False when the synthesis must stop.
    fileprivate func deliver(_ chunk: UnsafeBufferPointer<Int16>, rate: Int) -> Bool {
        guard !isCancelled else { return false }
        onAudio(Array(chunk), rate)
        let total = delivered.add(chunk.count * 1_000 / rate, ordering: .relaxed).newValue
        OfflineSynthesizer.giveWay(deliveredMs: total)
        return !isCancelled
    }
}

/// Free instances of each voice. An instance is used by one thread at a time; there are never more than threads.
private final class Speakers: Sendable {
    struct Speaker: @unchecked Sendable { let handle: OpaquePointer }
    private let free = Mutex<[String: [Speaker]]>([:])

    func take(_ voice: String) -> Speaker? {
        free.withLock { free in
            if let speaker = free[voice]?.popLast() { return speaker }
            return voices_speaker_open(voice).map(Speaker.init)
        }
    }

    func put(_ speaker: Speaker, _ voice: String) {
        free.withLock { $0[voice, default: []].append(speaker) }
    }
}
