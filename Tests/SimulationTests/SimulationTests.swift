import Base
import Conversation
import Foundation
import Simulation
import Testing

/// Whole calls from seeds: what must hold after every input is written in `Witness`.
struct SimulationTests {
    /// The share of a test run; `make simulate-long` plays many more.
    static let batches: UInt64 = 20
    static let callsPerBatch: UInt64 = 50

    @Test(arguments: 0..<batches)
    func everyPromiseIsKept(batch: UInt64) {
        for seed in batch * Self.callsPerBatch..<(batch + 1) * Self.callsPerBatch {
            var call = SimulatedCall(seed: seed)
            let outcome = call.run()
            #expect(outcome.failure == nil, "`parley simulate --seed \(seed) --calls 1 --ladder` shows it")
            #expect(outcome.ending != nil, "seed \(seed)")
        }
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
        for seed: UInt64 in 0..<200 {
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
