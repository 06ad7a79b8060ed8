import Base
import Testing
import Turns

struct BargeInTests {
    @Test func aStirDucksAndIsForgotten() {
        var script = Script()
        script.agentSpeaks(0)
        script.at(500, .stirred)
        script.at(560, .settled)
        script.at(900, .stirred)
        script.advance(to: 1500)
        #expect(
            script.log == ["500 duckPlayout", "560 unduckPlayout", "900 duckPlayout", "1300 unduckPlayout"])
    }

    @Test func aShortNoiseDucksAndDoesNotPause() {
        var script = Script()
        script.agentSpeaks(0)
        script.at(500, .stirred)
        script.at(530, .speechStarted(agoMs: 40))
        script.at(590, .speechEnded(agoMs: 50))
        script.advance(to: 1500)
        #expect(script.log == ["500 duckPlayout", "590 unduckPlayout"])
    }

    @Test func aSoundThatEndsWithoutWordsLetsTheAgentGoOn() {
        var script = Script()
        script.agentSpeaks(0)
        script.at(550, .speechStarted(agoMs: 50))
        script.at(800, .speechEnded(agoMs: 100))
        script.advance(to: 1700)
        #expect(script.log == ["550 duckPlayout", "680 pausePlayout", "800 resume"])
    }

    @Test func wordsOfAShortSoundMayComeLate() {
        for (word, interrupts) in [("no", true), ("mm-hm", false)] {
            var script = Script()
            script.agentSpeaks(0)
            script.at(550, .speechStarted(agoMs: 50))
            script.at(800, .speechEnded(agoMs: 100))
            script.at(1000, .transcript(word, isFinal: true, .none))
            script.advance(to: 1600)
            #expect(script.log.contains("1000 clearPlayout") == interrupts)
            #expect(script.log.contains { $0.contains("caller:") } == interrupts, "\(word) is \(script.log)")
        }
    }

    @Test func lastingSpeechTakesTheFloorWithoutWords() {
        var script = Script()
        script.agentSpeaks(0)
        script.at(450, .heard(1, ms: 900, isFinished: false))
        script.at(550, .speechStarted(agoMs: 50))
        script.advance(to: 1200)
        #expect(
            script.log == [
                "550 duckPlayout", "680 pausePlayout", "900 clearPlayout",
                "900 interrupted after: one two three four", "900 agent: one two three four -",
            ])
    }

    @Test func aRealWordTakesTheFloorAtOnce() {
        var script = Script()
        script.agentSpeaks(0)
        script.at(500, .speechStarted(agoMs: 0))
        script.at(650, .transcript("tuesday", isFinal: false, .none))
        #expect(script.log.contains("650 clearPlayout"))
    }

    @Test func anAcknowledgementThatIsTheAnswerTakesTheFloor() {
        for (fullness, clears) in [(Fullness.full, true), (.none, false)] {
            var script = Script()
            script.agentSpeaks(0)
            script.at(500, .speechStarted(agoMs: 0))
            script.at(700, .speechEnded(agoMs: 0))
            script.at(800, .transcript("yeah", isFinal: true, fullness))
            #expect(script.log.contains("700 resume"))
            #expect(script.log.contains("800 clearPlayout") == clears)
        }
    }

    /// A hiss that opens a word is heard as a sound before it is heard as a voice.
    @Test func theSoundBeforeAVoiceCountsAsItsOnset() {
        var script = Script()
        script.agentSpeaks(0)
        script.at(540, .stirred)
        script.at(620, .speechStarted(agoMs: 20))
        script.advance(to: 690)
        #expect(script.log == ["540 duckPlayout", "680 pausePlayout"])
    }

    /// The ear lost a voice that went on: it is the same speech.
    @Test func speechThatComesBackAtOnceIsOneSpeech() {
        for (backMs, pausesMs) in [(30, 800), (200, 980)] {
            var script = Script()
            script.agentSpeaks(0)
            script.at(500, .speechStarted(agoMs: 0))
            script.at(640, .speechEnded(agoMs: 40))
            script.at(800, .speechStarted(agoMs: 200 - backMs))
            script.advance(to: 1000)
            #expect(script.log.contains("\(pausesMs) pausePlayout"), "\(script.log)")
        }
    }

    @Test func aCallerWhoHumsIsPausedForLaterTheNextTime() {
        var script = Script()
        script.agentSpeaks(0)
        for ms in [500, 900] {
            script.at(ms, .speechStarted(agoMs: 0))
            script.at(ms + 300, .speechEnded(agoMs: 0))
            script.at(ms + 350, .transcript("mm-hm", isFinal: true, .none))
        }
        #expect(
            script.log == [
                "500 duckPlayout", "680 pausePlayout", "800 resume", "900 duckPlayout", "1200 unduckPlayout",
            ])
        // An interruption makes the agent attentive again.
        script.at(1300, .speechStarted(agoMs: 0))
        script.at(1400, .transcript("no", isFinal: true, .none))
        script.at(1500, .speechEnded(agoMs: 0))
        script.advance(to: 3000)
        script.agentSpeaks(4000)
        script.at(4500, .speechStarted(agoMs: 0))
        script.advance(to: 4700)
        #expect(script.log.last == "4680 pausePlayout")
    }

    /// Taken for an interruption as it lasted: the agent was stopped for an "okay", and has learned from it.
    @Test func aLongAcknowledgementTeachesToo() {
        for (words, pausesMs) in [("okay", 4930), ("tuesday", 4680)] {
            var script = Script()
            script.agentSpeaks(0)
            script.at(500, .speechStarted(agoMs: 0))
            script.at(1000, .speechEnded(agoMs: 0))
            script.at(1100, .transcript(words, isFinal: true, .none))
            script.advance(to: 3500)
            #expect(script.log.contains("900 clearPlayout"))
            script.agentSpeaks(4000)
            script.at(4500, .speechStarted(agoMs: 0))
            script.advance(to: 5000)
            #expect(script.log.contains("\(pausesMs) pausePlayout"), "\(words): \(script.log)")
        }
    }

    @Test func wordsThatMayBecomeABackchannelAreWaitedFor() {
        for (next, clears) in [("I see", false), ("I already", true)] {
            var script = Script()
            script.agentSpeaks(0)
            script.at(500, .speechStarted(agoMs: 0))
            script.at(640, .transcript("I", isFinal: false, .none))
            #expect(script.log == ["500 duckPlayout"])
            script.at(700, .transcript(next, isFinal: false, .none))
            #expect(script.log.contains("700 clearPlayout") == clears, "\(next)")
        }
    }

    /// "Yes" over what comes before a question says "go on"; over the question it answers it.
    @Test(arguments: [(500, false), (1900, true)])
    func anAnswerIsOneOnceItsQuestionIsBeingAsked(at ms: Int, isAnswer: Bool) {
        var script = Script()
        script.at(0, .ask(.yesNo))
        script.at(0, .say("We are closed on Monday. We open at nine. Shall we go on?", isInterruptible: true))
        script.at(0, .synthesised(script.turns.utterances, ms: 2400, isLast: true))
        script.at(0, .heard(script.turns.utterances, ms: 20, isFinished: false))
        script.at(ms, .speechStarted(agoMs: 0))
        script.at(ms + 1, .heard(script.turns.utterances, ms: ms, isFinished: false))
        script.at(ms + 150, .transcript("yes", isFinal: false, .full))
        script.at(ms + 300, .speechEnded(agoMs: 50))
        script.at(ms + 400, .transcript("yes", isFinal: true, .full))
        script.advance(to: 9000)
        #expect(script.log.contains { $0.contains("caller: yes") } == isAnswer, "\(script.log)")
    }

    @Test func anAgentIsNotPausedForWordsThatSayGoOn() {
        var script = Script()
        script.agentSpeaks(0)
        script.at(500, .speechStarted(agoMs: 0))
        script.at(650, .transcript("uh-huh", isFinal: false, .none))
        script.at(900, .speechEnded(agoMs: 0))
        script.advance(to: 1000)
        #expect(script.log == ["500 duckPlayout", "900 unduckPlayout"])
    }

    /// Silent for more than a second in the middle of a sentence: it is said again.
    @Test func afterALongPauseTheSentenceBeginsAgain() {
        var script = Script()
        script.agentSpeaks(0)
        script.at(500, .speechStarted(agoMs: 0))
        script.at(800, .transcript("yeah okay", isFinal: false, .none))
        script.at(1700, .speechEnded(agoMs: 0))
        script.at(1750, .transcript("yeah okay", isFinal: true, .none))
        script.advance(to: 1900)
        #expect(script.log == ["500 duckPlayout", "680 pausePlayout", "1700 resume from start"])
    }

    @Test func protectedLinesAreNotInterrupted() {
        var script = Script()
        script.agentSpeaks(0, isInterruptible: false)
        script.at(250, .stirred)
        script.at(300, .speechStarted(agoMs: 0))
        script.at(600, .transcript("wait a minute", isFinal: true, .none))
        script.at(700, .speechEnded(agoMs: 0))
        script.at(750, .key("1", .full))
        script.at(2000, .heard(1, ms: 2000, isFinished: true))
        #expect(
            script.log.filter { !$0.contains("note") } == [
                "2000 agent: one two three four five six seven eight nine ten", "2000 allHeard",
            ])
    }

    @Test func wordsNeededToInterruptAreCounted() {
        var script = Script { $0.bargeIn.words = 3 }
        script.agentSpeaks(0)
        script.at(500, .speechStarted(agoMs: 0))
        script.at(900, .transcript("the second", isFinal: false, .none))
        #expect(script.log == ["500 duckPlayout", "680 pausePlayout"])
        script.at(1100, .transcript("the second one", isFinal: false, .none))
        #expect(script.log.contains("1100 clearPlayout"))
    }

    @Test func aStopPhraseNeedsNoFurtherWords() {
        var script = Script {
            $0.bargeIn.words = 5
            $0.bargeIn.phrases = Phrases(language: "en-GB", interrupting: ["not that one"])
        }
        script.agentSpeaks(0)
        script.at(500, .speechStarted(agoMs: 0))
        script.at(700, .transcript("uh hold on", isFinal: false, .none))
        #expect(script.log.contains("700 clearPlayout"))
        script.agentSpeaks(3000)
        script.at(3500, .speechStarted(agoMs: 0))
        script.at(3800, .transcript("not that one", isFinal: false, .none))
        #expect(script.log.contains("3800 clearPlayout"))
    }

    @Test func theAgentDoesNotBeginOverACallerWhoSpeaks() {
        var script = Script()
        script.at(0, .speechStarted(agoMs: 0))
        script.at(1000, .say("Your order is here.", isInterruptible: true))
        #expect(script.log.contains("1000 pausePlayout"))
    }

    /// People answer a moment before the question is over: that cuts nothing off.
    @Test func anAgentAlmostDoneFinishes() {
        var script = Script()
        script.agentSpeaks(0)
        script.at(1750, .heard(1, ms: 1750, isFinished: false))
        script.at(1800, .speechStarted(agoMs: 50))
        script.at(2000, .heard(1, ms: 2000, isFinished: true))
        script.at(2300, .speechEnded(agoMs: 100))
        script.at(2350, .transcript("tuesday at noon", isFinal: true, .none))
        script.advance(to: 4000)
        #expect(script.log.first == "2000 agent: one two three four five six seven eight nine ten")
        #expect(script.log.contains { $0.hasSuffix("caller: tuesday at noon") })
    }

    @Test func theAgentsOwnWordsAreNoInterruption() {
        var script = Script()
        script.agentSpeaks(0)
        script.at(900, .heard(1, ms: 900, isFinished: false))
        script.at(1000, .speechStarted(agoMs: 50))
        script.at(1200, .transcript("two three four five", isFinal: false, .none))
        script.at(1400, .speechEnded(agoMs: 50))
        script.at(1450, .transcript("two three four five", isFinal: true, .none))
        script.at(2100, .heard(1, ms: 2000, isFinished: true))
        script.advance(to: 3000)
        #expect(!script.log.contains { $0.contains("clearPlayout") || $0.contains("caller:") })
        #expect(script.log.contains { $0.contains("note(\"echo\")") })
    }

    @Test func phrasesAreKnownByLanguage() {
        let german = Phrases(language: "de-DE", acknowledging: ["jo mei"])
        #expect(german.isBackchannel("ja genau", fillsSlot: false))
        #expect(german.isBackchannel("jo mei", fillsSlot: false))
        #expect(!german.isBackchannel("ja genau", fillsSlot: true))
        #expect(german.isBackchannel("mhm", fillsSlot: true))
        #expect(!german.isBackchannel("yeah", fillsSlot: false))
        #expect(german.interrupts("moment bitte") && !german.interrupts("das ist gut"))
        #expect(!Phrases(language: "xx").isBackchannel("", fillsSlot: false))
        let english = Phrases()
        #expect(english.mayBecomeBackchannel("oh got", fillsSlot: false))
        #expect(!english.mayBecomeBackchannel("oh got", fillsSlot: true))
        #expect(
            ["got it", "got my", "mm", "", "no"].allSatisfy {
                !english.mayBecomeBackchannel($0, fillsSlot: false)
            })
    }
}
