import Agents
import Base
import CallDispatch
import MediaWorker
import TestKit
import Testing

/// A worker told to stop with calls on it.
@Suite(.serialized) struct DrainTests {
    @Test func aLiveCallGoesOnToItsOwnEndAndNoNewOneComes() async throws {
        let rig = try await Rig(drain: .seconds(30))
        let (_, token) = rig.plan(1, CallTests.keys)
        let (_, other) = rig.plan(2, CallTests.keys)
        let carrier = try await rig.carrier()
        carrier.start(token: token)
        try await carrier.seen.until { !$0.marks.isEmpty }
        let clock = ContinuousClock()
        let began = clock.now
        let stopping = Task { try await rig.stop() }
        // The control plane hears of it with the next renewal, so it sends nobody here.
        try await rig.link.state.until { $0.renewals.last?.isDraining == true }
        let late = try await rig.carrier()
        late.start(token: other)
        _ = try await late.closeCode()
        #expect(!carrier.now.isClosed)
        carrier.digit("1")
        try await stopping.value
        #expect(rig.link.facts(CallKey.sample(1).call).compactMap(ended) == [.agentEnded])
        #expect(try await carrier.closeCode() == 1000)
        #expect(clock.now - began < .seconds(20))
    }

    @Test func aCallThatOutlastsTheDrainIsEndedPolitely() async throws {
        let rig = try await Rig(drain: .milliseconds(500))
        let (_, token) = rig.plan(1, BadStreamTests.talk)
        let carrier = try await rig.carrier()
        carrier.start(token: token)
        _ = try await carrier.seen.first(\.firstAudio)
        try await rig.stop()
        #expect(rig.link.facts(CallKey.sample(1).call).compactMap(ended) == [.requested])
        #expect(try await carrier.closeCode() == 1000)
        // What was being said was heard to its end.
        let line = BadStreamTests.talk.flow?.nodes[0].say ?? ""
        #expect(carrier.now.audioBytes == line.utf8.count * 160)
    }
}
