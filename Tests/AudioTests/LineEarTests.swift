import Base
import Testing

@testable import Audio

struct LineEarTests {
    private func events(_ samples: [Int16]) -> [LineEar.Event] {
        var ear = LineEar(nil)
        var told: [LineEar.Event] = []
        MuLaw.encode(samples).withUnsafeBufferPointer { ear.hear(mulaw: $0) { told.append($0) } }
        return told
    }

    private func starts(_ samples: [Int16]) -> Int {
        events(samples).count { if case .speech(.speechStarted, _) = $0 { true } else { false } }
    }

    private func key(ms: Int) -> [Int16] {
        mixed(tone(770, amplitude: 6000, samples: ms * 8), tone(1336, amplitude: 6000, samples: ms * 8))
    }

    @Test func aKeyIsNoVoice() {
        for ms in [60, 200, 3000] {
            let line = silence(ms: 1000) + key(ms: ms) + silence(ms: 500)
            #expect(events(line).contains(.key("5")) && starts(line) == 0, "\(ms) ms")
        }
    }

    @Test func aVoiceAfterAKeyIsHeard() throws {
        let line = silence(ms: 1000) + key(ms: 200) + silence(ms: 100) + (try SpeechDetectorTests.sentence())
        #expect(events(line).first { $0 == .key("5") } != nil && starts(line) > 0)
    }

    @Test func tonesAreTold() {
        let busy = (0..<4).flatMap { _ in
            mixed(tone(480, amplitude: 4000, samples: 4000), tone(620, amplitude: 4000, samples: 4000))
                + silence(ms: 500)
        }
        #expect(events(busy).contains(.tone(.busy)))
    }

    @Test func aConstantChangesNothing() throws {
        let voice = silence(ms: 1000) + (try SpeechDetectorTests.sentence())
        let keys = silence(ms: 200) + key(ms: 100) + silence(ms: 200)
        for line in [voice, keys] {
            let shifted = line.map { Int16(clamping: Int($0) + 3000) }
            let plain = events(line).filter { $0.isFirm }
            #expect(events(shifted).filter { $0.isFirm }.count == plain.count)
        }
    }

    @Test func aClippedVoiceIsHeard() throws {
        let line =
            silence(ms: 1000) + (try SpeechDetectorTests.sentence()).map { Int16(clamping: Int($0) * 30) }
        #expect(starts(line) > 0)
    }

    @Test func silenceForEverIsNothing() { #expect(events(silence(ms: 120_000)).isEmpty) }
}

extension LineEar.Event {
    /// More than a hint.
    fileprivate var isFirm: Bool {
        self != .speech(.stirred, fall: nil) && self != .speech(.settled, fall: nil)
    }
}
