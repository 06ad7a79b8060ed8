import Agents
import Base
import Conversation
import Testing

/// How answers are waited for, mended, joined and asked for again: one conversation each.
struct AnswerGoldenTests {
    /// At the question for a telephone number, 12 s into the call.
    private func atTheNumber() throws -> Rehearsal {
        var call = Rehearsal(try definition(Desks.appointments))
        call.at(0, .mediaStarted(resumed: false))
        call.caller(3500, "ann lee")
        call.caller(8000, "tuesday")
        return call
    }

    @Test func aWholeNumberClosesAtOnceAndAYesSooner() throws {
        var call = try atTheNumber()
        call.caller(12_000, "four one five five five five oh one oh oh", lasting: 3000)
        call.caller(22_000, "yes", lasting: 400)
        call.run(until: 24_000)
        try expectGolden(
            "whole-answers",
            "Ten digits end the turn 200 ms after the last one, a yes after 200 ms: nothing more can come.",
            call.ladder)
        let waits = call.turns.compactMap(\.evidence).suffix(2)
        #expect(waits.map(\.term) == ["whole", "whole"] && waits.allSatisfy { $0.waitMs <= 200 })
    }

    @Test func halfANumberIsReadBackAndTheRestAskedFor() throws {
        var call = try atTheNumber()
        call.caller(12_000, "four one five five five five", lasting: 2000)
        call.caller(22_500, "oh one oh oh", lasting: 1000)
        call.run(until: 31_000)
        try expectGolden(
            "half-a-number",
            """
            The caller stops after six digits of ten. After three seconds of silence the agent says what it has and asks
            for the rest; both pieces become one number.
            """, call.ladder)
        #expect(call.said.last == "So tuesday, and your number is 4 1 5, 5 5 5, 0 1 0 0. Is that right?")
    }

    @Test func aNumberIsCorrectedWhenItIsReadBack() throws {
        var call = try atTheNumber()
        call.caller(12_000, "four one five five five five oh one oh five", lasting: 3000)
        call.caller(23_000, "six, not five", lasting: 900)
        call.caller(32_000, "yes")
        call.run(until: 33_500)
        try expectGolden(
            "correction",
            "The agent reads the number back, the caller mends its last digit, the agent says the mended one.",
            call.ladder)
        #expect(call.said.contains("So tuesday, and your number is 4 1 5, 5 5 5, 0 1 0 6. Is that right?"))
    }

