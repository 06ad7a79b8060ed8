import Base
import Routing
import Testing

/// Rows of stored calls, read and routed in order.
@Suite struct StoredDialogueTests {
    static let prefix: [String: JSON] = [
        "desk": [
            "tokens": 1500,
            "text": .string(
                "You are a desk.\n[notes] come first\n"
                    + #"[{"name": "find_slot", "parameters": [{"name": "day", "type": "Date"}]}]"#),
        ]
    ]

    static func line(_ id: Int, _ messages: String, dialog: String = "d") -> String {
        #"{"id":"\#(dialog)#\#(id)","dialog_id":"\#(dialog)","prefix_id":"desk","tokens_in":\#(1500 + id * 100),"messages":[\#(messages)],"domain":"x"}"#
    }

    static let first = #"{"role":"user","content":"Is Monday free?"}"#
    static let second =
        first + #",{"role":"assistant","tool_calls":[{"name":"find_slot","arguments":{"day":"Monday"}}]}"#
        + #",{"role":"tool","content":"[]"}"#

    @Test func aDialogueIsFollowedOverItsRows() throws {
        var dialogues = StoredDialogues(router: try RouterTests.router(), prefixes: Self.prefix, learns: true)
        _ = try dialogues.next(try StoredCall(line: Self.line(0, Self.first)))
        let next = try dialogues.next(try StoredCall(line: Self.line(1, Self.second)))
        var alone = StoredDialogues(router: try RouterTests.router(), prefixes: Self.prefix, learns: true)
        let once = try alone.next(try StoredCall(line: Self.line(1, Self.second)))
        #expect(next.features == once.features)
        #expect(next.features.followsTool)
        // The strong model's cache was warmed by the first row, if it was asked.
        #expect(next.choice.alwaysStrong <= once.choice.alwaysStrong)
    }

    @Test func whatWasSaidAndWhereTellsCallsApart() {
        let yes = RouterTests.dialogue([.user("Book a table"), .assistant("For 4 people?"), .user("Yes")])
        let five = RouterTests.dialogue([.user("Book a table"), .assistant("For 5 people?"), .user("Yes")])
        let no = RouterTests.dialogue([.user("Book a table"), .assistant("For 4 people?"), .user("No")])
        // One number is as good as another.
        #expect(RoutingFeatures(yes).terms == RoutingFeatures(five).terms)
        #expect(RoutingFeatures(yes).terms != RoutingFeatures(no).terms)
    }

    @Test func anActThatIsSeenChangesWhatIsExpectedOfTheNext() throws {
        func last(learns: Bool) throws -> Double {
            var dialogues = StoredDialogues(
                router: try RouterTests.router(), prefixes: Self.prefix, learns: learns)
            var last = 0.0
            for dialog in 0..<40 {
                last =
                    try dialogues.next(try StoredCall(line: Self.line(0, Self.first, dialog: "\(dialog)")))
                    .choice.toolProbability
                _ = try dialogues.next(try StoredCall(line: Self.line(1, Self.second, dialog: "\(dialog)")))
            }
            return last
        }
        #expect(try last(learns: true) > last(learns: false) + 0.1)
    }

    static let list = #"[{"name": "find_slot"}, {"name": "book"}]"#

    @Test(arguments: [
        ("You are a desk.\n\(Self.list)", 2), (Self.list, 2), ("You are a desk.\n\(Self.list)\nBe brief.", 2),
        ("\(Self.list) are your tools.", 2), ("[1] Be brief.\n[notes] first\n\(Self.list)", 2),
        ("[\n  {\"name\": \"find_slot\"}\n]\nBe brief.", 1), ("[\"find_slot\"]", 1),
        ("no tools [here]", 0), ("You are a desk.\n[]\nBe brief.", 0), ("[here] are none", 0), ("", 0),
        (String(repeating: "[note] be brief\n", count: 100) + Self.list, 2),
    ])
    func toolsAreReadFromTheSystemText(text: String, count: Int) throws {
        #expect(try ToolBook(systemText: text).count == count)
    }

    @Test func ofTheSystemTextOnlyTheListIsSchema() throws {
        #expect(
            try ToolBook(systemText: "Desk.\n\(Self.list)\nBe brief.").schemaBytes == Self.list.utf8.count)
    }

