import Agents
import Base
import Foundation
import Testing

@Suite struct RoutingSettingsTests {
    private func definition(_ routing: String) throws -> AgentDefinition {
        let text = """
            {"prompt": {"system": "Be brief.", "vendor": "anthropic", "model": "large", "routing": \(routing)}}
            """
        return try JSONDecoder().decode(AgentDefinition.self, from: Data(text.utf8))
    }

    @Test func rulesAreReadAndWrittenAsTheyStand() throws {
        let agent = try definition(
            """
            {"cheap": {"vendor": "openai", "model": "small"}, "mode": "shadow", "allow": ["probe", "parallel"],
             "cheap_below": 0.02, "strong_above": 0.6, "stickiness": 0.1, "canary_share": 0.25,
             "wait_max_ms": 900, "call_budget": "0.05", "strong_after": [], "learn": false}
            """)
        let routing = try #require(agent.prompt?.routing)
        #expect(agent.problems() == [])
        #expect(routing.mode == .shadow && routing.allow == [.probe, .parallel] && !routing.learn)
        #expect(routing.waitMaxMs == 900 && routing.callBudget == "0.05" && routing.canaryShare == 0.25)
        #expect(routing.cheapBelow == 0.02 && routing.strongAbove == 0.6 && routing.stickiness == 0.1)
        let text = try JSONEncoder().encode(agent)
        #expect(try JSONDecoder().decode(AgentDefinition.self, from: text) == agent)
        #expect(String(decoding: text, as: UTF8.self).contains(#""call_budget":"0.05""#))
        #expect(agent.prompt?.models.map(\.source) == ["anthropic/large", "openai/small"])
    }

    @Test func aHistoryIsWholeIfNothingElseIsSaid() throws {
        func prompt(_ members: String) throws -> Prompt {
            try JSONDecoder().decode(
                Prompt.self, from: Data(#"{"system": "s", "model": "m"\#(members)}"#.utf8))
        }
        #expect(try prompt("").history == .whole)
        let shortened = try prompt(#", "history": "shortened""#)
        #expect(shortened.history == .shortened)
        #expect(try JSONDecoder().decode(Prompt.self, from: JSONEncoder().encode(shortened)) == shortened)
        #expect { try prompt(#", "history": "short""#) } throws: { ($0 as? DecodingError)?.path == "history" }
    }

    @Test(arguments: [
        (#"{"system": "s", "model": "m", "history": "short"}"#, "history: unknown; known: whole, shortened"),
        (
            #"{"system": "s", "model": "m", "routing": {"cheap": {"vendor": "openai", "model": "t"}, "mode": "sometimes"}}"#,
            "routing.mode: unknown; known: on, shadow, off"
        ),
        (
            #"{"system": "s", "model": "m", "routing": {"cheap": {"vendor": "openai", "model": "t"}, "allow": ["cheap", "dear"]}}"#,
            "routing.allow[1]: unknown; known: cheap, probe, parallel"
        ),
    ])
    func aWordThatIsNotKnownIsRefusedWithThoseThatAre(prompt: String, problem: String) {
        #expect {
            try JSONDecoder().decode(Prompt.self, from: Data(prompt.utf8))
        } throws: {
            ($0 as? DecodingError).map { "\($0.path): \($0.reason)" } == problem
        }
    }

    @Test func aCheapModelIsEnough() throws {
        let routing = try #require(
            try definition(#"{"cheap": {"vendor": "openai", "model": "small"}}"#).prompt?.routing)
        #expect(routing == RoutingSettings(cheap: ModelChoice(vendor: "openai", model: "small")))
        #expect(routing.mode == .on && routing.allow == [.cheap, .probe] && routing.learn)
    }

    @Test(arguments: [
        (#"{"cheap": {"vendor": "acme", "model": "s"}}"#, "prompt.routing.cheap.vendor: unknown vendor"),
        (#"{"cheap": {"vendor": "openai", "model": ""}}"#, "prompt.routing.cheap.model: must not be empty"),
        (
            #"{"cheap": {"vendor": "anthropic", "model": "large"}}"#,
            "prompt.routing.cheap: is the prompt's own model"
        ),
        (
            #"{"cheap": {"vendor": "openai", "model": "s"}, "allow": []}"#,
            "prompt.routing.allow: allows nothing beside the strong model"
        ),
        (
            #"{"cheap": {"vendor": "openai", "model": "s"}, "call_budget": "5c"}"#,
            "prompt.routing.call_budget: must be decimal dollars"
        ),
        (
            #"{"cheap": {"vendor": "openai", "model": "s"}, "strong_after": ["pay"]}"#,
            "prompt.routing.strong_after[0]: the agent has no such tool"
        ),
    ])
    func whatCannotBeRoutedIsSaid(routing: String, problem: String) throws {
        let problems = try definition(routing).problems().map { "\($0.path): \($0.message)" }
        #expect(problems.contains { $0.hasPrefix(problem) }, "\(problems)")
    }

    @Test(arguments: [
        (#"{"mode": "on"}"#, "prompt.routing.cheap"),
        (#"{"cheap": {"vendor": "openai", "model": "s"}, "mode": "maybe"}"#, "prompt.routing.mode"),
        (#"{"cheap": {"vendor": "openai", "model": "s"}, "allow": ["guess"]}"#, "prompt.routing.allow[0]"),
        (#"{"cheap": {"vendor": "openai", "model": "s"}, "call_budget": 5}"#, "prompt.routing.call_budget"),
        (#"{"cheap": {"vendor": "openai", "model": "s"}, "cheapest": 1}"#, "prompt.routing.cheapest"),
    ])
    func whatCannotBeReadIsNamed(routing: String, path: String) {
        #expect { try definition(routing) } throws: { ($0 as? DecodingError)?.path == path }
    }
}
