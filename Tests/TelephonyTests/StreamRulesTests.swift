import Base
import Telephony
import Testing

@Suite struct StreamRulesTests {
    private func code(_ body: () throws(MediaViolation) -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return error.code
        }
    }

    @Test func nothingComesBeforeStartAndStartComesOnce() {
        var rules = StreamRules()
        same(
            code { () throws(MediaViolation) in try rules.check("media", isOurStream: true) },
            "media_before_start")
        same(code { () throws(MediaViolation) in try rules.start() }, nil)
        same(code { () throws(MediaViolation) in try rules.check("media", isOurStream: true) }, nil)
        same(
            code { () throws(MediaViolation) in try rules.check("mark", isOurStream: false) }, "wrong_stream")
        same(code { () throws(MediaViolation) in try rules.start() }, "second_start")
        rules.stop()
        same(code { () throws(MediaViolation) in try rules.start() }, "message_after_stop")
    }

    @Test func aFloodIsStoppedAndAStallIsNot() throws {
        var steady = StreamRules()
        for frame in 0..<3000 { try steady.count(at: .milliseconds(frame * 20)) }
        // Four seconds of frames at once after a stall.
        for _ in 0..<200 { try steady.count(at: .milliseconds(64_000)) }

        var flood = StreamRules()
        var stoppedAt: Int?
        for frame in 0..<3000 where stoppedAt == nil {
            do { try flood.count(at: CallTime(nanoseconds: Int64(frame) * 1_000_000_000 / 200)) } catch {
                #expect(error.code == "flood")
                stoppedAt = frame
            }
        }
        #expect((stoppedAt ?? .max) < 200 * 8)

        // Every frame twice.
        var doubled = StreamRules()
        for frame in 0..<6000 { try doubled.count(at: .milliseconds(frame * 10)) }
    }
}

/// `#expect` cannot call what changes its subject.
private func same<Value: Equatable>(_ a: Value, _ b: Value, _ location: SourceLocation = #_sourceLocation) {
    #expect(a == b, sourceLocation: location)
}
