import Base
import CallDispatch
import Foundation
import MediaWorker
import NIOCore
import Testing

/// Many calls on one worker, in real time and over sockets; the carriers share the process.
@Suite(.serialized) struct LoadTests {
    static let calls = 20

    private func ended(_ fact: CallFact) -> EndReason? {
        if case .ended(let reason, _, _) = fact { reason } else { nil }
    }

    @Test func twentyCallsAtOnceAllEndWell() async throws {
        let rig = try await Rig(capacity: Self.calls)
        var carriers: [FakeCarrier] = []
        for number in 1...UInt64(Self.calls) {
            let (_, token) = rig.plan(number, CallTests.keys)
            let carrier = try await rig.carrier()
            carrier.start(token: token)
            carriers.append(carrier)
        }
        let all = carriers
        // Five seconds of a line's noise from each, at the carrier's pace, while the agents ask.
        let payload = Data(repeating: 0x7F, count: 160).base64EncodedString()
        let clock = ContinuousClock()
        let began = clock.now
        for frame in 0..<250 {
            for carrier in all { carrier.media(1, payload: payload, from: frame * 20) }
            try await clock.sleep(until: began + .milliseconds(20 * (frame + 1)))
        }
        for carrier in all { carrier.digit("1") }
        let closed = try await eventually(within: .seconds(30)) {
            all.allSatisfy { $0.now.isClosed } ? true : nil
        }
        #expect(closed == true)
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
