import Base
import Testing

@testable import Routing

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

    /// A dialogue that goes on, and now and then was otherwise at its end than it seemed.
    @Test(arguments: 0..<UInt64(50))
    func readingOnComesToWhatReadingAllDoes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let before = Int.random(in: 0..<3_000, using: &random)
        var dialogue = ShortenedDialogue(PromptEconomy(), before: before)
        var messages: [DialogueMessage] = []
        for step in 0..<60 {
            switch Int.random(in: 0..<8, using: &random) {
            case 0 where !messages.isEmpty:
                messages.removeLast(Int.random(in: 1...3, using: &random) % messages.count)
            case 1:
                messages.append(
                    .assistant("", calls: [.init(name: "find", arguments: ["number": .int(Int64(step))])]))
                messages.append(.toolResult(Self.found))
            case 2, 3: messages.append(.assistant("It is Roma, \(step)."))
            default: messages.append(.user("And Milano, \(step)?"))
            }
            let whole = PromptEconomy().compact(messages, before: before)
            #expect(dialogue.follow(messages).applied(to: messages) == whole, "seed \(seed) step \(step)")
        }
    }

    @Test(arguments: [
        ("There is Roma.", ["Roma"]), ("The table is free.", []), ("I've booked it, and I'm glad.", []),
        ("New Found Glory play at 9:30 on March 5th.", ["New Found Glory", "9:30", "March 5th"]),
        ("Dr. Dina T. Nguyen, MD, can see you.", ["Dr Dina T Nguyen", "MD"]),
        ("It costs $360. Is that right?", ["$360"]),
        ("Roma or Roma? 12 Downing St. is near.", ["Roma", "12 Downing St"]),
        ("Milano, or the Ritz?", ["Ritz"]), ("", []), ("Yes. The table is free. OK. Your seat too.", []),
        ("It is at 7 PM. Would you?", ["7 PM"]), ("It is 9 a.m. at the Ritz.", ["9 a.m", "Ritz"]),
        ("It costs $36. Is that right?", ["$36"]), ("That is 20% off, at -5 degrees.", ["20%", "-5"]),
        ("Please call +44 20 7946 0958.", ["+44 20 7946 0958"]),
    ])
    func ofTheAgentsWordsNamesAndNumbersAreKept(text: String, facts: [String]) {
        var told = ToldFacts()
        told.read(text)
        #expect(told.facts == facts)
        told.skip("Well, \(facts.joined(separator: " and ")).")
        #expect(told.facts.isEmpty, "known anyway")
    }

    @Test func anotherNumberIsNotTheSameFact() {
        var told = ToldFacts()
        told.read("The deposit is $20, and your table is 4.")
        told.skip("I have 20 minutes.")
        #expect(told.facts == ["$20"])
    }

    @Test func theLatestFactsAreKept() {
        var told = ToldFacts()
        for number in 0..<100 { told.read("It costs $\(number).") }
        #expect(told.facts == (76..<100).map { "$\($0)" })
    }

    @Test func oldTurnsLeaveWhatWasSaidAndWhatToolsWereCalledWith() {
        let short = PromptEconomy().compact(Self.talk(12))
        guard case .user(let line) = short.first else {
            Issue.record("no line in place of the old turns")
            return
        }
        #expect(line.contains("city: Rome"))
        #expect(line.contains("You told me: Roma\n"), "\(line)")
        #expect(line.contains("Find me a table / And then, number 0?"))
        #expect(short.suffix(6).elementsEqual(Self.talk(12).suffix(6)))
    }
}
