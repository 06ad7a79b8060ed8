import Agents
import Base
import Conversation
import Foundation
import Testing

/// What a private node takes in is written masked, and the replay of what was written goes the way of the call.
@Suite struct PrivacyTests {
    private func definition(_ text: String) throws -> AgentDefinition {
        try JSONDecoder().decode(AgentDefinition.self, from: Data(text.utf8))
    }

    /// Plays `inputs` as they came and as they were kept.
    private func kept(
        _ agent: AgentDefinition, _ inputs: [(CallTime, Dialogue.Input)]
    ) -> (lines: [String], original: [Dialogue.Effect], replayed: [Dialogue.Effect]) {
        func machine() -> Conversation {
            Conversation(
                definition: agent, variables: [:], call: "call", fundedMs: 10_000_000, holdNumber: 0,
                resuming: nil)
        }
        var (original, replay, privacy) = (machine(), machine(), Privacy())
        var result: (lines: [String], original: [Dialogue.Effect], replayed: [Dialogue.Effect]) = ([], [], [])
        for (time, input) in inputs {
            let line = privacy.kept(input, isPrivate: original.isPrivate)
            result.lines.append((line.isMasked ? "masked " : "") + Ladder.text(of: line.input))
            result.original += original.handle(input, at: time)
            result.replayed += replay.handle(line.input, at: time)
        }
        return result
    }

    private func nodes(_ effects: [Dialogue.Effect]) -> [String] {
        effects.compactMap { if case .record(.node(let node)) = $0 { node } else { nil } }
    }

    @Test(arguments: ["on", "off"]) func keysAreZerosAndTheReplayGoesTheSameWay(recording: String) throws {
        var agent = try definition(Desks.menu)
        agent.recording.mode = recording == "on" ? .on : .off
        var call = Rehearsal(agent)
        call.at(0, .mediaStarted(resumed: false))
        call.at(1000, .digit("2"))
        for (index, key) in ["4", "7", "1", "1", "#"].enumerated() {
            call.at(4500 + index * 300, .digit(key))
        }
        call.run(until: 12_000)
        let (lines, original, replayed) = kept(agent, call.inputs)
        #expect(
            lines.filter { $0.contains("key") }
                == ["key 2"] + Array(repeating: "masked key 0", count: 4) + ["masked key #"])
        #expect(nodes(original) == ["menu", "order", "thanks"])
        #expect(nodes(replayed) == nodes(original))
        #expect(replayed.count == original.count)
        #expect(call.turns.filter { $0.speaker == .caller }.map(\.text) == ["(keys 2)", "(not recorded)"])
    }

    @Test func wordsKeepTheirCountAndALateTranscriptStaysMasked() throws {
        let agent = try definition(Desks.menu)
        var call = Rehearsal(agent)
        call.at(0, .mediaStarted(resumed: false))
        call.at(1000, .digit("2"))
        call.caller(4500, "it is forty seven double one")
        call.run(until: 7000)
        let late = Dialogue.Input.transcript(.init(text: "four seven one one", isFinal: true))
        let after = Dialogue.Input.transcript(.init(text: "thank you", isFinal: true))
        let end = call.now
        let inputs = call.inputs + [(end, late), (end, .speechStarted(agoMs: 0)), (end, after)]
        let (lines, original, replayed) = kept(agent, inputs)
        let words = lines.filter { $0.contains("final") }
        #expect(words.first == #"masked final "xx xx zero zero zero zero""#)
        #expect(nodes(original).last == "thanks" && nodes(replayed) == nodes(original))
        #expect(words.dropFirst().first == #"masked final "zero zero zero zero""#)
        #expect(words.last == #"final "thank you""#)
    }

    @Test func aCheckpointIsKeptWithoutPrivateVariables() throws {
        let agent = try definition(Desks.menu)
        var call = Rehearsal(agent, variables: ["name": "Ada"])
        call.at(0, .mediaStarted(resumed: false))
        call.at(1000, .digit("2"))
        for (index, key) in ["4", "7", "1", "1", "#"].enumerated() {
            call.at(4500 + index * 300, .digit(key))
        }
        call.run(until: 6000)
        let checkpoint = call.conversation.checkpoint
        #expect(checkpoint.flow?.variables["order"] == "4711")
        let masked = checkpoint.masked(agent)
        #expect(masked.flow?.variables["order"] == "0000" && masked.flow?.variables["name"] == "Ada")
    }
}
