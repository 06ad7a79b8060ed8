import Agents
import Base
import CallDispatch
import Conversation
import Crypto
import Foundation
import MediaWorker
import NIOCore
import TestKit
import Testing

/// Whole calls over real sockets: a flow that listens to keys, a carrier in memory, a control plane in memory.
@Suite(.serialized) struct CallTests {
    /// Asks for a key; 1 ends politely, anything else asks again.
    static let keys: AgentDefinition = {
        var definition = AgentDefinition()
        var ask = Node(id: "ask")
        ask.say = "Press one."
        ask.expect = .digits(min: 1, max: 1)
        ask.edges = [Edge(when: .digits("1"), to: "bye")]
        var bye = Node(id: "bye")
        bye.say = "Goodbye then, it was nice to talk."
        bye.end = true
        definition.flow = Flow(start: "ask", nodes: [ask, bye])
        return definition
    }()

    @Test func aCallIsSpokenToItsEndAndToldInOrder() async throws {
        let rig = try await Rig()
        let (plan, token) = rig.plan(1, Self.keys)
        let carrier = try await rig.carrier()
        let began = NIODeadline.now()
        carrier.start(token: token)
        let first = try await carrier.seen.first(\.firstAudio)
        #expect(first - began < .milliseconds(300))
        carrier.media(50)
        // The question, then its mark.
        try await carrier.seen.until { !$0.marks.isEmpty }
        carrier.digit("1")
        #expect(try await rig.fact(1, ended) == .agentEnded)
        #expect(try await carrier.closeCode() == 1000)

        // Everything said was heard: 160 bytes a character of the two lines.
        let lines = "Press one.".utf8.count + "Goodbye then, it was nice to talk.".utf8.count
        #expect(carrier.now.audioBytes == lines * 160)
        let reports = rig.link.reports
        #expect(reports.map(\.sequence) == Array(1...reports.count))
        let facts = reports.map(\.fact)
        guard case .mediaStarted = facts.first else {
            Issue.record("the first fact is \(String(describing: facts.first))")
            return
        }
        #expect(facts.last.flatMap(ended) == .agentEnded)
        let turns = facts.compactMap { if case .turn(let turn) = $0 { turn } else { nil } }
        #expect(turns.map(\.speaker).contains("agent"))
        let artifacts = facts.compactMap {
            if case .artifact(let kind, let path, _, _) = $0 { (kind, path) } else { nil }
        }
        #expect(artifacts.map(\.0) == [.recording, .journal])
        try check(rig, plan, artifacts.map(\.1))
        guard case .ended(_, let connectedMs, let usage)? = facts.last else { return }
        #expect(connectedMs > 800 && connectedMs < 5000)
        #expect(usage.first { $0.component == .stt }?.quantity == 1000)
        #expect(usage.first { $0.component == .tts }?.quantity == Int64(lines))
        #expect(rig.worker.station.live.used == 0)
        try await rig.stop()
    }

