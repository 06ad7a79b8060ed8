import Testing

@testable import VendorSim

struct PersonaMindTests {
    private func mind(_ cues: [Cue]) -> PersonaMind {
        PersonaMind(.init(cues: cues, grammar: HeardGrammar(["x"])))
    }

    @Test func answersWhenTheLineIsOver() {
        var mind = mind([.hear("your name", say: "anna")])
        #expect(mind.handle(.agentStarted, at: 100) == [])
        #expect(mind.handle(.partial("what is your name"), at: 900) == [])
        #expect(mind.handle(.tick, at: 1000) == [])
        #expect(mind.handle(.agentStopped, at: 1400) == [])
        #expect(
            mind.handle(.recognized("what is your name"), at: 1410) == [
                .say([.words("anna")], isBargeIn: false)
            ])
    }

    @Test func theQuestionAtTheEndIsTheOneAnswered() {
        var mind = mind([.hear("phone number", say: "one two"), .hear("correct", say: "yes")])
        let heard = "i have anna on tuesday phone number one two is that correct"
        #expect(mind.handle(.recognized(heard), at: 10) == [.say([.words("yes")], isBargeIn: false)])
    }

    @Test func bargesInOnceTheKeywordWasHeardAndTheTimeHasCome() {
        var mind = mind([
            Cue(["please note"], [.words("yes yes")], timing: .bargeIn(after: .milliseconds(1000))),
            .hear("go on", say: "yes"),
        ])
        _ = mind.handle(.agentStarted, at: 0)
        #expect(mind.handle(.tick, at: 1500) == [])
        _ = mind.handle(.partial("please note that"), at: 1500)
        #expect(mind.handle(.tick, at: 1520) == [.say([.words("yes yes")], isBargeIn: true)])
        // The agent falls silent; what it said has its answer already.
        _ = mind.handle(.agentStopped, at: 2100)
        #expect(mind.handle(.recognized("please note that the"), at: 2100) == [])
    }

    @Test func whatIsAskedBehindABargeInIsStillAnswered() {
        var mind = mind([
            Cue(["please note"], [.words("yes yes")], timing: .bargeIn(after: .milliseconds(1000))),
            .hear("go on", say: "yes"),
        ])
        _ = mind.handle(.agentStarted, at: 0)
        _ = mind.handle(.partial("please note that"), at: 900)
        _ = mind.handle(.tick, at: 1000)
        _ = mind.handle(.spoken, at: 2000)
        _ = mind.handle(.agentStopped, at: 4000)
        let heard = PersonaMind.Input.recognized("please note that this is long shall we go on")
        #expect(mind.handle(heard, at: 4000) == [.say([.words("yes")], isBargeIn: false)])
    }

    @Test func aBackchannelDoesNotAnswerTheLine() {
        var mind = mind([
            Cue([], [.words("mhm")], timing: .backchannel(after: .milliseconds(500)), usesMax: 1),
            .hear("name", say: "anna"),
        ])
        _ = mind.handle(.agentStarted, at: 0)
        #expect(mind.handle(.tick, at: 500) == [.say([.words("mhm")], isBargeIn: false)])
        #expect(mind.handle(.tick, at: 520) == [])
        _ = mind.handle(.spoken, at: 700)
        _ = mind.handle(.agentStopped, at: 2000)
        #expect(mind.handle(.recognized("your name"), at: 2000) == [.say([.words("anna")], isBargeIn: false)])
    }

    @Test func asksAgainAndGivesUpInTheEnd() {
        var patience = Persona.Patience()
        patience.guesses = false
        var mind = PersonaMind(
            .init(cues: [.hear("name", say: "anna")], grammar: HeardGrammar(["x"]), patience: patience))
        let ask = PersonaMind.Effect.say([.words("sorry could you repeat that")], isBargeIn: false)
        #expect(mind.handle(.tick, at: 5980) == [])
        #expect(mind.handle(.tick, at: 6000) == [ask])
        _ = mind.handle(.spoken, at: 7000)
        #expect(mind.handle(.tick, at: 13_000) == [ask])
        _ = mind.handle(.spoken, at: 14_000)
        #expect(mind.handle(.tick, at: 20_000) == [.hangUp])
    }

    @Test func guessesWhatWasAskedWhenAskingDidNotHelp() {
        var mind = mind([.hear("name", say: "anna"), .hear("day", say: "monday")])
        _ = mind.handle(.recognized("your name"), at: 0)
        _ = mind.handle(.spoken, at: 1000)
        #expect(
            mind.handle(.tick, at: 7000) == [.say([.words("sorry could you repeat that")], isBargeIn: false)])
        _ = mind.handle(.spoken, at: 8000)
        #expect(mind.handle(.tick, at: 14_000) == [.say([.words("monday")], isBargeIn: false)])
    }

    @Test func hangsUpAfterTheLastWord() {
        var mind = mind([.hear("bye", sayAndHangUp: "bye bye")])
        #expect(mind.handle(.recognized("bye"), at: 0) == [.say([.words("bye bye")], isBargeIn: false)])
        #expect(mind.handle(.spoken, at: 900) == [.hangUp])
        var other = self.mind([Cue(["wrong"], [], hangsUp: true)])
        #expect(other.handle(.recognized("wrong"), at: 1000) == [.hangUp])
    }

    @Test func aCueWearsOut() {
        var mind = mind([Cue(["name"], [.words("anna")], usesMax: 1)])
        #expect(mind.handle(.recognized("name"), at: 0).count == 1)
        _ = mind.handle(.spoken, at: 10)
        #expect(mind.handle(.recognized("name"), at: 20) == [])
    }

    @Test func whatIsUnderstoodTooLateBelongsToTheNextLine() {
        var mind = mind([.hear("name", say: "anna")])
        _ = mind.handle(.agentStarted, at: 0)
        _ = mind.handle(.agentStopped, at: 1000)
        _ = mind.handle(.agentStarted, at: 1010)
        #expect(mind.handle(.recognized("your name"), at: 1020) == [])
        _ = mind.handle(.agentStopped, at: 2000)
        #expect(mind.handle(.recognized("please"), at: 2010) == [.say([.words("anna")], isBargeIn: false)])
    }

    @Test(arguments: [1, 7, 42] as [UInt64]) func theSameSeedIsTheSamePerson(_ seed: UInt64) {
        let one = Persona.appointment(seed: seed)
        let two = Persona.appointment(seed: seed)
        #expect(one.expected == two.expected)
        #expect(one.persona.sentences == two.persona.sentences)
        #expect(one.expected.phone.count == 10)
    }

    @Test func seedsGiveManyPeople() {
        let all = (0..<200).map { Persona.appointment(seed: $0).expected }
        #expect(Set(all.map(\.name)).count > 60)
        #expect(Set(all.map(\.phone)).count == 200)
        #expect(Set(all.map(\.day)).count == 5)
        #expect(CallerNames.all.count >= 100)
    }

    @Test func daysAreTheSameHoweverWritten() {
        #expect(Booking.Day.weekday(1).matches("Tuesday"))
        #expect(Booking.Day.weekday(1).matches("2026-11-24"))
        #expect(!Booking.Day.weekday(1).matches("2026-11-25"))
        #expect(Booking.Day.date(month: 3, day: 21).matches("march twenty first"))
        #expect(Booking.Day.date(month: 3, day: 21).matches("March 21"))
        #expect(Booking.Day.date(month: 3, day: 21).matches("2027-03-21"))
        #expect(!Booking.Day.date(month: 3, day: 21).matches("march 2"))
        #expect(!Booking.Day.weekday(1).matches(""))
    }

    @Test func sentencesOfALineAreWrittenAsTheySound() {
        let sentences = AppointmentDesk.phrases("I have {name} on {day}, phone {phone}. Is that correct?")
        #expect(sentences == ["i have <name> on <day>", "phone <phone>", "is that correct"])
    }
}
