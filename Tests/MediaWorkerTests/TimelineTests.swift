import MediaWorker
import NIOCore
import Testing

@Suite struct TimelineTests {
    private func frames(_ buffer: ByteBuffer) -> [[Int16]] {
        var buffer = buffer
        var all: [[Int16]] = []
        while let left = buffer.readInteger(endianness: .little, as: Int16.self),
            let right = buffer.readInteger(endianness: .little, as: Int16.self)
        { all.append([left, right]) }
        return all
    }

    @Test func bothSidesStandWhereTheyWereHeard() {
        var timeline = StereoTimeline()
        var pcm = ByteBuffer()
        timeline.placeLeft([Int16](repeating: 7, count: 160), endingAt: 160)
        timeline.placeRight([Int16](repeating: 9, count: 800), endingAt: 8000)
        timeline.finish(at: 9000, into: &pcm)
        let all = frames(pcm)
        #expect(all.count == 9000)
        #expect(all[0] == [7, 0] && all[159] == [7, 0] && all[160] == [0, 0])
        #expect(all[7199] == [0, 0] && all[7200] == [0, 9] && all[7999] == [0, 9] && all[8000] == [0, 0])
    }

    @Test func piecesThatFollowEachOtherLeaveNoHole() {
        var timeline = StereoTimeline()
        var pcm = ByteBuffer()
        for frame in 1...50 {
            // A tick that jitters by up to 10 ms.
            timeline.placeRight([Int16](repeating: 5, count: 160), endingAt: frame * 160 + (frame % 3) * 40)
        }
        timeline.finish(at: 0, into: &pcm)
        let right = frames(pcm).map { $0[1] }
        #expect(right.drop { $0 == 0 }.prefix(8000).allSatisfy { $0 == 5 })
        #expect(right.count { $0 == 5 } == 8000)
    }

    @Test func whatHasSettledIsGivenOutOnce() {
        var timeline = StereoTimeline()
        var pcm = ByteBuffer()
        for second in 1...10 {
            timeline.placeLeft((0..<8000).map { Int16($0 % 1000) }, endingAt: second * 8000)
            timeline.settle(at: second * 8000, into: &pcm)
        }
        timeline.finish(at: 80_000, into: &pcm)
        let left = frames(pcm).map { $0[0] }
        #expect(left == (0..<80_000).map { Int16($0 % 8000 % 1000) })
    }

    @Test func audioAfterItsTimeIsPutAfterWhatIsThere() {
        var timeline = StereoTimeline()
        var pcm = ByteBuffer()
        timeline.settle(at: 40_000, into: &pcm)
        timeline.placeLeft([Int16](repeating: 1, count: 160), endingAt: 1000)
        timeline.finish(at: 40_000, into: &pcm)
        #expect(frames(pcm).count == 40_000)
    }
}
