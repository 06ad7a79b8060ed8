import MediaWorker
import NIOCore
import Testing

@Suite struct TimelineTests {
    private func audio(_ byte: UInt8, _ count: Int) -> ByteBufferView {
        ByteBuffer(repeating: byte, count: count).readableBytesView
    }

    @Test func bothSidesStandWhereTheyWereHeard() throws {
        var timeline = StereoTimeline()
        timeline.placeLeft(audio(7, 160), endingAt: 160)
        timeline.placeRight(audio(9, 800), endingAt: 8000)
        let given1 = timeline.finish(at: 9000)
        let all = try #require(given1)
        #expect(all.left == [UInt8](repeating: 7, count: 160) + [UInt8](repeating: 0xFF, count: 8840))
        #expect(all.right.count == 9000 && all.right[7199] == 0xFF && all.right[8000] == 0xFF)
        #expect(all.right[7200..<8000].allSatisfy { $0 == 9 })
    }

    @Test func piecesThatFollowEachOtherLeaveNoHole() throws {
        var timeline = StereoTimeline()
        for frame in 1...50 {
            // A tick that jitters by up to 10 ms.
            timeline.placeRight(audio(5, 160), endingAt: frame * 160 + (frame % 3) * 40)
        }
        let given2 = timeline.finish(at: 0)
        let right = try #require(given2).right
        #expect(right == [UInt8](repeating: 5, count: 8000))
    }

    @Test func whatHasSettledIsGivenOutOnce() {
        var timeline = StereoTimeline()
        var left: [UInt8] = []
        for second in 1...10 {
            timeline.placeLeft(audio(UInt8(second), 8000), endingAt: second * 8000)
            left += timeline.settle(at: second * 8000)?.left ?? []
        }
        left += timeline.finish(at: 80_000)?.left ?? []
        #expect(left == (1...10).flatMap { [UInt8](repeating: UInt8($0), count: 8000) })
        let rest = timeline.finish(at: 80_000)
        #expect(rest?.left.isEmpty ?? true)
    }

    @Test func audioAfterItsTimeIsPutAfterWhatIsThere() throws {
        var timeline = StereoTimeline()
        let given3 = timeline.settle(at: 40_000)
        let early = try #require(given3)
        #expect(early.left.count == 40_000 - StereoTimeline.settleSamples)
        timeline.placeLeft(audio(1, 160), endingAt: 1000)
        let given4 = timeline.finish(at: 40_000)
        let rest = try #require(given4)
        #expect(
            rest.left.count == StereoTimeline.settleSamples && rest.left.prefix(160).allSatisfy { $0 == 1 })
    }

    @Test func aStreamCannotRunFarAheadOfTheClock() throws {
        var timeline = StereoTimeline()
        for _ in 0..<1000 { timeline.placeLeft(audio(1, 160), endingAt: 160) }
        let given5 = timeline.finish(at: 0)
        let all = try #require(given5)
        #expect(all.left.count <= StereoTimeline.leadSamples + 320)
    }
}
