import Agents
import Base
import Foundation
import Testing

private func decode(_ json: String) throws -> AgentDefinition {
    try JSONDecoder().decode(AgentDefinition.self, from: Data(json.utf8))
}

struct DefinitionTests {
    private static let small = """
        {"flow": {"start": "a", "nodes": [{"id": "a", "say": "Hi", "expect": "yes_no", "max_reprompts": 1,
          "edges": [{"when": {"equals": "Yes"}, "to": "b"}, {"when": "always", "to": "b"}]},
          {"id": "b", "say": "Bye {{x}}", "end": true}], "variables": {"x": "you"}},
         "speaks_first": "caller", "limits": {"max_seconds": 60}, "recording": {"mode": "after_consent"}}
        """

    @Test func missingKeysTakeDefaults() throws {
        let agent = try decode(Self.small)
        #expect(
            agent.speaksFirst == .caller && agent.limits.maxSeconds == 60 && agent.limits.ringSeconds == 40)
        #expect(agent.recording.mode == .afterConsent && agent.turns.endpointingMs == 420)
        #expect(
            agent.flow?.nodes[0].maxReprompts == 1 && agent.flow?.nodes[0].edges[0].when == .equals("yes"))
        #expect(agent.problems().isEmpty)
    }

    @Test(arguments: [
        (#"{"turns": {"silence_ms": 1.5}}"#, "turns.silence_ms"),
        (#"{"turns": {"silence_ms": "1"}}"#, "turns.silence_ms"),
        (#"{"limits": {"max_seconds": 1e30}}"#, "limits.max_seconds"),
        (#"{"prompt": {"system": "s", "model": "m", "max_tokens": 99.5}}"#, "prompt.max_tokens"),
        (
            #"""
            {"prompt": {"system": "s", "model": "m",
              "routing": {"cheap": {"vendor": "openai", "model": "t"}, "wait_max_ms": 1.5}}}
            """#, "prompt.routing.wait_max_ms"
        ),
        (
            #"{"flow": {"start": "a", "nodes": [{"id": "a", "expect": {"kind": "digits", "min": 1.5}}]}}"#,
            "flow.nodes[0].expect.min"
        ),
        (
            #"{"flow": {"start": "a", "nodes": [{"id": "a", "expect": {"kind": "digits", "min": 1, "max": 2.5}}]}}"#,
            "flow.nodes[0].expect.max"
        ),
        (
            #"{"flow": {"start": "a", "nodes": [{"id": "a", "max_reprompts": 0.5}]}}"#,
            "flow.nodes[0].max_reprompts"
        ),
    ])
    func aNumberThatIsNotWholeIsNamedByItsField(json: String, path: String) {
        #expect {
            try decode(json)
        } throws: {
            ($0 as? DecodingError).map { "\($0.path): \($0.reason)" } == "\(path): expected a whole number"
        }
    }

    @Test func aWholeNumberMayBeWrittenWithAPoint() throws {
        #expect(try decode(#"{"turns": {"silence_ms": 2000.0}}"#).turns.silenceMs == 2000)
    }

    @Test func aPhraseCannotBothAcknowledgeAndInterrupt() throws {
        func problems(_ acknowledging: String, _ interrupting: String) throws -> [String] {
            let phrases =
                #""acknowledgement_phrases": [\#(acknowledging)], "interruption_phrases": [\#(interrupting)]"#
            let turns = #""speaks_first": "caller", "turns": {\#(phrases)}"#
            return try decode(Self.small.replacing(#""speaks_first": "caller""#, with: turns)).problems()
                .map { "\($0.path): \($0.message)" }
        }
        #expect(try problems(#""go on", "right""#, #""hold on""#).isEmpty)
        #expect(
            try problems(#""go on", "right""#, #""hold on", "Go on!""#) == [
                "turns.interruption_phrases[1]: is one of the acknowledgement phrases: it cannot be both"
            ])
    }

    @Test func aDefinitionSurvivesItsOwnJSON() throws {
        var agent = try decode(Self.small)
        agent.tools = [Tool(name: "t", url: "https://x")]
        agent.flow?.nodes[0].expect = .digits(min: 4, max: 6)
        agent.flow?.nodes[1].expect = .choice(["a"])
        agent.flow?.nodes[0].edges = [
            .matched, .keywords(["k"]), .pattern("p"), .digits("1"), .toolFailed, .toolSucceeded,
        ]
        .map { Edge(when: $0, to: "b") }
        let text = try JSONEncoder().encode(agent)
        #expect(try JSONDecoder().decode(AgentDefinition.self, from: text) == agent)
        #expect(String(decoding: text, as: UTF8.self).contains(#""speaks_first":"caller""#))
    }

    @Test(arguments: [
        (#"{"promt": {}}"#, "promt"), (#"{"limits": {"maxSeconds": 3}}"#, "limits.maxSeconds"),
        (#"{"flow": {"start": "a", "nodes": [{"id": "a", "sya": "x"}]}}"#, "flow.nodes[0].sya"),
        (#"{"flow": {"start": "a", "nodes": [{"say": "x"}]}}"#, "flow.nodes[0].id"),
        (#"{"flow": {"start": "a", "nodes": [{"id": "a", "expect": "name?"}]}}"#, "flow.nodes[0].expect"),
        (
            #"{"flow": {"start": "a", "nodes": [{"id": "a", "expect": {"kind": "digits", "of": []}}]}}"#,
            "flow.nodes[0].expect.min"
        ),
        (
            #"{"flow": {"start": "a", "nodes": [{"id": "a", "edges": [{"when": "never", "to": "a"}]}]}}"#,
            "flow.nodes[0].edges[0].when"
        ),
        (#"{"flow": {"start": "a", "nodes": [{"id": "a", "say": 5}]}}"#, "flow.nodes[0].say"),
        (#"{"flow": {"start": "a", "nodes": [{"id": "a", "tool": {"nam": 1}}]}}"#, "flow.nodes[0].tool.nam"),
        (#"{"prompt": {"system": "s", "model": "m", "temperature": "hot"}}"#, "prompt.temperature"),
        (
            #"{"prompt": {"system": "s", "model": "m", "fallbacks": [{"vendor": "openai"}]}}"#,
            "prompt.fallbacks[0].model"
        ),
        (#"{"speaks_first": "nobody"}"#, "speaks_first"),
        (#"{"turns": {"silence_ms": "long"}}"#, "turns.silence_ms"),
    ])
    func errorsNameTheirPath(json: String, path: String) throws {
        let error = #expect(throws: DecodingError.self) { try decode(json) }
        #expect(error?.path == path)
        #expect(error?.reason.isEmpty == false)
    }

    private func paths(_ change: (inout AgentDefinition) -> Void) throws -> [String] {
        var agent = try decode(Self.small)
        change(&agent)
        return agent.problems().map(\.path)
    }

    @Test func problemsAreFound() throws {
        #expect(try paths { $0.flow = nil } == [""])
        #expect(try paths { $0.prompt = Prompt(system: "s", model: "m") } == ["prompt"])
        #expect(try paths { $0.flow?.start = "zzz" } == ["flow.start"])
        #expect(try paths { $0.flow?.nodes[1].id = "a" }.contains("flow.nodes[1].id"))
        #expect(try paths { $0.flow?.nodes[0].edges[1].to = "zzz" } == ["flow.nodes[0].edges[1].to"])
        #expect(try paths { $0.flow?.nodes[0].otherwise = "zzz" } == ["flow.nodes[0].otherwise"])
        #expect(try paths { $0.flow?.nodes[1].say = "{{nobody}}" } == ["flow.nodes[1].say"])
        #expect(try paths { $0.flow?.nodes[1].say = "{{x" } == ["flow.nodes[1].say"])
        #expect(
            try paths { $0.flow?.nodes[0].edges[0].when = .pattern("(") } == [
                "flow.nodes[0].edges[0].when.pattern"
            ])
        #expect(
            try paths { $0.flow?.nodes[0].edges[0].when = .toolFailed } == ["flow.nodes[0].edges[0].when"])
        #expect(try paths { $0.flow?.nodes[0].tool = ToolUse(name: "none") } == ["flow.nodes[0].tool.name"])
        #expect(try paths { $0.flow?.nodes[0].expect = .digits(min: 5, max: 2) } == ["flow.nodes[0].expect"])
        #expect(try paths { $0.flow?.nodes[0].expect = nil } == ["flow.nodes[0].edges[0].when"])
        #expect(try paths { $0.flow?.nodes[1].end = false } == ["flow.nodes[1].edges"])
        #expect(try paths { $0.turns.endpointingMs = 5 } == ["turns.endpointing_ms"])
        #expect(try paths { $0.limits.maxSeconds = 5 } == ["limits.max_seconds"])
        #expect(try paths { $0.voice.voice = "marvin" } == ["voice.voice"])
        #expect(try paths { $0.language = "de" } == ["language"])
        #expect(try paths { $0.lines.failure = " " } == ["lines.failure"])
        #expect(
            try paths { $0.tools = [Tool(name: "a b", url: "ftp://x")] } == ["tools[0].name", "tools[0].url"])
    }

    @Test(arguments: [
        ("GET", true), ("POST", true), ("PUT", false), ("PATCH", false), ("DELETE", false),
    ])
    func aToolThatReadsDoesNotChange(method: String, mayRead: Bool) throws {
        var tool = Tool(name: "t", url: "https://x")
        tool.method = method
        tool.isReadOnly = true
        #expect(try paths { $0.tools = [tool] } == (mayRead ? [] : ["tools[0].read_only"]))
        let written = try JSONEncoder().encode(tool)
        #expect(try JSONDecoder().decode(Tool.self, from: written) == tool)
        #expect(String(decoding: written, as: UTF8.self).contains(#""read_only":true"#))
    }

    @Test func aLoopThatNeverWaitsIsFound() throws {
        let paths = try paths {
            $0.flow?.nodes[1].end = false
            $0.flow?.nodes[1].edges = [Edge(when: .always, to: "b")]
        }
        #expect(paths == ["flow.nodes[1].edges"])
    }

    @Test func problemsAreBounded() throws {
        let paths = try paths { agent in
            agent.flow?.nodes = (0..<500).map { _ in Node(id: "bad id") }
        }
        #expect(paths.count == AgentLimits.problems)
    }
}

struct JSONTextTests {
    @Test(arguments: [
        "null", "true", "-12", "1.5", "\"a\"", "[]", "{}", #"{"a":[1,{"b":null}],"c":"\"\\"}"#,
        #""\u0001é😀""#,
    ])
    func textSurvives(text: String) {
        #expect(JSON(parsing: text)?.text == text)
    }

    @Test(arguments: [
        "", "nul", "01", "1.", "[1,]", "{\"a\"}", "\"a", "\"\\x\"", "1 2", "\"\\ud800\"", "-", "1e999",
        "[\"\u{1}\"]",
    ])
    func whatIsNotJSONIsRefused(text: String) {
        #expect(JSON(parsing: text) == nil)
    }

    @Test func nestingIsLimited() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(JSON(parsing: nested(JSON.depthMax)) != nil)
        #expect(JSON(parsing: nested(10_000)) == nil)
        #expect(
            JSON(parsing: " [ 9223372036854775807 , 9223372036854775808, \"\\u00e9\\ud83d\\ude00\" ] ")
                == [.int(.max), .double(9223372036854775808), "é😀"])
    }
}

struct StrictToolTests {
    private func problems(_ parameters: String, strict: Bool = true) throws -> [String] {
        let agent = try decode(
            """
            {"prompt": {"system": "s", "model": "m", "reasoning_effort": "none"}, "tools": [{"name": "book",
             "url": "https://x.example", "strict": \(strict), "parameters": \(parameters)}]}
            """)
        #expect(agent.prompt?.reasoningEffort == ReasoningEffort.none)
        return agent.problems().map { "\($0.path): \($0.message)" }
    }

    @Test func aStrictToolsSchemaIsOneThatVendorsCanHoldAModelTo() throws {
        let open = #"{"type": "object", "properties": {"day": {"type": "string"}}}"#
        #expect(try problems(open, strict: false) == [])
        #expect(
            try problems(open) == ["tools[0].parameters: needs additionalProperties: false to be strict"])
        let half =
            #"{"type": "object", "additionalProperties": false, "properties": {"day": {"type": "string"}}}"#
        #expect(
            try problems(half) == ["tools[0].parameters: to be strict must have day in required"])
        let deep = #"""
            {"type": "object", "additionalProperties": false, "required": ["at"], "properties": {"at":
              {"anyOf": [{"type": "null"}, {"type": "array", "items": {"type": "object"}}]}}}
            """#
        #expect(
            try problems(deep) == [
                "tools[0].parameters: properties.at.anyOf[1].items: needs additionalProperties: false to be strict"
            ])
        let good = #"""
            {"type": "object", "additionalProperties": false, "required": ["day"], "properties": {"day":
              {"type": ["string", "null"]}}}
            """#
        #expect(try problems(good) == [])
    }

    @Test(arguments: [
        ("compatible:groq", nil), ("openai", nil),
        ("compatible:", "prompt.vendor: must be 1 to 64 letters, digits, _ or -"),
        ("compatible:my groq", "prompt.vendor: must be 1 to 64 letters, digits, _ or -"),
        ("groq:compatible", "prompt.vendor: unknown vendor; known: openai, anthropic, compatible"),
    ])
    func aVendorMayNameACredential(vendor: String, problem: String?) throws {
        let agent = try decode(
            #"{"prompt": {"system": "s", "model": "m", "vendor": "\#(vendor)"}}"#)
        #expect(agent.problems().map { "\($0.path): \($0.message)" } == [problem].compactMap { $0 })
    }

    @Test func aModelsNameFitsInABill() throws {
        let model = String(repeating: "m", count: 90)
        let agent = try decode(
            #"{"prompt": {"system": "s", "model": "\#(model)", "vendor": "compatible"}}"#)
        #expect(agent.problems().map(\.path) == ["prompt.model"])
    }
}
