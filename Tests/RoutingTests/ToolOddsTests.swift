import Base
import Foundation
import Routing
import Testing

/// The weights say the same here as where they were trained.
@Suite struct ToolOddsTests {
    @Test func swiftAndPythonAgree() throws {
        let odds = try #require(ToolOdds.shipped)
        let file = try #require(Bundle.module.url(forResource: "Resources/odds", withExtension: "jsonl"))
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        #expect(lines.count >= 20)
        for line in lines {
            let row = try #require(JSON(parsing: String(line)))
            let values = try #require(row["x"]?.array).map { Float($0.int ?? 0) }
            let features = try #require(RoutingFeatures(values: values))
            guard case .double(let said) = row["log_odds"] else {
                Issue.record("\(line): no log odds")
                continue
            }
            #expect(abs(odds.judge(features).logOdds - said) < 1e-9)
        }
    }

    @Test func weightsOfOtherFeaturesAreRefused() {
        for text in ["", "{}", #"{"features":["a"],"base":0,"unit":1,"trees":[]}"#] {
            #expect(throws: RoutingProblem.self) { try ToolOdds(text: text) }
        }
        let names = JSON.array(RoutingFeatures.names.map { .string($0) }).text
        let head =
            #"{"features":\#(names),"base":0,"unit":1,"user":{"slope":1,"offset":0},"#
            + #""tool":{"slope":1,"offset":0},"trees":"#
        let bad = [
            "[]}", "[[0,2.5]]}", "[[0,2.5,-1,1]]}", "[[9999,1,-1,1,-1,2]]}", "[[-1]]}", "[[-1,1,-1,2]]}",
        ]
        for tree in bad { #expect(throws: RoutingProblem.self) { try ToolOdds(text: head + tree) } }
        #expect(throws: Never.self) { try ToolOdds(text: head + "[[0,0.5,-1,1,-1,2]]}") }
    }

    private static func features(
        afterTool: Bool = false, places: [String] = [], words: [String] = []
    ) throws -> RoutingFeatures {
        var values = [Float](repeating: 0, count: RoutingFeatures.names.count)
        values[0] = afterTool ? 1 : 0
        return try #require(
            RoutingFeatures(values: values, terms: DialogueTerms(places: places, words: words)))
    }

    private static func odds(_ outcomes: RoutingOutcomes, _ features: RoutingFeatures, agent: String)
        -> Double
    {
        -2 + outcomes.shift(features, .init(logOdds: -2), agent: agent)
    }

