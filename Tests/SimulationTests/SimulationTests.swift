import Base
import Conversation
import Foundation
import Simulation
import Testing

/// Whole calls from seeds: what must hold after every input is written in `Witness`.
struct SimulationTests {
    /// The share of a test run: over a million inputs. `make simulate-long` plays many more.
    static let calls: UInt64 = 4400
    static let inputsMin = 1_000_000
    /// Calls that one core takes at a time.
    static let batch: UInt64 = 50

    @Test func everyPromiseIsKept() async {
        let totals = await withTaskGroup(of: Totals.self) { group in
            for first in stride(from: 0, to: Self.calls, by: UInt64.Stride(Self.batch)) {
                group.addTask {
                    var part = Totals()
                    for seed in first..<first + Self.batch {
                        var call = SimulatedCall(seed: seed)
                        part.add(call.run())
                    }
                    return part
                }
            }
            return await group.reduce(into: Totals()) { $0.add($1) }
        }
        for call in totals.failed {
            Issue.record("`parley simulate --seed \(call.seed) --calls 1 --ladder`: \(call.failure ?? "")")
        }
        #expect(totals.failures == 0)
        #expect(totals.endings.values.reduce(0, +) == Int(Self.calls))
        #expect(totals.inputs >= Self.inputsMin, "play more calls")
        #expect(totals.toolsAheadUsed > 0 && totals.toolsAhead > totals.toolsAheadUsed)
    }

    @Test func aSeedGivesTheSameCallAgain() {
        for seed: UInt64 in 0..<20 {
            var first = SimulatedCall(seed: seed)
            var again = SimulatedCall(seed: seed)
            #expect(first.run().effectsHash == again.run().effectsHash, "seed \(seed)")
        }
    }

    @Test func whatACheckpointHoldsIsWritten() throws {
        for seed: UInt64 in 0..<100 {
            var call = SimulatedCall(seed: seed)
            _ = call.run()
            let written = try JSONEncoder().encode(call.checkpoint)
            #expect(
                try JSONDecoder().decode(Checkpoint.self, from: written) == call.checkpoint, "seed \(seed)")
        }
    }

    @Test func seedsLeadToAllThatCanHappen() {
        var totals = Totals()
        for seed: UInt64 in 0..<400 {
            var call = SimulatedCall(seed: seed)
            totals.add(call.run())
        }
        #expect(totals.interruptions > 0)
        let endings: Set<EndReason> = [
            .agentEnded, .callerHungUp, .silence, .timeLimit, .noFunds, .agentFailed, .carrierFailed,
        ]
        #expect(endings.isSubset(of: totals.endings.keys), "only \(totals.endings)")
    }
}
