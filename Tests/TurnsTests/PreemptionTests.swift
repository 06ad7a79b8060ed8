import Base
import Testing

@testable import Turns

/// A reply is begun before the turn is over, and heard only if the turn turns out as guessed.
@Suite struct PreemptionTests {
    private func script(leadMs: Int = 600) -> Script {
        var script = Script {
            $0.preemption.guessesMax = 2
            $0.preemption.leadMs = leadMs
        }
        script.at(0, .ask(.open))
        script.at(100, .speechStarted(agoMs: 0))
        return script
    }

    @Test func aGuessThatIsRightIsHeardAtTheEndOfTheTurn() {
        var script = script()
        script.at(900, .transcript("I want to book", isFinal: false, .none))
        script.at(1100, .speechEnded(agoMs: 100))
        script.at(1100, .beginDraft)
        script.at(1200, .replyText(1, "Of course. For"))
        script.at(1300, .transcript("I want to book.", isFinal: true, .none))
        script.at(1400, .replyText(1, " when?"))
        script.at(1450, .replyFinished(1))
        script.at(1500, .synthesised(1, ms: 700, isLast: true))
        script.advance(to: 1700)
        script.at(1700, .beginReply)
        #expect(
            script.log == [
                #"1100 guess("I want to book")"#, "1100 startReply(1)", #"1200 prepare(1, "Of course.")"#,
                #"1450 draftFinished("Of course. For when?")"#, "1700 caller: I want to book.",
                "1700 draftAdopted", #"1700 speak(1, "Of course.")"#, #"1700 speak(2, "For when?")"#,
                "1700 reply: Of course. For when?",
            ])
    }

    @Test func aWholeDraftMayGoOnUnderTheSameGuess() {
        var script = script()
        script.at(900, .transcript("I want to book", isFinal: true, .none))
        script.at(1100, .speechEnded(agoMs: 100))
        script.at(1100, .beginDraft)
        script.at(1150, .continueDraft)
        script.at(1200, .replyText(1, "Let me see."))
        script.at(1250, .replyFinished(1))
        script.at(1300, .continueDraft)
        script.at(1350, .replyText(1, " Stale."))
        script.at(1400, .replyText(2, "Tuesday is free. "))
        script.advance(to: 1700)
        script.at(1700, .beginReply)
        script.at(1800, .replyText(2, "Is that right?"))
        script.at(1850, .replyFinished(2))
        #expect(
            script.log == [
                #"1100 guess("I want to book")"#, "1100 startReply(1)", #"1250 prepare(1, "Let me see.")"#,
                #"1250 draftFinished("Let me see.")"#, "1300 startReply(2)", "1700 caller: I want to book",
                "1700 draftAdopted", #"1700 speak(1, "Let me see.")"#, #"1700 speak(2, "Tuesday is free.")"#,
                #"1850 speak(3, "Is that right?")"#, "1850 reply: Tuesday is free. Is that right?",
            ])
    }

    @Test func whatADraftWentOnWithIsCalledOffWithIt() {
        var script = script()
        script.at(900, .transcript("I want to book", isFinal: false, .none))
        script.at(1100, .speechEnded(agoMs: 100))
        script.at(1100, .beginDraft)
        script.at(1200, .replyText(1, "Let me see."))
        script.at(1250, .replyFinished(1))
        script.at(1300, .continueDraft)
        script.at(1400, .transcript("I want two books", isFinal: true, .none))
        script.at(1450, .continueDraft)
        #expect(
            script.log.suffix(4) == [
                "1400 discard(1)", "1400 draftDropped(reply: 2)", "1400 cancelReply(2)",
                #"1400 guess("I want two books")"#,
            ])
    }

    @Test func aVoiceThatFadesIsGuessedAtBeforeItsEndIsTold() {
        var script = script(leadMs: 700)
        script.at(900, .transcript("I want to book", isFinal: false, .none))
        script.at(1040, .speechFading(agoMs: 40))
        script.at(1040, .beginDraft)
        script.at(1100, .speechEnded(agoMs: 100))
        script.at(1200, .replyText(1, "Of course. "))
        script.at(1300, .transcript("I want to book.", isFinal: true, .none))
        script.advance(to: 1700)
        script.at(1700, .beginReply)
        #expect(
            script.log == [
                #"1040 guess("I want to book")"#, "1040 startReply(1)", #"1200 prepare(1, "Of course.")"#,
                "1700 caller: I want to book.", "1700 draftAdopted", #"1700 speak(1, "Of course.")"#,
            ])
    }

    @Test func aVoiceThatFadedAndWentOnIsNotGuessedAt() {
        var script = script(leadMs: 700)
        script.at(900, .transcript("I want to book", isFinal: false, .none))
        script.at(940, .speechFading(agoMs: 40))
        script.at(940, .beginDraft)
        // Words that come long after it tell that the voice went on; the next fading is a new chance.
        script.at(1200, .transcript("I want to book a table", isFinal: false, .none))
        script.at(1300, .transcript("I want to book a table for two", isFinal: false, .none))
        #expect(
            script.log == [
                #"940 guess("I want to book")"#, "940 startReply(1)", "1200 draftDropped(reply: 1)",
                "1200 cancelReply(1)",
            ])
        script.at(1340, .speechFading(agoMs: 40))
        #expect(script.log.last == #"1340 guess("I want to book a table for two")"#)
    }

    @Test func otherWordsCallTheDraftOff() {
        var script = script()
        script.at(900, .transcript("I want to book", isFinal: false, .none))
        script.at(1100, .speechEnded(agoMs: 100))
        script.at(1100, .beginDraft)
        script.at(1200, .replyText(1, "Of course. For"))
        script.at(1300, .transcript("I want two books", isFinal: true, .none))
        script.at(1300, .beginDraft)
        script.at(1350, .replyText(1, " when?"))
        script.at(1400, .transcript("I want two books today", isFinal: true, .none))
        script.advance(to: 1700)
        script.at(1700, .beginReply)
        #expect(
            script.log == [
                #"1100 guess("I want to book")"#, "1100 startReply(1)", #"1200 prepare(1, "Of course.")"#,
                "1300 discard(1)", "1300 draftDropped(reply: 1)", "1300 cancelReply(1)",
                #"1300 guess("I want two books")"#, "1300 startReply(2)",
                // Two guesses are all that one turn may cost.
                "1400 draftDropped(reply: 2)", "1400 cancelReply(2)",
                "1700 caller: I want two books today", "1700 startReply(3)",
            ])
    }

    @Test func aLongWaitIsNotGuessedIntoAtOnce() {
        var script = Script {
            $0.preemption.guessesMax = 2
            $0.endpointing.openMs = 2000
        }
        script.at(0, .ask(.open))
        script.at(100, .speechStarted(agoMs: 0))
        script.at(900, .transcript("I would like", isFinal: true, .none))
        script.at(1100, .speechEnded(agoMs: 100))
        script.at(2200, .speechStarted(agoMs: 0))
        script.at(2300, .transcript("to book", isFinal: true, .none))
        script.at(3100, .speechEnded(agoMs: 100))
        script.advance(to: 3900)
        // The first pause was shorter than the wait less what a reply takes: it cost nothing.
        #expect(script.log == [])
        script.advance(to: 9000)
        #expect(script.log.count == 2)
        #expect(script.log.first?.hasSuffix(#"guess("I would like to book")"#) == true)
    }

    @Test func wordsOfTheLastSpeechMustBeThere() {
        var script = script()
        script.at(900, .transcript("I want", isFinal: true, .none))
        script.at(1000, .speechEnded(agoMs: 0))
        script.at(1100, .beginDraft)
        script.at(1200, .speechStarted(agoMs: 0))
        script.at(1400, .speechEnded(agoMs: 0))
        #expect(script.log == [#"1100 guess("I want")"#, "1100 startReply(1)"])
        script.at(1450, .transcript("to book", isFinal: false, .none))
        #expect(
            script.log.dropFirst(2) == [
                "1450 draftDropped(reply: 1)", "1450 cancelReply(1)", #"1450 guess("I want to book")"#,
            ])
    }

    @Test func aDraftThatFailsIsForgotten() {
        var script = script()
        script.at(900, .transcript("I want to book", isFinal: true, .none))
        script.at(1100, .speechEnded(agoMs: 100))
        script.at(1100, .beginDraft)
        script.at(1200, .replyFailed(1))
        script.at(1200, .beginDraft)
        script.advance(to: 1700)
        script.at(1700, .beginReply)
        #expect(
            script.log == [
                #"1100 guess("I want to book")"#, "1100 startReply(1)", "1200 draftDropped(reply: 1)",
                #"1200 guess("I want to book")"#, "1200 startReply(2)", "1700 caller: I want to book",
                "1700 draftAdopted",
            ])
    }

    @Test func aLineOfAFlowIsMadeAhead() {
        var script = script()
        script.at(900, .transcript("Tuesday", isFinal: true, .none))
        script.at(1100, .speechEnded(agoMs: 100))
        script.at(1100, .prepare("At what time on Tuesday?"))
        script.at(1250, .synthesised(1, ms: 900, isLast: true))
        script.advance(to: 1700)
        script.at(1700, .say("At what time on Tuesday?", isInterruptible: true))
        script.at(1700, .forgetDraft)
        script.at(1720, .heard(1, ms: 20, isFinished: false))
        #expect(
            script.log == [
                #"1100 guess("Tuesday")"#, #"1100 prepare(1, "At what time on Tuesday?")"#,
                "1700 caller: Tuesday", #"1700 speak(1, "At what time on Tuesday?")"#,
            ])
    }

    @Test func anotherLineThanWasMadeAheadIsMadeAnew() {
        var script = script()
        script.at(900, .transcript("Tuesday", isFinal: true, .none))
        script.at(1100, .speechEnded(agoMs: 100))
        script.at(1100, .prepare("At what time?"))
        script.advance(to: 1700)
        script.at(1700, .say("On which day?", isInterruptible: true))
        script.at(1700, .forgetDraft)
        #expect(script.log.suffix(2) == [#"1700 speak(2, "On which day?")"#, "1700 discard(1)"])
    }

    @Test func nothingIsGuessedWhileTheAgentSpeaks() {
        var script = script()
        script.at(200, .say("Just a moment, I am looking.", isInterruptible: false))
        script.at(900, .transcript("I want to book", isFinal: true, .none))
        script.at(1100, .speechEnded(agoMs: 100))
        script.advance(to: 1690)
        #expect(script.log == [#"200 speak(1, "Just a moment, I am looking.")"#])
    }

    @Test(arguments: [
        ("I want to book", "i want to book.", true), ("um, book it", "Book it!", true),
        ("book it", "book two", false),
        ("book", "book it", false),
    ])
    func theSameWordsInOtherClothesAreTheSameTurn(guess: String, turn: String, isSame: Bool) {
        var preemption = Preemption(policy: .init())
        preemption.begin(guess)
        #expect(preemption.isWrong(about: turn) != isSame)
    }
}