    @Test func outcomesMoveTheOddsAndNoFurtherThanTheyWarrant() throws {
        let answer = try Self.features(places: ["answer"])
        let afterTool = try Self.features(afterTool: true, places: ["after a tool"])
        var outcomes = RoutingOutcomes()
        #expect(Self.odds(outcomes, afterTool, agent: "desk") == -2)
        for _ in 0..<400 {
            outcomes.note(afterTool, .init(logOdds: -2), wasProbed: false, wasTool: true, agent: "desk")
        }
        #expect(Self.odds(outcomes, afterTool, agent: "desk") > 2)
        #expect(Self.odds(outcomes, afterTool, agent: "desk") <= 4)
        // Another agent's calls are judged by them too, but less.
        #expect(Self.odds(outcomes, afterTool, agent: "another") > -1)
        #expect(
            Self.odds(outcomes, afterTool, agent: "another") < Self.odds(outcomes, afterTool, agent: "desk"))
        #expect(abs(Self.odds(outcomes, answer, agent: "desk") - -2) < 0.2)
    }

    @Test func agentsThatDoOtherwiseAreToldApart() throws {
        let call = try Self.features(places: ["start"])
        var outcomes = RoutingOutcomes()
        for _ in 0..<300 {
            outcomes.note(call, .init(logOdds: 0), wasProbed: false, wasTool: true, agent: "eager")
            outcomes.note(call, .init(logOdds: 0), wasProbed: false, wasTool: false, agent: "chatty")
        }
        let (eager, chatty) = (
            Self.odds(outcomes, call, agent: "eager"), Self.odds(outcomes, call, agent: "chatty")
        )
        #expect(eager > chatty + 2)
    }

    @Test func outcomesTellWhichWordAndWhichLeafMatters() throws {
        let with = try Self.features(words: ["book", "it"])
        let without = try Self.features(words: ["leave", "it"])
        var outcomes = RoutingOutcomes()
        for _ in 0..<300 {
            outcomes.note(with, .init(logOdds: 0), wasProbed: false, wasTool: true, agent: "a")
            outcomes.note(without, .init(logOdds: 0), wasProbed: false, wasTool: false, agent: "a")
        }
        #expect(Self.odds(outcomes, with, agent: "b") > Self.odds(outcomes, without, agent: "b") + 2)

        let call = try Self.features()
        let (left, right) = (
            ToolOdds.Judgement(logOdds: 0, leaves: [3]), ToolOdds.Judgement(logOdds: 0, leaves: [4])
        )
        for _ in 0..<300 {
            outcomes.note(call, left, wasProbed: false, wasTool: true, agent: "a")
            outcomes.note(call, right, wasProbed: false, wasTool: false, agent: "a")
        }
        #expect(outcomes.shift(call, left, agent: "b") > outcomes.shift(call, right, agent: "b") + 2)
    }

    @Test func missesGrowDearWhereTooManyAreMadeAndCheapWhereFew() throws {
        var values = [Float](repeating: 0, count: RoutingFeatures.names.count)
        values[try #require(RoutingFeatures.names.firstIndex(of: "no_tool_yet"))] = 1
        let call = try #require(RoutingFeatures(values: values))
        var careless = RoutingOutcomes()
        var careful = RoutingOutcomes()
        #expect(careless.missDearness == 1)
        for _ in 0..<2_000 {
            careless.note(call, .init(logOdds: 0), wasProbed: true, wasTool: true, agent: "a")
            careful.note(call, .init(logOdds: 0), wasProbed: false, wasTool: true, agent: "a")
        }
        #expect(careless.missDearness > 4)
        #expect(careful.missDearness < 1)
        // Calls that needed no tool can miss none.
        let before = careful.missDearness
        careful.note(call, .init(logOdds: 0), wasProbed: true, wasTool: false, agent: "a")
        #expect(careful.missDearness == before)
    }

    @Test func aMissOfATrustedModelMakesMissesDearAndToolsLikelier() throws {
        let call = try Self.features(places: ["answer"])
        var outcomes = RoutingOutcomes()
        outcomes.noteMiss(call, .init(logOdds: 0), agent: "a")
        #expect(outcomes.missDearness > 1.3)
        #expect(outcomes.shift(call, .init(logOdds: 0), agent: "a") > 0)
    }

    @Test func manyCorrectionsWeighAsAMissAndOneHardly() throws {
        let call = try Self.features(places: ["answer"], words: ["friday", "nine"])
        let other = try Self.features(places: ["start"], words: ["goodbye"])
        let shipped = ToolOdds.Judgement(logOdds: -5, leaves: [3])
        func shift(_ outcomes: RoutingOutcomes, _ features: RoutingFeatures) -> Double {
            outcomes.shift(features, .init(logOdds: -5, leaves: features == call ? [3] : [4]), agent: "a")
        }
        var missed = RoutingOutcomes()
        missed.noteMiss(call, shipped, agent: "a")
        var corrected = RoutingOutcomes()
        corrected.noteCorrection(call, shipped, agent: "a")
        let one = shift(corrected, call)
        #expect(one > 0 && one < shift(missed, call) / 2)
        for _ in 0..<30 { corrected.noteCorrection(call, shipped, agent: "a") }
        #expect(shift(corrected, call) > 2)
        #expect(shift(corrected, other) < shift(corrected, call) / 4, "only calls of this sort")
        #expect(corrected.missDearness == 1, "no miss was seen")
        // As often as recognisers err, and the rest seen to need no tool: much as before.
        var usual = RoutingOutcomes()
        for turn in 0..<600 {
            if turn % 30 == 0 { usual.noteCorrection(call, shipped, agent: "a") }
            usual.note(call, shipped, wasProbed: true, wasTool: false, agent: "a")
        }
        #expect(shift(usual, call) < 0.5)
    }

    @Test(arguments: [
        ("I would like Friday.", "You are booked for Thursday.", "No, I said Friday.", true),
        ("I would like Friday.", "Shall I book Thursday?", "(cutting in) no I said Friday", true),
        ("I would like Friday.", "You are booked for Thursday.", "No, Friday!", true),
        ("What do you charge?", "We open at nine.", "That's not what I asked.", true),
        ("What do you charge?", "We open at nine.", "I didn't ask that, I already told you", true),
        ("My name is Lee.", "Thank you, Mister Lea.", "Wrong.", true),
        ("My name is Lee.", "Thank you, Mister Lea.", "that is not right", true),
        ("I would like Friday.", "Shall I book Friday?", "No.", false),
        ("I would like Friday.", "Shall I book Friday?", "No, not Friday, Monday.", false),
        ("My name is Lee.", "Lee, is that right?", "No, that's wrong.", false),
        ("I would like Friday.", "Anything else?", "No, that's all, thank you.", false),
        ("I would like Friday.", "Friday at nine it is.", "No problem, Friday is great.", false),
        ("I would like Friday.", "Friday at nine it is.", "Yes, I said so.", false),
        ("I would like Friday.", "At nine or at ten?", "I'm not sure.", false),
        ("I would like Friday.", "You are booked for Friday.", "Oh, I meant Monday.", false),
    ])
    func aCorrectionSaysMoreThanNo(said: String, answer: String, then: String, corrects: Bool) {
        var dialogue = RoutedDialogue(tools: ToolBook())
        dialogue.append(.user(said))
        dialogue.append(.assistant(answer))
        dialogue.append(.user(then))
        #expect(dialogue.correctsAgent == corrects, "\(then)")
        dialogue.append(.assistant("", calls: [.init(name: "t", arguments: .null)]))
        #expect(dialogue.correctsAgent == nil)
    }

    @Test func whatWasLearnedIsTakenUpAsItWas() throws {
        let calls = try (0..<40).map {
            try Self.features(places: ["at \($0 % 3)"], words: ["word \($0)", "it"])
        }
        var outcomes = RoutingOutcomes()
        for (index, call) in calls.enumerated() {
            let shipped = ToolOdds.Judgement(logOdds: Double(index % 5) - 2, leaves: [UInt32(index), 7])
            outcomes.note(call, shipped, wasProbed: index % 2 == 0, wasTool: index % 3 == 0, agent: "desk")
            outcomes.noteProbe(handedOver: index % 4 == 0, wasTool: index % 3 == 0)
        }
        let bytes = outcomes.bytes
        #expect(bytes.count < RoutingOutcomes.bytesMax)
        var taken = try #require(RoutingOutcomes(bytes: bytes))
        #expect(taken.missDearness == outcomes.missDearness && taken.notices == outcomes.notices)
        #expect(taken.handsOverForNothing == outcomes.handsOverForNothing)
        for call in calls {
            let shift = outcomes.shift(call, .init(logOdds: 1, leaves: [7]), agent: "desk")
            #expect(abs(taken.shift(call, .init(logOdds: 1, leaves: [7]), agent: "desk") - shift) < 0.02)
        }
        // It goes on learning.
        taken.note(calls[0], .init(logOdds: 0), wasProbed: false, wasTool: true, agent: "desk")
        #expect(taken.bytes != bytes)
        #expect(RoutingOutcomes(bytes: RoutingOutcomes().bytes) != nil)
    }

    @Test func whatNobodyLearnedIsNotTakenUp() throws {
        var outcomes = RoutingOutcomes()
        outcomes.note(
            try Self.features(words: ["a", "b"]), .init(logOdds: 0), wasProbed: true, wasTool: true,
            agent: "a")
        let bytes = outcomes.bytes
        for cut in 0..<bytes.count { #expect(RoutingOutcomes(bytes: Array(bytes.prefix(cut))) == nil) }
        #expect(RoutingOutcomes(bytes: bytes + [0]) == nil)
        #expect(RoutingOutcomes(bytes: [UInt8](repeating: 0, count: RoutingOutcomes.bytesMax + 1)) == nil)
        var other = bytes
        other[0] ^= 1
        #expect(RoutingOutcomes(bytes: other) == nil, "of other trees")
        let call = try Self.features(words: ["a"])
        var random = SeededGenerator(seed: 5)
        for _ in 0..<2_000 {
            var wild = bytes
            wild[Int.random(in: 0..<wild.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            guard let read = RoutingOutcomes(bytes: wild) else { continue }
            #expect(read.missDearness.isFinite)
            #expect(read.shift(call, .init(logOdds: 0), agent: "a").isFinite)
        }
    }

    @Test func handOversThatAreNotMadeLowerTheirRate() {
        var outcomes = RoutingOutcomes()
        #expect(abs(outcomes.notices - 0.98) < 1e-9)
        for _ in 0..<50 { outcomes.noteProbe(handedOver: false, wasTool: true) }
        #expect(outcomes.notices < 0.5)
    }
}
