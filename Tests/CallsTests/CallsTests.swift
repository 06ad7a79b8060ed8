import Base
import Calls
import Testing

struct MeterTests {
    @Test func moreIsAskedForBeforeFundsRunOut() {
        var meter = Meter(fundedMs: 60_000, number: 1)
        #expect(meter.deadline == nil)
        #expect(meter.handle(.connected(elapsedMs: 0), at: .zero).isEmpty)
        #expect(meter.deadline == .milliseconds(40_000))
        #expect(meter.handle(.deadline, at: .milliseconds(40_000)) == [.extend(number: 2)])
        #expect(meter.handle(.extended(number: 2, fundedMs: 120_000), at: .milliseconds(40_100)).isEmpty)
        #expect(meter.deadline == .milliseconds(100_000))
    }

    @Test func aRefusalEndsTheCall() {
        var meter = Meter(fundedMs: 10_000, number: 0)
        #expect(meter.handle(.connected(elapsedMs: 0), at: .zero) == [.extend(number: 1)])
        #expect(meter.handle(.refused(number: 7), at: .milliseconds(10)).isEmpty)
        #expect(meter.handle(.refused(number: 1), at: .milliseconds(10)) == [.outOfFunds])
        #expect(meter.handle(.refused(number: 1), at: .milliseconds(20)).isEmpty)
        #expect(meter.deadline == nil)
    }

    @Test func withoutAnAnswerTheCallGoesOnForItsGrace() {
        var meter = Meter(fundedMs: 30_000, number: 0)
        var asked = 0
        var endedAt: Int?
        _ = meter.handle(.connected(elapsedMs: 0), at: .zero)
        while let due = meter.deadline {
            for effect in meter.handle(.deadline, at: due) {
                if case .extend(let number) = effect {
                    asked += 1
                    #expect(number == 1, "an unanswered question is repeated, not asked anew")
                } else {
                    endedAt = due.milliseconds
                }
            }
        }
        #expect(endedAt == 150_000)
        #expect(asked == 10)
    }

    @Test func timeBeforeATakeoverCounts() {
        var meter = Meter(fundedMs: 60_000, number: 1)
        _ = meter.handle(.connected(elapsedMs: 25_000), at: .zero)
        #expect(meter.deadline == .milliseconds(15_000))
    }

    @Test func absurdFundsDoNotTrap() {
        var meter = Meter(fundedMs: .max, number: 0)
        #expect(meter.handle(.connected(elapsedMs: .max), at: .zero) == [.extend(number: 1)])
        _ = meter.handle(.extended(number: 1, fundedMs: .min), at: .zero)
        #expect(meter.deadline != nil)
    }
}

struct CallMachineTests {
    @Test func aGoodbyeIsHeardToItsEnd() {
        var call = CallMachine(policy: .init(maxMs: 60_000))
        _ = call.handle(.connected(elapsedMs: 0), at: .zero)
        #expect(call.handle(.end(.agentEnded), at: .milliseconds(1000)).isEmpty)
        #expect(call.handle(.end(.noFunds), at: .milliseconds(1100)).isEmpty)
        #expect(call.handle(.allHeard, at: .milliseconds(2000)) == [.hangUp(.agentEnded)])
        #expect(call.handle(.allHeard, at: .milliseconds(2000)).isEmpty)
    }

    @Test func butNotForEver() {
        var call = CallMachine(policy: .init(maxMs: 60_000))
        _ = call.handle(.connected(elapsedMs: 0), at: .zero)
        _ = call.handle(.end(.agentEnded), at: .milliseconds(1000))
        #expect(call.deadline == .milliseconds(21_000))
        #expect(call.handle(.deadline, at: .milliseconds(21_000)) == [.hangUp(.agentEnded)])
    }

    @Test func everyCallHasALongestLength() {
        var call = CallMachine(policy: .init(maxMs: 60_000))
        _ = call.handle(.connected(elapsedMs: 50_000), at: .zero)
        #expect(call.handle(.deadline, at: .milliseconds(9999)).isEmpty)
        #expect(call.handle(.deadline, at: .milliseconds(10_000)) == [.timeIsUp])
    }

    @Test func whoeverIsGoneIsNotSaidGoodbyeTo() {
        var call = CallMachine(policy: .init(maxMs: 60_000))
        #expect(call.handle(.end(.requested), at: .zero) == [.hangUp(.requested)])
        call = CallMachine(policy: .init(maxMs: 60_000))
        _ = call.handle(.connected(elapsedMs: 0), at: .zero)
        #expect(call.handle(.gone(.callerHungUp), at: .zero) == [.hangUp(.callerHungUp)])
        #expect(call.isOver && call.deadline == nil)
    }
}
