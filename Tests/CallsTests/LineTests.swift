import Base
import Calls
import Testing

struct FarEndTests {
    private func farEnd(isOutbound: Bool = true) -> FarEnd {
        var farEnd = FarEnd(isOutbound: isOutbound)
        farEnd.connected(elapsedMs: 0, at: .zero)
        return farEnd
    }

    @Test(arguments: [
        (LineTone.busy, EndReason?.some(.busy)), (.reorder, .busy), (.faxCalling, .fax),
        (.faxAnswering, .fax),
        (.ringback, nil), (.beep, nil),
    ])
    func aToneEndsACallThatWePlacedOrDoesNot(tone: LineTone, reason: EndReason?) {
        #expect(farEnd().heard(tone, at: .milliseconds(5000)) == reason)
        #expect(farEnd(isOutbound: false).heard(tone, at: .milliseconds(5000)) == nil)
        #expect(farEnd().heard(tone, at: .milliseconds(60_000)) == nil, "a chord of music, much later")
        var spoken = farEnd()
        spoken.heardWords()
        #expect(spoken.heard(tone, at: .milliseconds(5000)) == nil, "somebody has spoken")
    }

    @Test func timeBeforeATakeoverCounts() {
        var farEnd = FarEnd(isOutbound: true)
        farEnd.connected(elapsedMs: 58_000, at: .zero)
        #expect(farEnd.heard(.busy, at: .milliseconds(1000)) == .busy)
        #expect(farEnd.heard(.busy, at: .milliseconds(2000)) == nil)
    }
}

struct KeypadTests {
    private enum Way { case heard, told }

    /// Which of these count.
    private func counted(_ steps: [(way: Way, key: String, ms: Int)]) -> [Bool] {
        var keypad = Keypad()
        return steps.map { step in
            switch step.way {
            case .heard: keypad.heard(step.key, at: .milliseconds(step.ms))
            case .told: keypad.told(step.key, at: .milliseconds(step.ms))
            }
        }
    }

    @Test func aPressThatComesBothWaysCountsOnce() {
        #expect(counted([(.heard, "5", 40), (.told, "5", 300)]) == [true, false])
        #expect(counted([(.told, "5", 0), (.heard, "5", 40), (.told, "5", 500)]) == [true, false, true])
    }

    @Test func aCarrierThatHasToldOfOneTellsOfAll() {
        #expect(
            counted([(.heard, "5", 40), (.told, "5", 300), (.heard, "6", 1040), (.told, "6", 1300)])
                == [true, false, false, true])
    }

    @Test func aCarrierThatTellsLateTellsOfEachOnce() {
        #expect(
            counted([
                (.heard, "1", 0), (.heard, "1", 200), (.heard, "1", 400), (.told, "1", 500),
                (.told, "1", 700),
                (.told, "1", 900), (.told, "1", 1100),
            ]) == [true, true, true, false, false, false, true])
    }

    @Test func aPressMuchLaterIsAnother() {
        #expect(counted([(.heard, "1", 0), (.told, "1", 2500)]) == [true, true])
    }
}