    @Test(arguments: [
        (#"[{"name": "find_slot""#, 1), ("You are a desk.\n[{\"name\": \"a\"}\nBe brief.", 2),
        ("Desk.\n\n[\n  {\"name\": \"a\",}\n]", 3), ("[{name: \"a\"}]\n\(Self.list)", 1),
    ])
    func aListOfToolsThatCannotBeReadIsNotNone(text: String, line: Int) throws {
        #expect(throws: ToolBook.Unreadable.self) { try ToolBook(systemText: text) }
        let prefix: [String: JSON] = ["desk": ["text": .string(text)]]
        var dialogues = StoredDialogues(router: try RouterTests.router(), prefixes: prefix, learns: true)
        let call = try StoredCall(line: Self.line(0, Self.first))
        #expect(throws: StoredCall.Failure.unreadableTools("desk", line: line)) { try dialogues.next(call) }
    }

    @Test func aRowThatIsNotDecidedOnLeavesItsDialogueAsItWas() throws {
        var one = StoredDialogues(router: try RouterTests.router(), prefixes: Self.prefix, learns: true)
        _ = try one.next(try StoredCall(line: Self.line(0, Self.first)))
        var other = one
        let second = try StoredCall(line: Self.line(1, Self.second))
        var lost = second
        lost.prefixID = "gone"
        #expect(throws: StoredCall.Failure.unknownPrefix("gone")) { try one.next(lost) }
        let (after, without) = (try one.next(second), try other.next(second))
        #expect(after.features == without.features && after.choice == without.choice)
    }

    @Test func badRowsAreRefused() {
        #expect(throws: StoredCall.Failure.notAnObject) { try StoredCall(line: "[]") }
        #expect(throws: StoredCall.Failure.missing("id")) { try StoredCall(line: "{}") }
        #expect(throws: StoredCall.Failure.missing("tokens_in")) {
            try StoredCall(line: #"{"id":"a","messages":[]}"#)
        }
        #expect(throws: StoredCall.Failure.unknownRole("narrator", at: 0)) {
            try StoredCall(line: #"{"id":"a","messages":[{"role":"narrator"}],"tokens_in":1}"#)
        }
    }

    @Test(arguments: [
        (#"{"id":"a","messages":[],"tokens_in":-1}"#, "tokens_in: expected a whole number, 0 to 10000000"),
        (#"{"id":"a","messages":[],"tokens_in":"9"}"#, "tokens_in: expected a whole number, 0 to 10000000"),
        (#"{"id":"a","messages":"hello","tokens_in":1}"#, "messages: expected a list"),
        (#"{"id":"a","messages":["hello"],"tokens_in":1}"#, "messages[0]: expected an object"),
        (
            #"{"id":"a","messages":[{"role":"user","content":["hi"]}],"tokens_in":1}"#,
            "messages[0].content: expected a text"
        ),
        (
            #"{"id":"a","messages":[{"role":"user"},{"role":"system"}],"tokens_in":1}"#,
            "messages[1].role: the system text stands behind its prefix_id, not among the messages"
        ),
        (
            #"{"id":"a","messages":[{"role":"narrator"}],"tokens_in":1}"#,
            #"messages[0].role: unknown role "narrator"; known: user, assistant, tool"#
        ),
    ])
    func whatIsWrongWithARowIsSaidWithItsPlace(row: String, message: String) {
        #expect {
            try StoredCall(line: row)
        } throws: {
            ($0 as? StoredCall.Failure)?.message == message
        }
    }

    @Test func aRowWhoseToolsNobodyKnowsIsNotDecidedOn() throws {
        var prefix = Self.prefix
        prefix["bare"] = ["tokens": 10]
        for id in ["disk", "bare", ""] {
            var dialogues = StoredDialogues(router: try RouterTests.router(), prefixes: prefix, learns: true)
            let row = Self.line(0, Self.first).replacing(
                #""prefix_id":"desk""#, with: #""prefix_id":"\#(id)""#)
            let call = try StoredCall(line: row)
            #expect(throws: StoredCall.Failure.unknownPrefix(id)) { try dialogues.next(call) }
        }
        #expect(StoredCall.Failure.unknownPrefix("disk").message.contains("disk"))
    }

    @Test func aPrefixWithoutToolsNeedsNoStrongModel() throws {
        let prefix: [String: JSON] = ["desk": ["text": "You are a desk.", "tokens": 1500]]
        var dialogues = StoredDialogues(router: try RouterTests.router(), prefixes: prefix, learns: true)
        let decided = try dialogues.next(try StoredCall(line: Self.line(0, Self.first)))
        #expect(decided.choice.mode == .direct(.cheap) && decided.choice.toolProbability == 0)
    }

    @Test func schemasOfSeveralVendorsAreRead() {
        let forms: [JSON] = [
            ["name": "book", "parameters": ["day": "The day"], "required": ["day"]],
            [
                "type": "function",
                "function": [
                    "name": "book",
                    "parameters": [
                        "type": "object", "properties": ["day": ["type": "string"]], "required": ["day"],
                    ],
                ],
            ],
            [
                "name": "book",
                "input_schema": ["properties": ["day": ["type": "string"]], "required": ["day"]],
            ],
        ]
        for form in forms {
            var asked = RoutedDialogue(tools: ToolBook([form]))
            asked.append(.user("book it"))
            let before = RoutingFeatures(asked).values[index("best.missing")]
            asked.append(.assistant("Which day?"))
            asked.append(.user("Monday"))
            #expect(before == 1)
            #expect(RoutingFeatures(asked).values[index("best.missing")] == 0)
        }
    }

    private func index(_ name: String) -> Int { RoutingFeatures.names.firstIndex(of: name) ?? -1 }
}
