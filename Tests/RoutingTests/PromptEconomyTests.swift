import Base
import Routing
import Testing

/// Prompts that are cut short and what must stay in them.
@Suite struct PromptEconomyTests {
    static let found =
        #"[{"name":"Roma","phone":"555 0100","stars":4},{"name":"Milano","phone":"555 0101","stars":3}]"#

    static func talk(_ turns: Int) -> [DialogueMessage] {
        var messages: [DialogueMessage] = [
            .user("Find me a table"),
            .assistant("", calls: [.init(name: "find", arguments: ["city": "Rome"])]),
            .toolResult(found), .assistant("There is Roma."),
        ]
        for turn in 0..<turns {
            messages.append(.user("And then, number \(turn)?"))
            messages.append(.assistant("This is what follows."))
        }
        return messages
    }

    @Test func resultsKeepWhatWasSaidOfThem() {
        let short = PromptEconomy().compact(Self.talk(2))
        #expect(short[2] == .toolResult("name: Roma"))
        #expect(short.count == Self.talk(2).count)
    }

    @Test func freshResultsKeepEveryValueWithEachNameOnce() {
        var whole = Self.talk(1)
        whole[2] = .toolResult("name|phone|stars\nRoma|555 0100|4\nMilano|555 0101|3")
        #expect(PromptEconomy().compact(Self.talk(1)) == whole)
        #expect(PromptEconomy().compact([]) == [])
    }

    @Test(arguments: [
        (#"{"free": true, "room": null, "price": 80}"#, "free: true; price: 80; room: "),
        (#"[{"a": 1}, {"b": "two"}]"#, "a|b\n1|\n|two"),
        // What could be read in two ways, or has parts of its own, stays as it came but for spaces.
        (#"[{"name": "a|b"}, {"name": "c"}]"#, #"[{"name":"a|b"},{"name":"c"}]"#),
        (#"{"note": "one\ntwo"}"#, #"{"note":"one\ntwo"}"#),
        (#"{"rooms": [1, 2]}"#, #"{"rooms":[1,2]}"#),
        ("[]", "[]"), ("It is free.", "It is free."),
    ])
    func aResultIsWrittenOnceAndReadOneWay(result: String, written: String) {
        #expect(
            PromptEconomy().compact([.user("Look it up"), .toolResult(result)])[1] == .toolResult(written))
    }

    @Test func theBeginningOfACachedPromptStaysAsItWasFromCallToCall() {
        var changes = 0
        var before = PromptEconomy().compact(Self.talk(2), before: 2_000)
        for turns in 3..<20 {
            let now = PromptEconomy().compact(Self.talk(turns), before: 2_000)
            if !now.starts(with: before) { changes += 1 }
            #expect(PromptEconomy.tokens(now) <= PromptEconomy.tokens(Self.talk(turns)))
            before = now
        }
        #expect(changes <= 4)
    }

    @Test func oldTurnsLeaveWhatWasSaidAndWhatToolsWereCalledWith() {
        let short = PromptEconomy().compact(Self.talk(12))
        guard case .user(let line) = short.first else {
            Issue.record("no line in place of the old turns")
            return
        }
        #expect(line.contains("city: Rome"))
        #expect(line.contains("Find me a table / And then, number 0?"))
        #expect(short.suffix(6).elementsEqual(Self.talk(12).suffix(6)))
    }
}
