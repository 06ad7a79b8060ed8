import Agents
import Base
import Conversation
import Testing

struct GoldenTests {
    @Test func aPhoneNumberIsDictatedWithPauses() throws {
        var call = Rehearsal(try definition(Desks.appointments))
        call.at(0, .mediaStarted(resumed: false))
        call.caller(3500, "ann lee")
        call.caller(8000, "next tuesday")
        call.caller(12_500, "five five five", lasting: 900)
        call.caller(14_500, "oh one", lasting: 500)
        call.caller(16_600, "double two", lasting: 600)
        call.run(until: 22_000)
        try expectGolden(
            "dictated-number",
            """
            The greeting, then a phone number read out in three pieces with pauses of over a second.
            The agent waits through the pauses because digits are still owed, and ends the turn when they are enough.
            """, call.ladder)
        #expect(call.turns.filter { $0.speaker == .caller }.last?.text == "five five five oh one double two")
    }

    @Test func aBackchannelDoesNotStopTheAgent() throws {
        var call = Rehearsal(try definition(Desks.appointments))
        call.at(0, .mediaStarted(resumed: false))
        call.at(700, .speechStarted(agoMs: 0))
        call.at(1000, .speechEnded(agoMs: 0))
        call.at(1150, .transcript(.init(text: "mm-hm", isFinal: true)))
        call.run(until: 5000)
        try expectGolden(
            "backchannel",
            "The caller hums over the greeting: the agent is ducked, pauses, and goes on when the hum is over.",
            call.ladder)
        #expect(
            call.count(.pausePlayout) == 1 && call.count(.resumePlayout(fromStart: false)) == 1
                && call.count(.clearPlayout) == 0)
    }

    @Test func anInterruptionTakesTheFloor() throws {
        var call = Rehearsal(try definition(Desks.prompt), variables: ["clinic": "Elm Street"])
        call.replies = [
            .init(text: ["We are open from nine ", "to five on weekdays. ", "On Saturdays we open at ten."]),
            .init(text: ["On Sundays we are closed."]),
        ]
        call.at(0, .mediaStarted(resumed: false))
        call.caller(2500, "when are you open")
        call.at(6200, .speechStarted(agoMs: 0))
        call.at(6700, .transcript(.init(text: "and on", isFinal: false)))
        call.at(7300, .speechEnded(agoMs: 0))
        call.at(7450, .transcript(.init(text: "and on sundays", isFinal: true)))
        call.run(until: 12_000)
        try expectGolden(
            "interruption",
            """
            The caller talks over the agent's answer. The voice pauses, the words show that it is an interruption,
            and the agent's turn is cut down to the words that were really heard; so is the model's memory of it.
            """, call.ladder)
        let request = call.effects.compactMap { effect -> Dialogue.ModelRequest? in
            if case .startReply(_, let request) = effect { request } else { nil }
        }.last
        #expect(request?.messages.contains(.assistant("We are open from nine to five on")) == true)
        #expect(request?.messages.last == .user("(cutting in) and on sundays"))
    }

    @Test func anAppointmentIsBooked() throws {
        var call = Rehearsal(try definition(Desks.appointments))
        call.tools["book"] = (1500, ["slot": "tuesday at ten"])
        call.at(0, .mediaStarted(resumed: false))
        call.caller(3500, "my name is bob stone")
        call.caller(8000, "on tuesday please")
        call.caller(12_500, "five five five oh one double two six six six", lasting: 3000)
        call.caller(22_000, "yes that is right")
        call.run(until: 32_000)
        try expectGolden(
            "booking",
            "A whole booking: name, day, number, yes, a tool that is slow enough for a filler, goodbye.",
            call.ladder)
        #expect(
            call.toolCalls.first?.arguments == ["name": "bob stone", "day": "tuesday", "phone": "5550122666"])
        #expect(call.hangUps == [.agentEnded])
    }

    @Test func silenceIsAskedAgainAndThenEnds() throws {
        var call = Rehearsal(try definition(Desks.appointments))
        call.at(0, .mediaStarted(resumed: false))
        call.run(until: 60_000)
        try expectGolden(
            "silence", "Nobody answers. The agent asks twice more, then says goodbye and hangs up.",
            call.ladder)
        #expect(call.hangUps == [.silence])
    }

    @Test func anotherWorkerTakesOver() throws {
        var first = Rehearsal(try definition(Desks.appointments))
        first.at(0, .mediaStarted(resumed: false))
        first.caller(3500, "ann lee")
        first.run(until: 6000)
        var checkpoint = first.conversation.checkpoint
        checkpoint.elapsedMs = 9000
        var second = Rehearsal(try definition(Desks.appointments), resuming: checkpoint)
        second.at(0, .mediaStarted(resumed: true))
        second.caller(5500, "the third of march")
        second.run(until: 9000)
        try expectGolden(
            "takeover",
            "The worker is lost after the name was given. The next one says so and asks the question again.",
            second.ladder)
        #expect(
            second.said.prefix(2) == [
                "Sorry, we were cut off for a moment.", "Hello ann lee. Which day suits you?",
            ])
    }

    @Test func fundsRunOut() throws {
        var call = Rehearsal(try definition(Desks.appointments), fundedMs: 22_000)
        call.fundedTo = nil
        call.at(0, .mediaStarted(resumed: false))
        call.run(until: 20_000)
        try expectGolden(
            "no-funds",
            "The ledger refuses more funds: the agent says goodbye, is heard to the end, and hangs up.",
            call.ladder)
        #expect(call.hangUps == [.noFunds])
    }

    @Test func keysAnswerAndInterrupt() throws {
        var call = Rehearsal(try definition(Desks.menu))
        call.at(0, .mediaStarted(resumed: false))
        call.at(1000, .digit("2"))
        for (index, key) in ["4", "7", "1", "1", "#"].enumerated() {
            call.at(4500 + index * 300, .digit(key))
        }
        call.run(until: 12_000)
        try expectGolden(
            "keys",
            "A key cuts the menu short; an order number is ended with #; the recording pauses meanwhile.",
            call.ladder)
        #expect(call.said.last == "Order 4 7 1 1 is on its way. Goodbye.")
        #expect(!call.ladder.contains { $0.contains("record key 4") })
    }

    @Test func aModelUsesATool() throws {
        var call = Rehearsal(try definition(Desks.prompt), variables: ["clinic": "Elm Street"])
        call.tools["weather"] = (1400, ["sky": "clear"])
        call.replies = [
            .init(tool: ("weather", #"{"day":"today"}"#)),
            .init(text: ["It is clear. ", "Anything else?"]),
            .init(text: ["Goodbye then."], tool: ("end_call", "{}")),
        ]
        call.at(0, .mediaStarted(resumed: false))
        call.caller(2500, "what is the weather")
        call.caller(8500, "no thank you")
        call.run(until: 14_000)
        try expectGolden(
            "prompt-tool",
            "A model asks for a tool, the wait is covered by a filler, it answers, and ends the call when asked to.",
            call.ladder)
        #expect(call.toolCalls.map(\.key) == ["call-weather-1"])
        #expect(call.hangUps == [.agentEnded])
    }

    @Test func whoHearsNobodySaysSo() throws {
        var call = Rehearsal(try definition(Desks.appointments))
        call.at(0, .mediaStarted(resumed: false))
        call.at(2500, .recogniserFailed(code: "stt.unauthorized"))
        call.run(until: 14_000)
        try expectGolden(
            "deaf", "No recogniser is left: the agent does not wait for words that nobody would hear.",
            call.ladder)
        #expect(call.hangUps == [.agentFailed])
    }

    @Test func whoAsksForKeysNeedsNoRecogniser() throws {
        var call = Rehearsal(try definition(Desks.menu))
        call.at(0, .mediaStarted(resumed: false))
        call.at(500, .recogniserFailed(code: "stt.unauthorized"))
        call.at(3000, .digit("1"))
        call.run(until: 14_000)
        #expect(call.hangUps != [.agentFailed] && call.said.count > 1, "\(call.ladder)")
    }

    @Test func aReplyIsBegunOnAGuess() throws {
        var call = Rehearsal(try definition(Desks.prompt), variables: ["clinic": "Elm Street"])
        call.replies = [
            .init(text: ["For when, ", "and for how many?"]), .init(text: ["Very well. ", "At eight?"]),
        ]
        call.at(0, .mediaStarted(resumed: false))
        call.at(2540, .speechStarted(agoMs: 40))
        call.at(3200, .transcript(.init(text: "I need a table tomorrow", isFinal: false)))
        call.at(3500, .speechEnded(agoMs: 100))
        call.at(3700, .transcript(.init(text: "I need a table tomorrow for two", isFinal: false)))
        call.at(3800, .transcript(.init(text: "I need a table tomorrow, for two.", isFinal: true)))
        call.caller(8000, "on Friday")
        call.run(until: 14_000)
        try expectGolden(
            "guess",
            """
            The model is asked as soon as the words may be all: more words call that reply off, final words that say the same do
            not. What it says is made to sound ahead and heard when the turn is over; until then nothing of it is recorded.
            """, call.ladder)
        #expect(
            call.said == [
                "Hello, how can I help?", "For when,", "and for how many?", "Very well.", "At eight?",
            ])
        let requests = call.effects.compactMap { effect -> Dialogue.ModelRequest? in
            if case .startReply(_, let request) = effect { request } else { nil }
        }
        #expect(requests.map(\.isDraft) == [true, true, true])
        #expect(requests.map(\.turn) == [1, 1, 2])
        #expect(
            requests.last?.messages.suffix(2) == [
                .assistant("For when, and for how many?"), .user("on Friday"),
            ])
    }
}
