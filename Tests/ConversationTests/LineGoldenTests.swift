import Agents
import Base
import Conversation
import Testing

/// What a line brings that is no answer: tones, machines, callers who do not stop, the agent's own voice.
struct LineGoldenTests {
    @Test func keysAreHeardAsTonesWhereTheCarrierDoesNotTell() throws {
        var call = Rehearsal(try definition(Desks.menu))
        call.at(0, .mediaStarted(resumed: false))
        call.at(5900, .stirred)
        call.at(5920, .keyTone("2"))
        call.at(6050, .digit("2"))
        call.at(9000, .keyTone("7"))
        call.run(until: 14_000)
        try expectGolden(
            "key-tones",
            """
            A key is heard as tones and told of by the carrier a little later: one press. From then on the carrier's word
            alone counts. The tones are not taken for a voice.
            """, call.ladder)
        #expect(call.count(.record(.digit("2"))) == 1 && call.count(.record(.digit("7"))) == 0)
    }

    @Test func aBusyLineEndsACallThatWePlaced() throws {
        var call = Rehearsal(try definition(Desks.appointments), isOutbound: true)
        call.at(0, .mediaStarted(resumed: false))
        call.at(400, .lineTone(.ringback))
        call.at(2500, .lineTone(.busy))
        call.run(until: 5000)
        try expectGolden(
            "busy-line",
            "A call that we placed meets a busy line: it ends at once, as nobody would hear a goodbye.",
            call.ladder)
        #expect(call.hangUps == [.busy])
    }

    @Test func aFaxMachineEndsACallThatWePlaced() throws {
        var call = Rehearsal(
            try definition(Desks.prompt), variables: ["clinic": "Elm Street"], isOutbound: true)
        call.at(0, .mediaStarted(resumed: false))
        call.at(1200, .lineTone(.faxAnswering))
        call.run(until: 5000)
        try expectGolden("fax-machine", "A fax machine answers a call that we placed.", call.ladder)
        #expect(call.hangUps == [.fax])
    }

    @Test func anAnsweringMachinesBeepIsTold() throws {
        var call = Rehearsal(
            try definition(Desks.prompt), variables: ["clinic": "Elm Street"], isOutbound: true)
        call.replies = [.init(text: ["This is Elm Street. Please call us back."])]
        call.at(0, .mediaStarted(resumed: false))
        call.caller(2000, "please leave a message after the tone", lasting: 2000)
        call.at(4600, .lineTone(.beep))
        call.at(8000, .lineTone(.busy))
        call.run(until: 12_000)
        try expectGolden(
            "answering-machine",
            """
            An answering machine speaks and beeps. The beep is told as an event; the call goes on, and tones after words
            end nothing.
            """, call.ladder)
        #expect(call.hangUps.isEmpty)
    }

    @Test func aCallerWhoNeverStopsIsAnsweredAndTheCallEnds() throws {
        var definition = try definition(Desks.prompt)
        definition.limits.maxSeconds = 150
        var call = Rehearsal(definition, variables: ["clinic": "Elm Street"])
        call.replies = [.init(text: ["I see."]), .init(text: ["I see."])]
        call.at(0, .mediaStarted(resumed: false))
        call.at(2040, .speechStarted(agoMs: 40))
        for (number, words) in ["my", "and my", "then my", "and then his"].enumerated() {
            let text = "\(words) brother told me about the weather"
            call.at(10_000 + number * 40_000, .transcript(.init(text: text, isFinal: true)))
        }
        call.run(until: 200_000)
        try expectGolden(
            "never-stops",
            """
            A caller speaks without a pause. What was said is taken as turns of a minute, and the call ends at its limit
            with a goodbye.
            """, call.ladder)
        #expect(call.hangUps == [.timeLimit])
    }

    @Test func twoPeopleSpeakAtOnce() throws {
        var call = Rehearsal(try definition(Desks.prompt), variables: ["clinic": "Elm Street"])
        call.replies = [.init(text: ["We are open until five."])]
        call.at(0, .mediaStarted(resumed: false))
        call.at(2540, .speechStarted(agoMs: 40))
        call.at(2900, .speechStarted(agoMs: 40))
        call.at(3200, .transcript(.init(text: "when are", isFinal: false)))
        call.at(3300, .transcript(.init(text: "ask them for saturday", isFinal: true)))
        call.at(3600, .speechEnded(agoMs: 100))
        call.at(3650, .speechStarted(agoMs: 40))
        call.at(3900, .transcript(.init(text: "when are you open", isFinal: true)))
        call.at(4100, .speechEnded(agoMs: 100))
        call.run(until: 8000)
        try expectGolden(
            "two-people",
            "Two people speak into one telephone, over each other: their words are one turn, and it is answered once.",
            call.ladder)
        #expect(call.turns.filter { $0.speaker == .caller }.count == 1)
    }

    @Test func theAgentsOwnVoiceComesBackForEver() throws {
        var call = Rehearsal(try definition(Desks.prompt), variables: ["clinic": "Elm Street"])
        call.replies = [
            .init(text: ["We are open from nine to five on weekdays and from ten to four on Saturdays."])
        ]
        call.at(0, .mediaStarted(resumed: false))
        call.caller(2000, "when are you open")
        for (at, words) in [
            (5200, "we are open from nine"), (6300, "open from nine to five on"),
            (7400, "five on weekdays and from ten"),
        ] {
            call.at(at - 250, .speechStarted(agoMs: 40))
            call.at(at, .transcript(.init(text: words, isFinal: true)))
            call.at(at + 50, .speechEnded(agoMs: 100))
        }
        call.run(until: 14_000)
        try expectGolden(
            "echo",
            "The line sends the agent's own words back while it speaks: it is heard to be an echo, and goes on.",
            call.ladder)
        #expect(call.count(.clearPlayout) == 0)
    }
}
