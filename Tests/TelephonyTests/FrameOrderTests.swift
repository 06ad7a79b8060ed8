import Base
import Testing

@testable import Telephony

/// Frames named by their number; `-40` is 40 ms that are missing.
private struct Line {
    var order = FrameOrder<Int>()
    var heard: [Int] = []

    mutating func take(_ number: Int, at ms: Int? = nil, hasNumber: Bool = true) {
        let place = FrameOrder<Int>.Place(
            number: hasNumber ? Int64(number) : nil, timestampMs: ms.map(Int64.init), milliseconds: 20)
        note(order.take(place, number))
    }

    mutating func finish() { note(order.finish()) }

    private mutating func note(_ pieces: [FrameOrder<Int>.Piece]) {
        for piece in pieces {
            switch piece {
            case .frame(let number): heard.append(number)
            case .lost(let milliseconds): heard.append(-milliseconds)
            }
        }
    }
}

struct FrameOrderTests {
    @Test func framesInOrderAreHeardAtOnce() {
        var line = Line()
        for number in 1...100 {
            line.take(number, at: (number - 1) * 20)
            #expect(line.heard.last == number && line.order.depth == 0)
        }
    }

    @Test func framesThatOvertakeEachOtherAreSetRight() {
        var line = Line()
        for number in [1, 2, 4, 3, 5, 7, 8, 6, 9] { line.take(number, at: number * 20) }
        #expect(line.heard == Array(1...9))
        #expect(line.order.counts.reordered == 2 && line.order.counts.lostMs == 0)
    }

    @Test func whatComesTwiceIsHeardOnce() {
        var line = Line()
        for number in [1, 1, 2, 4, 4, 3, 2, 5, 5] { line.take(number, at: number * 20) }
        #expect(line.heard == Array(1...5))
        #expect(line.order.counts.duplicated == 4)
    }

    @Test func aFrameIsWaitedForFor60Milliseconds() {
        var line = Line()
        for number in [1, 2, 4, 5, 6] { line.take(number, at: number * 20) }
        #expect(line.heard == [1, 2])
        line.take(7, at: 140)
        #expect(line.heard == [1, 2, -20, 4, 5, 6, 7])
        line.take(3, at: 60)
        #expect(line.heard.last == 7 && line.order.counts.late == 1)
    }

    @Test func waitingInVainIsUnlearnedAndALateFrameTeachesItAgain() {
        var line = Line()
        for number in stride(from: 1, to: 60, by: 4) {
            line.take(number, at: number * 20)
            line.take(number + 1, at: (number + 1) * 20)
            line.take(number + 2, at: (number + 2) * 20)
        }
        #expect(line.order.depth == 0 && line.heard.last == 59, "after three gaps nothing is held any more")
        line.take(56, at: 1120)
        #expect(line.order.counts.late == 1)
        line.take(61, at: 1220)
        #expect(line.order.depth == 1)
        line.take(60, at: 1200)
        #expect(line.heard.suffix(2) == [60, 61])
    }

    @Test func audioThatTheCarrierItselfMissesIsKnownFromTimestamps() {
        var line = Line()
        line.take(1, at: 5)
        line.take(2, at: 25)
        line.take(3, at: 85)
        line.take(4, at: 109)
        line.take(5, at: 10_000)
        line.take(6, at: 3)
        line.take(7)
        line.take(8, at: .max)
        #expect(line.heard == [1, 2, -40, 3, 4, -1000, 5, 6, 7, 8])
        #expect(line.order.counts.lostMs == 1040)
    }

    @Test func timestampsThatJitterAddNoAudio() {
        var line = Line()
        var random = SeededGenerator(seed: 3)
        for frame in 0..<5000 {
            line.take(frame, at: frame * 20 + Int.random(in: 0...9, using: &random))
        }
        #expect(line.heard == Array(0..<5000))
    }

    @Test func withoutTimestampsTheNumbersTell() {
        var line = Line()
        for number in [1, 2, 5, 6, 7, 8] { line.take(number) }
        #expect(line.heard == [1, 2, -40, 5, 6, 7, 8])
    }

    @Test func withoutNumbersTheTimestampsTell() {
        var line = Line()
        for (number, ms) in [(1, 0), (2, 20), (3, 20), (4, 0), (5, 60), (6, 80)] {
            line.take(number, at: ms, hasNumber: false)
        }
        #expect(line.heard == [1, 2, -20, 5, 6])
        line.take(7, hasNumber: false)
        #expect(line.heard.last == 7)
    }

    @Test func aCarrierThatDoesNotCountIsHeardAllTheSame() {
        var line = Line()
        for frame in 0..<50 { line.take(1, at: frame * 20) }
        #expect(line.heard == Array(repeating: 1, count: 50))
        line.take(.max, at: 1000)
        line.take(-3, at: 1020)
        line.take(100_000, at: 1040)
        line.take(100_001, at: 1060)
        #expect(line.heard.suffix(4) == [.max, -3, 100_000, 100_001])
    }

    @Test func theEndBringsWhatIsHeld() {
        var line = Line()
        for number in [1, 2, 5, 4] { line.take(number, at: number * 20) }
        line.finish()
        #expect(line.heard == [1, 2, -20, 4, 5])
    }

    /// Any loss, order and repetition: in order, nothing twice, no hole and no more held than is allowed.
    @Test(arguments: 0..<UInt64(200))
    func whateverComesIsHeardInOrderAndInFull(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let loss = Double(seed % 4) * 0.1
        var sent: [(number: Int, at: Int)] = []
        for number in 0..<300 where Double.random(in: 0..<1, using: &random) >= loss {
            let delay = Int.random(in: 0..<4, using: &random) == 0 ? Int.random(in: 0...8, using: &random) : 0
            sent.append((number, number + delay))
            if Int.random(in: 0..<8, using: &random) == 0 { sent.append((number, number + 5)) }
        }
        sent.sort { ($0.at, $0.number) < ($1.at, $1.number) }
        var line = Line()
        for frame in sent {
            line.take(frame.number, at: frame.number * 20)
            #expect(line.order.depth <= FrameLimits.heldMax, "seed \(seed)")
        }
        line.finish()
        let frames = line.heard.filter { $0 >= 0 }
        #expect(frames == Set(frames).sorted(), "seed \(seed)")
        let span = ((frames.last ?? 0) - (frames.first ?? 0) + 1) * 20
        let total = frames.count * 20 + line.order.counts.lostMs
        #expect(total == span, "seed \(seed)")
    }
}
