package import Base

/// Hears all that a call's decisions hang on: the caller's voice, keys, the tones of networks and machines. 8 kHz.
///
/// Owns: that the tones of a key are no voice. Does not own: what any of it means.
package struct LineEar: Sendable {
    package enum Event: Hashable, Sendable {
        /// `fall`: how the voice fell, where its end is told and it was long enough to tell.
        case speech(SpeechDetector.Event, fall: VoiceFall.Features?)
        /// 0...9, *, #, A...D: once for each press.
        case key(Character)
        case tone(LineTone)
    }

    /// Samples heard as one: 20 ms.
    private static let blockSamples = 160

    private var detector: SpeechDetector
    private var fall = VoiceFall()
    private var keys = DTMFDetector()
    private var tones = LineTones()

    /// `weights` nil: the voice is found by loudness alone.
    package init(_ weights: SileroVAD.Weights?) { detector = SpeechDetector(weights) }

    /// What is played to the caller, told before what is heard at that time: it may come back as an echo. Any number of samples.
    package mutating func agentSounds(_ samples: UnsafeBufferPointer<Int16>) {
        detector.agentSounds(samples)
    }

    /// As for 16-bit samples.
    package mutating func agentSounds(mulaw bytes: UnsafeBufferPointer<UInt8>) {
        withUnsafeTemporaryAllocation(of: Int16.self, capacity: bytes.count) { samples in
            MuLaw.decode(bytes, into: samples)
            agentSounds(UnsafeBufferPointer(samples))
        }
    }

    /// Takes any number of µ-law samples; `tell` is called for each event in order.
    package mutating func hear(mulaw bytes: UnsafeBufferPointer<UInt8>, tell: (Event) -> Void) {
        withUnsafeTemporaryAllocation(of: Int16.self, capacity: bytes.count) { samples in
            MuLaw.decode(bytes, into: samples)
            hear(UnsafeBufferPointer(samples), tell: tell)
        }
    }

    /// As for µ-law.
    package mutating func hear(_ samples: UnsafeBufferPointer<Int16>, tell: (Event) -> Void) {
        for start in stride(from: 0, to: samples.count, by: Self.blockSamples) {
            let block = UnsafeBufferPointer(
                rebasing: samples[start..<min(start + Self.blockSamples, samples.count)])
            keys.hear(block) { tell(.key($0)) }
            tones.hear(block) { tell(.tone($0)) }
            guard keys.isHolding else {
                listen(block, tell)
                continue
            }
            withUnsafeTemporaryAllocation(of: Int16.self, capacity: block.count) { quiet in
                quiet.initialize(repeating: 0)
                listen(UnsafeBufferPointer(quiet), tell)
            }
        }
    }

    private mutating func listen(_ block: UnsafeBufferPointer<Int16>, _ tell: (Event) -> Void) {
        fall.hear(block, floorDecibels: detector.floorDecibels)
        var events: [SpeechDetector.Event] = []
        detector.hear(block) { events.append($0) }
        for event in events {
            switch event {
            case .speechStarted(let agoMs):
                fall.speechStarted(agoMs: agoMs)
                tell(.speech(event, fall: nil))
            case .speechEnded(let agoMs): tell(.speech(event, fall: fall.speechEnded(agoMs: agoMs)))
            case .stirred, .settled, .speechFading: tell(.speech(event, fall: nil))
            }
        }
    }
}
