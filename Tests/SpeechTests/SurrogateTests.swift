import Base
import Testing

@testable import Speech

/// Characters that a vendor cuts in two.
struct SurrogateTests {
    /// Texts of deltas, written as JSON escapes, and what is said in the end.
    @Test(arguments: [
        ([#"\ud83d"#, #"\ude00"#], "😀"), ([#"a\ud83d"#, #"\ude00b"#], "a😀b"),
        ([#"\uD83D\uDE00"#], "😀"), ([#"\ud83d"#, "x"], "\u{FFFD}x"), ([#"\ude00x"#], "\u{FFFD}x"),
        ([#"\ud83d"#], "\u{FFFD}"), ([#"\ud83d\ud83d"#, #"\ude00"#], "\u{FFFD}😀"),
        ([#"\\ud83d"#], #"\ud83d"#), ([#"\ud83"#], nil), ([#"caf\u00e9"#, "😀"], "café😀"),
    ])
    func halvesAreJoinedOverDeltas(deltas: [String], whole: String?) {
        var halves = SurrogateHalves()
        var text: String? = ""
        for delta in deltas {
            let marked = SurrogateHalves.marked(Array("\"\(delta)\"".utf8))
            text = JSON(marked)?.string.flatMap { told in text.map { $0 + halves.push(told) } }
        }
        #expect(text.map { $0 + halves.finish() } == whole)
    }

    @Test func aReplyWithHalvesIsWhole() async throws {
        let chunks = [#"Hi \ud83d"#, #"\ude00 you\ude00"#].map {
            #"data: {"choices":[{"index":0,"delta":{"content":"\#($0)"}}]}"# + "\n\n"
        }
        let call = #"""
            data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"1","function":{"name":"f","arguments":"{\"a\":\"\ud83d"}}]}}]}

            data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\ude00\"}"}}]},"finish_reason":"tool_calls"}]}

            data: [DONE]


            """#
        let outcome = try await ChatTests.run(.init(pieces: [chunks.joined() + call]))
        #expect(
            outcome.lines.prefix(3) == ["text Hi ", "text 😀 you\u{FFFD}", #"tool 1 f {"a":"😀"}"#],
            "\(outcome.lines)")
    }
}
