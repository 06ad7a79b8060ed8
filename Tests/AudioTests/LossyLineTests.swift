import Base
import Testing

@testable import Audio
@testable import Telephony

struct LossyLineTests {
    /// µ-law frames of `samples` of which `loss` (0...1) never come, put right as a call's are.
    private func mended(_ samples: [Int16], loss: Double, seed: UInt64) -> [Int16] {
        var random = SeededGenerator(seed: seed)
        var order = FrameOrder<[UInt8]>()
        var concealment = MuLawConcealment()
        var heard: [UInt8] = []
        let line = MuLaw.encode(samples)
        for frame in 0..<line.count / 160 where Double.random(in: 0..<1, using: &random) >= loss {
            let place = FrameOrder<[UInt8]>.Place(
                number: nil, timestampMs: Int64(frame * 20), milliseconds: 20)
            for piece in order.take(place, Array(line[frame * 160..<(frame + 1) * 160])) {
                switch piece {
                case .frame(let audio):
                    heard += audio.withUnsafeBufferPointer { concealment.received($0) } ?? audio
                case .lost(let milliseconds): heard += concealment.lost(milliseconds * 8)
                }
            }
        }
        return MuLaw.decode(heard)
    }

    /// Blocks of 20 ms that are speech.
    private func speech(_ samples: [Int16]) -> [Bool] {
        var detector = SpeechDetector(nil)
        return stride(from: 0, to: samples.count - 159, by: 160).map { start in
            samples[start..<start + 160].withUnsafeBufferPointer { detector.hear($0) { _ in } }
            return detector.isSpeech
        }
    }

    @Test func withoutLossNotAByteIsChanged() throws {
        let line = MuLaw.decode(MuLaw.encode(try Clips.speech(rateHz: 8000)))
        #expect(mended(line, loss: 0, seed: 1) == Array(line.prefix(line.count / 160 * 160)))
    }

    /// The voice starts and stops where it does on a whole line, but for the share of blocks given.
    @Test(arguments: [(loss: 0.01, differs: 0.02), (0.1, 0.06), (0.3, 0.12)])
    func aVoiceIsFoundThroughLoss(loss: Double, differs: Double) throws {
        let line = try Clips.speech(rateHz: 8000)
        let whole = speech(line)
        for seed: UInt64 in 0..<5 {
            let heard = speech(mended(line, loss: loss, seed: seed))
            let differing = zip(whole, heard).count { $0 != $1 }
            let share = Double(differing) / Double(whole.count)
            #expect(share <= differs, "\(loss), seed \(seed): \(share)")
        }
    }

    @Test func aGapOfASecondIsQuiet() {
        var concealment = MuLawConcealment()
        let voice = MuLaw.encode(tone(200, amplitude: 8000, samples: 800))
        let mended = voice.withUnsafeBufferPointer { concealment.received($0) }
        #expect(mended == nil)
        let gap = MuLaw.decode(concealment.lost(8000))
        #expect(gap.count == 8000)
        #expect(Level(of: Array(gap[..<80])).decibels > 60 && gap[800...].allSatisfy { abs($0) <= 8 })
    }
}
