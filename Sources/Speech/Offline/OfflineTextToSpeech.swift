import Audio
import Base
package import NIOCore
import OfflineVoices

/// flite as a synthesiser: no network, US English, voices `slt`, `rms`, `awb`, `kal`.
package struct OfflineTextToSpeech: TextToSpeech {
    package static let source = Usage.offline

    package init() {
        for voice in OfflineSynthesizer.voices { OfflineSynthesizer.warm(voice: voice) }
    }

    package func speak(
        _ text: String, voice: String, on loop: any EventLoop,
        events: @escaping @Sendable (SynthesisEvent) -> Void
    ) -> any SynthesisStream {
        let stream = OfflineSpeaking(loop: loop, events: events)
        stream.start(text, voice: voice)
        return stream
    }
}

/// One text being spoken. `isOver` belongs to the loop; the line side of the audio belongs to flite's thread.
final class OfflineSpeaking: SynthesisStream, @unchecked Sendable {
    private let loop: any EventLoop
    private let events: @Sendable (SynthesisEvent) -> Void
    private var speech: OfflineSpeech?
    private var isOver = false

    init(loop: any EventLoop, events: @escaping @Sendable (SynthesisEvent) -> Void) {
        self.loop = loop
        self.events = events
    }

    func start(_ text: String, voice: String) {
        guard OfflineSynthesizer.voices.contains(voice) else {
            let fault = Fault(code: "tts.voice", retry: .never, cause: "no such offline voice")
            loop.execute { self.finish(.failed(fault)) }
            return
        }
        let line = LineAudio()
        speech = OfflineSynthesizer.speak(text, voice: voice) { samples, rate in
            if let audio = line.add(samples, rate: rate) { self.deliver(audio) }
        } onEnd: { isComplete in
            if isComplete, let rest = line.finish() { self.deliver(rest) }
            let usage = Usage(
                component: .tts, source: OfflineTextToSpeech.source, unit: .characters,
                quantity: Int64(text.count))
            let fault = Fault(
                code: "tts.offline", retry: .after(.zero), cause: "flite stopped before the end")
            self.loop.execute { self.finish(isComplete ? .finished(usage) : .failed(fault)) }
        }
    }

    func cancel() {
        isOver = true
        speech?.cancel()
    }

    private func deliver(_ audio: [UInt8]) {
        loop.execute {
            if !self.isOver { self.events(.audio(ByteBuffer(bytes: audio))) }
        }
    }

    private func finish(_ event: SynthesisEvent) {
        guard !isOver else { return }
        isOver = true
        events(event)
    }
}

/// Turns flite's chunks into µ-law for the line: the first at once, later ones in pieces worth a hop to the loop.
///
/// flite begins each text with 100 to 330 ms of silence, which the caller would wait for: it is left out.
private final class LineAudio: @unchecked Sendable {
    /// 100 ms.
    private static let pieceBytes = 800
    /// Below this a sample is silence, 0...32768: soft consonants begin higher.
    private static let silentMax = 100
    /// Kept of the silence in front of the first sound: 20 ms.
    private static let leadBytes = 160

    private var resampler: Resampler?
    private var waiting: [UInt8] = []
    private var isFirst = true
    private var isSounding = false

    func add(_ samples: [Int16], rate: Int) -> [UInt8]? {
        if resampler == nil { resampler = Resampler(from: rate, to: 8_000) }
        take(resampler?.process(samples) ?? [])
        guard isSounding, isFirst || waiting.count >= Self.pieceBytes else { return nil }
        return give()
    }

    func finish() -> [UInt8]? {
        take(resampler?.finish() ?? [])
        return give()
    }

    private func take(_ samples: [Int16]) {
        let sound = isSounding ? 0 : samples.firstIndex { $0.magnitude > Self.silentMax }
        waiting += MuLaw.encode(samples)
        guard !isSounding else { return }
        let silent = waiting.count - samples.count + (sound ?? samples.count)
        waiting.removeFirst(max(0, silent - Self.leadBytes))
        isSounding = sound != nil
    }

    private func give() -> [UInt8]? {
        guard !waiting.isEmpty else { return nil }
        isFirst = false
        defer { waiting = [] }
        return waiting
    }
}
