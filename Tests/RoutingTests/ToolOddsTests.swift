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
            #expect(abs(odds.logOdds(features) - said) < 1e-9)
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

    @Test func outcomesMoveTheOddsAndNoFurtherThanTheyWarrant() throws {
        var values = [Float](repeating: 0, count: RoutingFeatures.names.count)
        let answer = try #require(RoutingFeatures(values: values))
        values[0] = 1
        let afterTool = try #require(RoutingFeatures(values: values))
        var outcomes = RoutingOutcomes()
        #expect(outcomes.shift(afterTool, agent: "desk") == 0)
        for _ in 0..<400 { outcomes.note(afterTool, logOdds: -2, wasTool: true, agent: "desk") }
        #expect(outcomes.shift(afterTool, agent: "desk") > 3)
        #expect(outcomes.shift(afterTool, agent: "desk") <= 6)
        #expect(outcomes.shift(afterTool, agent: "another") > 0.5)
        #expect(outcomes.shift(answer, agent: "desk") == 0)
        #expect(outcomes.shift(answer, agent: "another") == 0)
    }

    @Test func outcomesTellWhichFeatureMatters() throws {
        var outcomes = RoutingOutcomes()
        var values = [Float](repeating: 0, count: RoutingFeatures.names.count)
        let without = try #require(RoutingFeatures(values: values))
        values[20] = 1
        let with = try #require(RoutingFeatures(values: values))
        for _ in 0..<300 {
            outcomes.note(with, logOdds: 0, wasTool: true, agent: "a")
            outcomes.note(without, logOdds: 0, wasTool: false, agent: "a")
        }
        #expect(outcomes.shift(with, agent: "b") > outcomes.shift(without, agent: "b") + 2)
    }

    @Test func handOversThatAreNotMadeLowerTheirRate() {
        var outcomes = RoutingOutcomes()
        #expect(abs(outcomes.notices - 0.98) < 1e-9)
        for _ in 0..<50 { outcomes.noteProbe(handedOver: false, wasTool: true) }
        #expect(outcomes.notices < 0.5)
    }
}
