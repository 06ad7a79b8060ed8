import Base
import CallDispatch
import MediaWorker
import Testing

/// Many calls on one worker, in real time and over sockets; the carriers share the process.
@Suite(.serialized) struct LoadTests {
    static let calls = 20

    @Test func twentyCallsAtOnceAllEndWell() async throws {
        let rig = try await Rig(capacity: Self.calls)
        var carriers: [FakeCarrier] = []
        for number in 1...UInt64(Self.calls) {
            let (_, token) = rig.plan(number, CallTests.keys)
            let carrier = try await rig.carrier()
            carrier.start(token: token)
            carriers.append(carrier)
        }
        // Five seconds of a line's noise from each, while the agents ask.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for carrier in carriers { group.addTask { try await carrier.line(250, byte: 0x7F) } }
            try await group.waitForAll()
        }
        for carrier in carriers { carrier.digit("1") }
        for carrier in carriers { #expect(try await carrier.closeCode() == 1000) }
        for number in 1...UInt64(Self.calls) {
            #expect(
                rig.link.facts(CallKey.sample(number).call).compactMap(ended) == [.agentEnded],
                "call \(number)")
        }
        let playout = rig.worker.station.playout
        let lines = "Press one.".utf8.count + "Goodbye then, it was nice to talk.".utf8.count
        #expect(playout.frames >= Self.calls * lines)
        // Debug code on a shared machine: the tenth of a per cent is for the benchmark, this catches a broken pacer.
        #expect(playout.late * 10 < playout.frames, "\(playout)")
        #expect(playout.underruns * 10 < playout.frames, "\(playout)")
        try await rig.stop()
    }
}