    @Test func aPlaceInANumberIsMendedAndWhatIsUnclearIsNoYes() throws {
        var call = try atTheNumber()
        call.caller(12_000, "two one two five five five oh one two three", lasting: 3000)
        call.caller(23_000, "no, the second five is a nine", lasting: 1500)
        call.caller(33_000, "the area code should be three one two please", lasting: 1500)
        call.caller(43_000, "the fifth eight should be a nine please", lasting: 1500)
        call.caller(53_000, "yes")
        call.run(until: 55_000)
        try expectGolden(
            "places",
            """
            The caller says which digits are wrong: the second five, then the area code, with a "please" that is no yes. There is
            no fifth eight: nothing is changed, and the number is read back once more.
            """, call.ladder)
        let numbers = call.said.filter { $0.contains("is that right") || $0.contains("Is that right") }
        #expect(
            numbers.map { $0.filter(\.isNumber) } == ["2125550123", "2125950123", "3125950123", "3125950123"])
    }

    @Test func aCorrectionThatFitsNothingIsNoPartOfAnAddress() throws {
        var call = Rehearsal(
            try definition(
                """
                {"flow": {"start": "mail", "nodes": [
                  {"id": "mail", "say": "What is your email address?", "expect": "email", "save": "mail",
                   "edges": [{"when": "matched", "to": "bye"}]},
                  {"id": "bye", "say": "I have {{mail}}. Goodbye.", "end": true}]}}
                """))
        call.at(0, .mediaStarted(resumed: false))
        call.caller(3000, "no six not five", lasting: 900)
        call.caller(12_000, "john dot smith", lasting: 900)
        call.caller(24_000, "no six not five", lasting: 900)
        call.caller(34_000, "at example dot com", lasting: 900)
        call.run(until: 40_000)
        #expect(!call.said.contains { $0.contains("not five") }, "\(call.said)")
        #expect(call.said.contains { $0.contains("john dot smith") })
        #expect(call.said.last == "I have john.smith@example.com. Goodbye.")
    }

    @Test func theCallerMayHearItAgainOrStartOver() throws {
        var call = try atTheNumber()
        call.caller(12_000, "sorry can you say that again")
        call.caller(17_000, "four one five five")
        call.caller(19_000, "no start over")
        call.caller(25_000, "four one five five five five oh one oh oh", lasting: 3000)
        call.run(until: 29_500)
        try expectGolden(
            "again-and-over",
            """
            "Say that again" repeats the question word for word. In the middle of the number the caller wants to start
            over: what was said before it is forgotten.
            """, call.ladder)
        #expect(call.said.count { $0 == "What is your phone number?" } == 2)
        #expect(call.turns.last { $0.speaker == .caller }?.text.hasSuffix("oh one oh oh") == true)
        #expect(call.said.last?.contains("4 1 5, 5 5 5, 0 1 0 0") == true)
    }

    /// The router is told what a model would have been asked.
    @Test func aLineThatTheAgentKnowsAsksNoModel() throws {
        var definition = try definition(Desks.prompt)
        definition.prompt?.routing = RoutingSettings(cheap: ModelChoice(vendor: "openai", model: "small"))
        var call = Rehearsal(definition, variables: ["clinic": "Elm Street"])
        call.replies = [.init(text: ["On Monday at nine or on Friday at four."])]
        call.at(0, .mediaStarted(resumed: false))
        call.caller(2500, "when can I come")
        call.caller(9000, "say that again please")
        call.run(until: 15_000)
        try expectGolden(
            "spared-reply",
            """
            Asked to say that again, the agent repeats its line, and no model is asked: the router accounts for it as scripted.
            """, call.ladder)
        #expect(call.said.suffix(2) == Array(repeating: "On Monday at nine or on Friday at four.", count: 2))
        let spared = call.effects.compactMap { effect -> Dialogue.ModelRequest? in
            if case .spareReply(let request, _) = effect { request } else { nil }
        }
        #expect(spared.count == 1)
        #expect(spared.first?.messages.last == .user("say that again please"))
    }

    @Test func aCallerWhoGoesOnIsHeardAsOneTurn() throws {
        var call = Rehearsal(try definition(Desks.prompt), variables: ["clinic": "Elm Street"])
        call.replies = [.init(text: ["At what time?"]), .init(text: ["At seven, very well."])]
        call.at(0, .mediaStarted(resumed: false))
        call.caller(2500, "I would like to book a table for two people tomorrow")
        call.caller(3800, "at seven in the evening please", lasting: 1200)
        call.run(until: 10_000)
        try expectGolden(
            "cut-turn",
            """
            The caller pauses for half a second, and the agent takes the turn for over. As the caller goes on at once, both parts
            are one turn, and the reply that was begun leaves no trace in what the model and the record hold.
            """, call.ladder)
        let asked = call.effects.compactMap { effect -> Dialogue.ModelRequest? in
            if case .startReply(_, let request) = effect { request } else { nil }
        }
        #expect(
            asked.last?.messages.suffix(2) == [
                .assistant("Hello, how can I help?"),
                .user("I would like to book a table for two people tomorrow at seven in the evening please"),
            ])
        #expect(
            call.turns.map(\.text) == [
                "Hello, how can I help?",
                "I would like to book a table for two people tomorrow at seven in the evening please",
                "At seven, very well.",
            ])
    }

    @Test func moreDigitsReopenANumber() throws {
        var call = Rehearsal(try definition(Desks.orders))
        call.at(0, .mediaStarted(resumed: false))
        call.caller(2500, "four seven one one", lasting: 1200)
        call.caller(5000, "two two", lasting: 500)
        call.run(until: 11_000)
        try expectGolden(
            "reopened-number",
            """
            An order number has four to eight digits. Four are enough after a second, but two more come before the agent
            has said a word: the number is six digits long.
            """, call.ladder)
        #expect(call.said.last == "Order 4 7 1, 1 2 2. Is there anything else?")
        #expect(call.turns.filter { $0.speaker == .caller }.map(\.text) == ["four seven one one two two"])
    }

    @Test func aModelSaysWhatItAsksFor() throws {
        var call = Rehearsal(try definition(Desks.prompt), variables: ["clinic": "Elm Street"])
        call.replies = [
            .init(text: ["Your code please. ", "[[digits:", "4]]"]), .init(text: ["Is that your number?"]),
            .init(text: ["Thank you."]),
        ]
        call.at(0, .mediaStarted(resumed: false))
        call.caller(2500, "I want to log in")
        call.caller(6500, "one two", lasting: 500)
        call.caller(9000, "three four", lasting: 500)
        call.caller(13_000, "say that again", lasting: 500)
        call.caller(17_000, "yes", lasting: 400)
        call.run(until: 20_000)
        try expectGolden(
            "prompt-expects",
            """
            A mark at the end of the model's reply says what it asks for and is not spoken: the agent waits through a pause
            of two seconds for four digits. The next question is marked by nothing; its words show that it wants a yes or
            no. "Say that again" needs no model.
            """, call.ladder)
        #expect(!call.said.contains { $0.contains("[") })
        #expect(call.turns.filter { $0.speaker == .caller }.map(\.text).contains("one two three four"))
    }

    @Test func theRecogniserMayKnowBetterThanSilence() throws {
        var call = Rehearsal(try definition(Desks.prompt), variables: ["clinic": "Elm Street"])
        call.replies = [.init(text: ["From nine to five."])]
        call.at(0, .mediaStarted(resumed: false))
        call.caller(2500, "when are you open")
        call.at(3450, .endOfTurn(probability: 0.9))
        call.run(until: 6000)
        try expectGolden(
            "recognisers-guess",
            "The recogniser is sure that the caller is done: the agent waits half as long.",
            call.ladder)
    }

    @Test func transcriptsMayBeLateDoubledEmptyOrContradictory() throws {
        var call = Rehearsal(try definition(Desks.prompt), variables: ["clinic": "Elm Street"])
        call.replies = [.init(), .init(text: ["Goodbye then."])]
        call.at(0, .mediaStarted(resumed: false))
        call.at(2540, .speechStarted(agoMs: 40))
        call.at(2900, .transcript(.init(text: "no thank you", isFinal: false)))
        call.at(3600, .speechEnded(agoMs: 100))
        call.at(4600, .transcript(.init(text: "no thank you not today", isFinal: true)))
        call.at(4700, .transcript(.init(text: "no thank you not today", isFinal: true)))
        call.at(4800, .transcript(.init(text: "", isFinal: true)))
        call.run(until: 9000)
        try expectGolden(
            "late-words",
            """
            Final words come so late that the turn was taken with what was there; they say something else, so it is taken
            again with them. What comes twice or empty changes nothing.
            """, call.ladder)
        #expect(call.turns.filter { $0.speaker == .caller }.map(\.text) == ["no thank you not today"])
    }

    @Test func aModelThatIsStuckIsBridged() throws {
        var agent = try definition(Desks.prompt)
        agent.prompt?.filler = "One moment."
        var call = Rehearsal(agent, variables: ["clinic": "Elm Street"])
        call.replies = [.init(text: ["We are open from nine to five."], afterMs: 8000)]
        call.at(0, .mediaStarted(resumed: false))
        call.caller(2500, "when are you open")
        call.run(until: 16_000)
        try expectGolden(
            "late-answer",
            """
            The model's first word takes eight seconds. 900 ms after the caller's last sound the filler is said, once, and the
            answer follows when it comes; how long that took is not measured to the filler.
            """, call.ladder)
        #expect(call.said == ["Hello, how can I help?", "One moment.", "We are open from nine to five."])
        let stages = try #require(call.turns.last?.stages)
        #expect(try #require(stages.heardMs) > 8000 && stages.firstAudioMs ?? 0 > stages.firstTokenMs ?? .max)
    }

    @Test func aModelInTimeIsNotBridged() throws {
        var agent = try definition(Desks.prompt)
        agent.prompt?.filler = "One moment."
        var call = Rehearsal(agent, variables: ["clinic": "Elm Street"])
        call.replies = [.init(text: ["We are open."])]
        call.at(0, .mediaStarted(resumed: false))
        call.caller(2500, "when are you open")
        call.run(until: 9_000)
        #expect(call.said == ["Hello, how can I help?", "We are open."])
    }

    @Test func aCallerWhoGoesOnIsNotBridged() throws {
        var agent = try definition(Desks.prompt)
        agent.prompt?.filler = "One moment."
        var call = Rehearsal(agent, variables: ["clinic": "Elm Street"])
        call.replies = [.init(text: ["We are open."], afterMs: 8000)]
        call.at(0, .mediaStarted(resumed: false))
        call.caller(2500, "when are you open", lasting: 700)
        call.caller(3900, "on monday", lasting: 1500)
        call.run(until: 5400)
        #expect(call.said == ["Hello, how can I help?"], "the caller has the floor")
        call.run(until: 7000)
        #expect(call.said == ["Hello, how can I help?", "One moment."])
    }
}