    private func check(_ rig: Rig, _ plan: Plan, _ paths: [String]) throws {
        let root = rig.directory.path + "/recordings/"
        let recording = try #require(FileManager.default.contents(atPath: root + paths[0]))
        #expect(paths[0] == "\(plan.tenant)/\(plan.call).1.wav")
        let size = recording[40..<44].reversed().reduce(0) { $0 << 8 | Int($1) }
        #expect(size == recording.count - 44)
        // The agent is on the right, tone 0x20 of µ-law; the caller's silence is on the left.
        func sample(_ at: Int) -> Int16 {
            Int16(bitPattern: UInt16(recording[at]) | UInt16(recording[at + 1]) << 8)
        }
        let places = stride(from: 44, to: recording.count - 3, by: 4)
        let samples: [(Int16, Int16)] = places.map { (sample($0), sample($0 + 2)) }
        let spoken = samples.count { $0.1 != 0 }
        let expected = ("Press one.".utf8.count + "Goodbye then, it was nice to talk.".utf8.count) * 160
        #expect(spoken == expected)
        #expect(samples.allSatisfy { $0.0 == 0 })

        let journal = try #require(FileManager.default.contents(atPath: root + paths[1]))
        let mode =
            try FileManager.default.attributesOfItem(atPath: root + paths[1])[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let lines = journal.split(separator: 0x0A)
        let header = try JSONDecoder().decode(JournalLine.Header.self, from: Data(lines[0]))
        #expect(header.call == plan.call)
        var replay = Conversation(
            definition: header.definition, variables: header.variables, call: header.call.description,
            fundedMs: header.fundedMs, holdNumber: header.holdNumber, resuming: header.checkpoint)
        var last: Dialogue.Effect?
        for line in lines.dropFirst() {
            let entry = try JSONDecoder().decode(JournalLine.Entry.self, from: Data(line))
            last = replay.handle(entry.input, at: entry.t).last ?? last
        }
        #expect(last == .hangUp(.agentEnded))
    }

    /// The files as a killed process would leave them: looked at while it still writes.
    @Test func filesAreKnownAndWholeBeforeTheCallEnds() async throws {
        let rig = try await Rig()
        let (_, token) = rig.plan(1, BadStreamTests.talk)
        let carrier = try await rig.carrier()
        carrier.start(token: token)
        let paths = try await rig.link.state.first { state -> [ArtifactKind: String]? in
            let files = state.reports.compactMap {
                if case .artifactStarted(let kind, let path) = $0.fact { (kind, path) } else { nil }
            }
            return files.count == 2 ? Dictionary(files) { first, _ in first } : nil
        }
        let root = rig.directory.path + "/recordings/"
        let recording = try #require(paths[.recording])
        var lengths: [Int] = []
        for step in 0..<40 {
            try await carrier.line(3, byte: 0xFF, from: step * 60)
            guard let file = FileManager.default.contents(atPath: root + recording), file.count >= 44 else {
                continue
            }
            let size = file[40..<44].reversed().reduce(0) { $0 << 8 | Int($1) }
            #expect(Array(file[36..<40]) == Array("data".utf8) && size <= file.count - 44 && size % 4 == 0)
            lengths.append(size)
        }
        // Of more than two seconds no more than one is missing: 32,000 bytes a second.
        #expect(lengths.last ?? 0 >= 40_000 && Set(lengths).count >= 3, "\(lengths)")
        let journal = try #require(FileManager.default.contents(atPath: root + (paths[.journal] ?? "")))
        #expect(journal.split(separator: 0x0A).count > 1)
        carrier.stop()
        _ = try await rig.fact(1, ended)
        try await rig.stop()
    }

    @Test func aCallerWhoHangsUpEndsTheCall() async throws {
        let rig = try await Rig()
        let (_, token) = rig.plan(1, Self.keys)
        let carrier = try await rig.carrier()
        carrier.start(token: token)
        _ = try await carrier.seen.first(\.firstAudio)
        carrier.stop()
        #expect(try await rig.fact(1, ended) == .callerHungUp)
        _ = try await carrier.closeCode()
        try await rig.link.state.until { $0.renewals.last?.live.isEmpty == true }
        #expect(rig.worker.station.live.used == 0)
        try await rig.stop()
    }

    @Test func aLostSocketEndsNothingAndTheNextStreamResumes() async throws {
        let rig = try await Rig()
        let (_, token) = rig.plan(1, Self.keys)
        let carrier = try await rig.carrier()
        carrier.start(token: token)
        try await carrier.seen.until { !$0.marks.isEmpty }
        carrier.cut()
        #expect(try await rig.fact(1) { if case .event("media_lost", _) = $0 { true } else { nil } })
        #expect(rig.link.facts(CallKey.sample(1).call).compactMap(ended).isEmpty)
        // The claim has moved: the carrier comes back under a new epoch, here to the same worker.
        let (_, again) = rig.plan(1, Self.keys, epoch: 2) {
            $0.isResumed = true
            $0.elapsedMs = 1500
        }
        let next = try await rig.carrier()
        next.start(token: again)
        _ = try await next.seen.first(\.firstAudio)
        #expect(rig.worker.station.live.used == 1)
        // Keys count once the line about the gap has been heard.
        _ = try await rig.fact(1) { if case .turn(let turn) = $0, turn.number == 2 { true } else { nil } }
        next.digit("1")
        #expect(try await rig.fact(1, ended) == .agentEnded)
        let second = rig.link.reports.filter { $0.epoch == 2 }
        #expect(second.map(\.sequence) == Array(1...second.count))
        try await rig.stop()
    }

    @Test func theLeaseAnswerEndsAndRevokes() async throws {
        let rig = try await Rig()
        let (_, one) = rig.plan(1, Self.keys)
        let (_, two) = rig.plan(2, Self.keys)
        let polite = try await rig.carrier()
        polite.start(token: one)
        let moved = try await rig.carrier()
        moved.start(token: two)
        try await rig.link.state.until { $0.renewals.last?.live.count == 2 }
        rig.link.state.change {
            $0.answer = LeaseAnswer(revoked: [CallKey.sample(2).call], toEnd: [CallKey.sample(1).call])
        }
        #expect(try await rig.fact(1, ended) == .requested)
        #expect(try await moved.closeCode() == 1008)
        #expect(rig.link.facts(CallKey.sample(2).call).compactMap(ended).isEmpty)
        try await rig.stop()
    }

    @Test func whileTheControlPlaneIsAwayTheCallGoesOn() async throws {
        let rig = try await Rig()
        let (_, token) = rig.plan(1, Self.keys)
        let carrier = try await rig.carrier()
        carrier.start(token: token)
        try await carrier.seen.until { !$0.marks.isEmpty }
        rig.link.isAway = true
        carrier.digit("1")
        // The end is safe on disk, so the line is let go although nobody has heard of it.
        #expect(try await carrier.closeCode() == 1000)
        #expect(rig.link.facts(CallKey.sample(1).call).compactMap(ended).isEmpty)
        rig.link.isAway = false
        #expect(try await rig.fact(1, ended) == .agentEnded)
        try await rig.stop()
    }
}
