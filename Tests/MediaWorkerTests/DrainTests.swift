import Agents
import Base
import CallDispatch
import MediaWorker
import Synchronization
import Testing

/// A worker told to stop with calls on it.
@Suite(.serialized) struct DrainTests {
    private func ended(_ fact: CallFact) -> EndReason? {
        if case .ended(let reason, _, _) = fact { reason } else { nil }
    }

    @Test func aLiveCallGoesOnToItsOwnEndAndNoNewOneComes() async throws {
        let rig = try await Rig(drain: .seconds(30))
        let (_, token) = rig.plan(1, CallTests.keys)
        let (_, other) = rig.plan(2, CallTests.keys)
        let carrier = try await rig.carrier()
        carrier.start(token: token)
        _ = try await eventually { carrier.now.marks.isEmpty ? nil : true }
        let clock = ContinuousClock()
        let began = clock.now
        let stopping = Task { try await rig.stop() }
        #expect(try await eventually { rig.worker.station.live.isDraining ? true : nil } == true)
        // The control plane hears of it with the next renewal, so it sends nobody here.
        #expect(
            try await eventually {
                rig.link.state.withLock { $0.renewals.last?.isDraining == true ? true : nil }
            }
                == true)
        let late = try await rig.carrier()
        late.start(token: other)
        #expect(try await eventually { late.now.isClosed ? true : nil } == true)
        #expect(!carrier.now.isClosed)
        carrier.digit("1")
        try await stopping.value
        #expect(rig.link.facts(CallKey.sample(1).call).compactMap(ended) == [.agentEnded])
        #expect(try await eventually { carrier.now.closeCode } == 1000)
        #expect(clock.now - began < .seconds(20))
    }

    @Test func aCallThatOutlastsTheDrainIsEndedPolitely() async throws {
        let rig = try await Rig(drain: .milliseconds(500))
        let (_, token) = rig.plan(1, BadStreamTests.talk)
        let carrier = try await rig.carrier()
        carrier.start(token: token)
        _ = try await eventually { carrier.now.firstAudio }
        try await rig.stop()
        #expect(rig.link.facts(CallKey.sample(1).call).compactMap(ended) == [.requested])
        #expect(try await eventually { carrier.now.closeCode } == 1000)
        // What was being said was heard to its end.
        let line = BadStreamTests.talk.flow?.nodes[0].say ?? ""
        #expect(carrier.now.audioBytes == line.utf8.count * 160)
    }
}
