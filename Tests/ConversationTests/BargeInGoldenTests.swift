import Agents
import Base
import Conversation
import Testing

/// What becomes of the agent's voice when something sounds over it: one conversation each.
struct BargeInGoldenTests {
    private static let greeting = "Welcome to Elm Street. What is your name?"

    /// The greeting of the appointment desk, which sounds from 0.1 to 2.6 s.
    private func greeted(_ desk: String = Desks.appointments) throws -> Rehearsal {
        var call = Rehearsal(try definition(desk))
        call.at(0, .mediaStarted(resumed: false))
        return call
    }

    @Test func aSoundThatIsNoVoiceOnlyDucks() throws {
        var call = try greeted()
        call.at(700, .stirred)
        call.at(820, .settled)
        call.run(until: 4000)
        try expectGolden(
            "duck-only",
            "A door slams behind the caller: the agent speaks softly until it turns out to be nothing.",
            call.ladder)
        #expect(call.count(.duckPlayout) == 1 && call.count(.unduckPlayout) == 1)
        #expect(call.count(.pausePlayout) == 0)
    }

    @Test func aCoughPausesAtMost() throws {
        var call = try greeted()
        call.at(740, .stirred)
        call.at(860, .settled)
        call.at(900, .stirred)
        call.at(1000, .speechStarted(agoMs: 100))
        call.at(1240, .speechEnded(agoMs: 100))
        call.at(1400, .transcript(.init(text: "", isFinal: true)))
        call.run(until: 4000)
        try expectGolden(
            "cough",
            """
            A cough of two bursts. The first only ducks; the second sounds enough like a voice to pause the agent, which goes on from
            the very sample as no words come of it.
            """, call.ladder)
        #expect(call.count(.resumePlayout(fromStart: false)) == 1 && call.count(.clearPlayout) == 0)
        #expect(call.turns.map(\.text) == [Self.greeting])
    }

    @Test func whoHumsOnceHumsAgain() throws {
        var call = try greeted()
        for ms in [700, 1500] {
            call.at(ms, .speechStarted(agoMs: 0))
            call.at(ms + 300, .speechEnded(agoMs: 0))
            call.at(ms + 450, .transcript(.init(text: "mm-hm", isFinal: true)))
        }
        call.run(until: 5000)
        try expectGolden(
            "hums",
            """
            The caller hums twice over the greeting. The first time the agent pauses and goes on from the very sample; the second
            time it knows the caller and only speaks softly.
            """, call.ladder)
        #expect(call.count(.pausePlayout) == 1 && call.count(.duckPlayout) == 2)
    }

    @Test func theAgentsOwnVoiceComesBack() throws {
        var call = try greeted()
        call.at(1640, .stirred)
        call.at(1680, .speechStarted(agoMs: 80))
        call.at(1900, .transcript(.init(text: "welcome to elm street", isFinal: false)))
        call.at(2000, .speechEnded(agoMs: 100))
        call.at(2100, .transcript(.init(text: "welcome to elm street", isFinal: true)))
        call.run(until: 5000)
        try expectGolden(
            "echo-softened",
            """
            A telephone on loudspeaker gives the agent's words back a second late. They are its own: the agent goes on, and no
            turn of the caller's comes of them.
            """, call.ladder)
        #expect(call.turns.map(\.text) == [Self.greeting])
    }

    @Test func aStopPhraseNeedsNoOtherWords() throws {
        var call = try greeted(
            Desks.appointments.replacing("{\"flow\"", with: "{\"turns\": {\"barge_in_words\": 4}, \"flow\""))
        call.at(840, .speechStarted(agoMs: 40))
        call.at(1200, .transcript(.init(text: "wait a second", isFinal: false)))
        call.at(1700, .speechEnded(agoMs: 100))
        call.at(1800, .transcript(.init(text: "wait a second", isFinal: true)))
        call.run(until: 2500)
        try expectGolden(
            "stop-phrase",
            "This agent wants four words before it stops. \"Wait a second\" are three, and stop it at once.",
            call.ladder)
        #expect(call.count(.clearPlayout) == 1)
    }

    @Test func afterALongPauseTheLineBeginsAgain() throws {
        var call = try greeted()
        call.at(740, .speechStarted(agoMs: 40))
        call.at(1040, .transcript(.init(text: "oh", isFinal: false)))
        call.at(1300, .transcript(.init(text: "oh yeah", isFinal: false)))
        call.at(2100, .speechEnded(agoMs: 100))
        call.at(2200, .transcript(.init(text: "oh yeah", isFinal: true)))
        call.run(until: 7000)
        try expectGolden(
            "resume-from-start",
            """
            The caller draws out an "oh, yeah". The agent has been silent for over a second in the middle of its sentence, so
            it says the sentence again.
            """, call.ladder)
        #expect(call.count(.resumePlayout(fromStart: true)) == 1)
    }

    @Test func aLineThatMustBeHeardIsHeard() throws {
        var call = try greeted(Desks.notice)
        call.at(700, .stirred)
        call.at(740, .speechStarted(agoMs: 80))
        call.at(1400, .speechEnded(agoMs: 100))
        call.at(1500, .transcript(.init(text: "stop it", isFinal: true)))
        call.caller(4000, "yes", lasting: 400)
        call.run(until: 7000)
        try expectGolden(
            "uninterruptible",
            """
            The caller speaks over a notice that the law asks for. It is neither softened nor stopped, what was said over it is
            noted and let go, and the question after it is answered as usual.
            """, call.ladder)
        #expect(call.count(.duckPlayout) == 0 && call.count(.clearPlayout) == 0)
        #expect(call.hangUps == [.agentEnded])
    }

    @Test func theCallerTalksWhileAToolRuns() throws {
        var call = Rehearsal(try definition(Desks.prompt), variables: ["clinic": "Elm Street"])
        call.tools["weather"] = (3000, ["sky": "clear"])
        call.replies = [
            .init(tool: ("weather", #"{"day":"today"}"#)), .init(text: ["It is clear, and warm."]),
            .init(text: ["Tomorrow it rains."]),
        ]
        call.at(0, .mediaStarted(resumed: false))
        call.caller(2500, "what is the weather")
        call.caller(6300, "and tomorrow too please", lasting: 1000)
        call.run(until: 14_000)
        try expectGolden(
            "talk-over-tool",
            """
            A tool takes three seconds. The caller goes on talking over the filler: the filler stops, the tool is let finish, and
            the model answers with its result and with what was said meanwhile.
            """, call.ladder)
        #expect(call.toolCalls.count == 1)
    }
}
