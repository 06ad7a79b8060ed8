import Testing

@testable import VendorSim

struct PlayoutTests {
    private let frame = [UInt8](repeating: 0x10, count: MuLaw.frameBytes)

    @Test func marksComeWhenTheAudioBeforeThemHasBeenPlayed() {
        var playout = Playout()
        playout.append(frame + frame)
        #expect(playout.append(.named("a")) == false)
        playout.append(frame)
        #expect(playout.append(.named("b")) == false)
        #expect(playout.tick().marks == [])
        #expect(playout.tick().marks == [.named("a")])
        #expect(playout.tick().marks == [.named("b")])
        #expect(playout.tick().frame == nil)
        #expect(playout.gaps == [])
    }

    @Test func aMarkBehindNothingComesAtOnce() {
        var playout = Playout()
        #expect(playout.append(.named("a")) == true)
    }

    @Test func clearThrowsAudioAwayAndReturnsEveryMark() {
        var playout = Playout()
        playout.append(frame + frame + frame)
        _ = playout.append(.named("a"))
        _ = playout.append(.named("b"))
        _ = playout.tick()
        #expect(playout.clear() == [.named("a"), .named("b")])
        #expect(playout.tick().frame == nil)
        playout.append(frame)
        #expect(playout.tick().frame == frame)
        #expect(playout.gaps == [])
    }

    @Test func aHoleInsideSpeechIsAGapAndAPauseBehindAMarkIsNone() {
        var playout = Playout()
        playout.append(frame)
        _ = playout.tick()
        for _ in 0..<3 { _ = playout.tick() }
        playout.append(frame)
        _ = playout.append(.named("end"))
        _ = playout.tick()
        #expect(playout.gaps == [.init(tick: 1, ticks: 3)])
        for _ in 0..<3 { _ = playout.tick() }
        playout.append(frame)
        _ = playout.tick()
        #expect(playout.gaps.count == 1)
    }

    @Test func aMarkThatComesLateStillEndsTheUtterance() {
        var playout = Playout()
        playout.append(frame)
        _ = playout.tick()
        _ = playout.tick()
        #expect(playout.append(.named("end")) == true)
        playout.append(frame)
        _ = playout.tick()
        #expect(playout.gaps == [])
    }

    @Test func aLongSilenceIsNoGap() {
        var playout = Playout()
        playout.append(frame)
        for _ in 0..<100 { _ = playout.tick() }
        playout.append(frame)
        _ = playout.tick()
        #expect(playout.gaps == [])
    }

    @Test func halfAFrameIsFilledUpWithSilence() {
        var playout = Playout()
        playout.append(frame[0..<80])
        let played = playout.tick().frame
        #expect(played?.count == MuLaw.frameBytes)
        #expect(played?[79] == 0x10)
        #expect(played?[80] == MuLaw.silence)
    }

    @Test func aFlooderIsCutOff() {
        var playout = Playout()
        let second = [UInt8](repeating: 0, count: 8000)
        for _ in 0..<700 { playout.append(second) }
        #expect(playout.waitingBytes == Playout.bufferBytesMax)
        #expect(playout.bytesDropped == 100 * 8000)
    }
}
