import Routing
import Testing

/// A judge who does not know whose reply is whose.
struct ReplyComparisonTests {
    @Test func aVerdictHoldsInBothOrdersOrNot() {
        typealias Answer = ReplyComparison.Answer
        let cases: [(Answer, Answer, ReplyComparison.Verdict)] = [
            (.first, .second, .better), (.second, .first, .worse), (.same, .same, .equal),
            // Who prefers a place prefers no reply.
            (.first, .first, .equal), (.second, .second, .equal), (.first, .same, .equal),
            (.same, .first, .equal),
        ]
        for (cheapFirst, strongFirst, verdict) in cases {
            #expect(ReplyComparison.verdict(cheapFirst: cheapFirst, strongFirst: strongFirst) == verdict)
        }
    }

    @Test(arguments: [
        ("A", ReplyComparison.Answer.first), ("B.", .second), ("**Same**", .same),
        ("It is a tie: SAME", .same), ("Reply: B", .second), ("Both", nil),
        ("", nil), ("sample", nil),
    ])
    func anAnswerIsItsFirstWordOfThree(text: String, answer: ReplyComparison.Answer?) {
        #expect(ReplyComparison.Answer(text) == answer)
    }

    @Test func neitherReplySaysWhoseItIs() {
        let comparison = ReplyComparison(
            dialogue: String(repeating: "x", count: 70_000) + "the end", cheap: "one", strong: "two")
        let first = comparison.question(cheapFirst: true)
        #expect(first.hasSuffix("the end\n\nReply A:\none\n\nReply B:\ntwo"))
        #expect(comparison.question(cheapFirst: false).hasSuffix("Reply A:\ntwo\n\nReply B:\none"))
        #expect(first.count < 60_100 && !first.contains("cheap"))
    }
}
