import Base
import Conversation
import Foundation
import Review
import Testing

@Suite struct WhatIfTests {
    /// "my router" … 500 ms … "is broken again", then an answer to the second question.
    private func hesitating() throws -> RecordedCall {
        var tape = try Tape(desk)
        tape.caller(2000, "my router is", lasting: 700)
        tape.caller(3200, "is broken again", lasting: 900)
        tape.caller(9500, "since yesterday evening", lasting: 1000)
        tape.run(until: 20_000)
        return tape.call
    }

    private func changes(_ json: JSON) throws -> PolicyChanges { try PolicyChanges(json) }

    @Test func theSamePolicyChangesNothing() throws {
        let result = WhatIf(try hesitating(), try changes(["endpointing_ms": 420]))
        #expect(result.rows.map(\.turn) == [1, 2])
        #expect(result.rows.allSatisfy { $0.recorded == $0.other && $0.shiftMs == 0 })
        #expect(result.totals.earlier == 0 && result.totals.later == 0 && result.totals.meanShiftMs == 0)
    }

    @Test func aLongerWaitEndsEveryTurnLater() throws {
        let result = WhatIf(try hesitating(), try changes(["endpointing_ms": 1400]))
        #expect(result.totals.later == 2)
        #expect(result.rows.allSatisfy { ($0.shiftMs ?? 0) > 0 }, "\(result.rows)")
    }

    @Test func aWaitShorterThanThePauseCutsThatTurnAlone() throws {
        let result = WhatIf(
            try hesitating(), try changes(["endpointing": ["open_ms": 250, "most_ms": 250, "least_ms": 100]]))
        guard case .cut(let at) = result.rows[0].other.end else {
            Issue.record("not cut: \(result.rows[0])")
            return
        }
        // The first part ends at 2700; the second begins at 3200.
        #expect((2700...3200).contains(at.milliseconds))
        #expect(result.rows[0].shiftMs == nil, "a cut is not an earlier end")
        #expect((result.rows[1].shiftMs ?? 0) < 0)
        #expect(result.totals.cut.recorded == 0 && result.totals.cut.other == 1)
        #expect(result.totals.earlier == 1)
    }

    @Test func aTurnThatIsStillOpenWhenTheCallerSpeaksNextIsJoined() throws {
        var tape = try Tape(desk)
        tape.caller(2000, "it does not work.", lasting: 900)
        // Over the agent's second question.
        tape.caller(4800, "since yesterday evening", lasting: 1200)
        tape.run(until: 15_000)
        let result = WhatIf(
            tape.call,
            try changes(["endpointing_ms": 3000, "endpointing": ["least_ms": 3000, "most_ms": 3000]]))
        #expect(result.rows.first?.other.end == .joined)
        #expect(result.totals.joined.other == 1)
    }

    @Test func aCoughThatOnlyTheOtherPolicyStopsForIsAFalseStop() throws {
        var tape = try Tape(desk)
        tape.caller(2000, "it does not work at all", lasting: 900)
        // A cough of 160 ms while the agent asks.
        tape.at(5060, .speechStarted(agoMs: 60))
        tape.at(5220, .speechEnded(agoMs: 60))
        tape.caller(8500, "since yesterday evening", lasting: 1000)
        tape.run(until: 18_000)
        let calm = try changes(["barge_in": ["pause_ms": 400]])
        let eager = try changes(["barge_in": ["pause_ms": 40]])
        #expect(WhatIf(tape.call, calm).totals.falseStops.other == 0)
        #expect(WhatIf(tape.call, eager).totals.falseStops.other == 1)
    }

    @Test(
        arguments: [
            (["endpointing": 500], "endpointing: expected an object"),
            (["endpointing_ms": 100], "endpointing_ms: expected a whole number, 200 to 3000"),
            (["endpointing_ms": "500"], "endpointing_ms: expected a whole number, 200 to 3000"),
            (
                ["acknowledgement_phrases": [false]],
                "acknowledgement_phrases: expected phrases; put words like \"no\" in quotes"
            ),
            ([:], "expected an object of turn settings"), ([1], "expected an object of turn settings"),
        ] as [(JSON, String)])
    func aFileThatSaysNothingUsefulIsRefused(json: JSON, wanted: String) {
        #expect {
            try PolicyChanges(json)
        } throws: {
            "\($0)" == wanted
        }
    }

    @Test func aCallLedByTwoWorkersIsComparedLegByLeg() throws {
        let one = try hesitating()
        let result = WhatIf(RecordedCall(legs: one.legs + one.legs), try changes(["endpointing_ms": 1400]))
        #expect(result.rows.map(\.turn) == [1, 2, 3, 4])
        #expect(result.totals.later == 4)
    }

    @Test func aCallThatThisVersionLeadsAlikeDoesNotDrift() throws {
        var leg = try #require(hesitating().legs.first)
        #expect(leg.driftsAt == nil)
        // An utterance nobody asked for.
        leg.entries.append(
            .init(at: .milliseconds(21_000), input: .heard(.init(99), milliseconds: 100, isFinished: false)))
        #expect(leg.driftsAt == .milliseconds(21_000))
    }

    /// The first question's answer is guessed at while its silence is waited out, and its line sounds ahead.
    @Test func aLineThatWasPreparedIsNotTakenForAnotherVersions() throws {
        var tape = try Tape(desk)
        tape.caller(2000, "my router is broken.", lasting: 900, wordsAfter: -140)
        tape.at(2940, .speechFading(agoMs: 40))
        tape.run(until: 12_000)
        let leg = tape.call.legs[0]
        var machine = leg.start.conversation
        var prepared: Int?
        var told: [Int] = []
        var spoken: [Int] = []
        for entry in leg.entries {
            if case .synthesised(let id, _, _) = entry.input { told.append(id.number) }
            for effect in machine.handle(entry.input, at: entry.at) {
                if case .prepare(let id, _) = effect { prepared = id.number }
                if case .speak(let id, _) = effect {
                    if id.number == prepared { #expect(told.contains(id.number)) }
                    spoken.append(id.number)
                }
            }
        }
        let number = try #require(prepared, "nothing was prepared")
        try #require(spoken.contains(number))
        #expect(leg.driftsAt == nil)
        // One that nobody asked for, and that could not be made.
        var other = leg
        other.entries.append(
            .init(at: .milliseconds(13_000), input: .synthesisFailed(.init(99), code: "tts.gone")))
        #expect(other.driftsAt == .milliseconds(13_000))
    }

    @Test func anUnknownMemberIsNamedWithThoseThatAreKnown() {
        #expect {
            try PolicyChanges(["barge_in": ["pause": 1]])
        } throws: {
            "\($0)".hasPrefix("barge_in.pause: unknown; known: false_pause_ms,")
                && "\($0)".contains("pause_ms")
        }
    }
}
