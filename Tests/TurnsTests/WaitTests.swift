import Base
import Testing
import Turns

/// Which evidence sets the wait, and how it says so.
struct WaitTests {
    private func end(
        _ text: String, asked: Base.Expectation = .open, _ fullness: Fullness = .none, guess: Double? = nil,
        finality: Double? = nil, trust: Double = 0, _ change: (inout Script) -> Void = { _ in }
    ) -> TurnEvidence? {
        var script = Script { $0.endpointing.wordsTrust = trust }
        script.at(0, .ask(asked))
        change(&script)
        let start = 20_000
        script.at(start, .speechStarted(agoMs: 0))
        script.at(start + 500, .transcript(text, isFinal: true, fullness))
        if let guess { script.at(start + 550, .endOfTurn(probability: guess)) }
        script.at(start + 600, .speechEnded(agoMs: 0, finality: finality))
        script.advance(to: start + 8000)
        return script.evidence.last
    }

    @Test func theWaitNamesWhatItHangsOn() {
        #expect(end("I want to book")?.term == .silence)
        #expect(end("I want to", trust: 1)?.term == .words)
        #expect(end("I want to book", guess: 0.9)?.term == .recogniser)
        #expect(end("I want to book", finality: 0.8)?.term == .voice)
        #expect(end("yes", asked: .yesNo, .full)?.term == .whole)
        #expect(end("tuesday", asked: .date, .enough)?.term == .enough)
        #expect(end("four one five", asked: .phone, .part)?.term == .owed)
    }

    @Test func theRecognisersGuessShortensAndItsWithdrawalDoesNot() throws {
        let plain = try #require(end("I want to book")).waitMs
        let sure = try #require(end("I want to book", guess: 0.95)).waitMs
        let unsure = try #require(end("I want to book", guess: 0.05)).waitMs
        #expect(sure < plain / 2 && unsure > plain * 2)
        #expect(end("I want to book", guess: 0)?.waitMs == plain)
        for odd in [Double.nan, .infinity, -3, 7] {
            let wait = try #require(end("I want to book", guess: odd)).waitMs
            #expect((150...3000).contains(wait), "\(odd)")
        }
    }

    @Test func aVoiceThatFallsShortensAndOneThatDoesNotLengthens() throws {
        let plain = try #require(end("I want to book"))
        let fallen = try #require(end("I want to book", finality: 0.8))
        let held = try #require(end("I want to book", finality: 0.2))
        #expect(plain.finality == nil && fallen.finality == 0.8)
        #expect(fallen.waitMs < plain.waitMs && held.waitMs > plain.waitMs)
        let both = try #require(end("I want to book", guess: 0.8, finality: 0.8)).waitMs
        #expect(both < fallen.waitMs)
        for odd in [Double.nan, .infinity, -3, 7] {
            let wait = try #require(end("I want to book", finality: odd)).waitMs
            #expect((150...3000).contains(wait), "\(odd)")
        }
    }

    @Test func howTheVoiceFellCountsOnlyWhereItStopped() throws {
        let gone = end("I want to book") { script in
            script.at(18_000, .speechStarted(agoMs: 0))
            script.at(18_300, .transcript("well", isFinal: true, .none))
            script.at(19_900, .speechEnded(agoMs: 0, finality: 0.95))
        }
        #expect(gone?.finality == nil)
    }

    @Test func howTheVoiceFellSaysNothingOfANumber() throws {
        for fullness in [Fullness.none, .part, .enough, .full] {
            let plain = end("four one", asked: .phone, fullness)
            #expect(end("four one", asked: .phone, fullness, finality: 0.95)?.waitMs == plain?.waitMs)
        }
    }

    @Test func wordsThatSoundFinishedCountForLessThanWordsThatBreakOff() throws {
        let plain = try #require(end("I want to book")).waitMs
        let finished = try #require(end("what are your opening hours", trust: 1)).waitMs
        let broken = try #require(end("what are your opening", trust: 1)).waitMs
        #expect(finished < plain && broken > plain)
        #expect(Double(broken) / Double(plain) > Double(plain) / Double(finished))
    }

    @Test func moreEvidenceOfAnEndNeverWaitsLonger() throws {
        var last = Int.max
        for guess in stride(from: 0.01, through: 1, by: 0.03) {
            let wait = try #require(end("I want to book", guess: guess)).waitMs
            #expect(wait <= last, "\(guess)")
            last = wait
        }
    }

    @Test func wordsThatBreakOffDelayAnAnswerButNotADictatedOne() throws {
        let plain = try #require(end("yes", asked: .yesNo, .full, trust: 1)).waitMs
        #expect(plain <= 250)
        #expect(try #require(end("yes and", asked: .yesNo, .full, trust: 1)).waitMs > 2 * plain)
        #expect(end("four and", asked: .digits(min: 1, max: 1), .full, trust: 1)?.waitMs == 180)
        let finished = try #require(end("what are your opening hours", trust: 1)).waitMs
        #expect(try #require(end("what are your opening", trust: 1)).waitMs > finished)
        #expect(try #require(end("what time do you", trust: 1)).waitMs > 2 * finished)
    }

    @Test func aBareAnswerInAnotherLanguageIsNotTakenForABeginning() throws {
        #expect(try #require(end("non", asked: .yesNo, .full, trust: 1)).waitMs <= 150)
        #expect(try #require(end("non", trust: 1)).waitMs > 700)
    }

    @Test func aNumberThatMayGoOnWaitsByTheCallersOwnGaps() throws {
        func dictating(_ gapMs: Int) throws -> Int {
            let asked = Base.Expectation.digits(min: 2, max: 4)
            let end = end("four one five", asked: asked, .enough) { script in
                script.at(20_000 - gapMs - 400, .speechStarted(agoMs: 0))
                script.at(20_000 - gapMs - 100, .transcript("nine", isFinal: true, .part))
                script.at(20_000 - gapMs, .speechEnded(agoMs: 0))
            }
            return try #require(end).waitMs
        }
        #expect(try dictating(500) == 1200)
        #expect(try dictating(2000) == 3000)
        #expect(try dictating(3500) == 3700)
    }

    @Test func aCallerWhoPausesLongIsWaitedForLonger() throws {
        func pausing(_ ms: Int) -> TurnEvidence? {
            end("I want to book") { script in
                var at = 1000
                for _ in 0..<8 {
                    script.at(at, .speechStarted(agoMs: 0))
                    script.at(at + 300, .transcript("and \(at)", isFinal: true, .none))
                    script.at(at + 400, .speechEnded(agoMs: 0))
                    at += 400 + ms
                }
            }
        }
        let short = try #require(pausing(150))
        let long = try #require(pausing(650))
        #expect(short.pausesMs == 150 && long.pausesMs == 650)
        #expect(short.waitMs < 700 && long.waitMs > 900 && long.term == .pauses)
    }

    @Test func aDictatedSlotWaitsThroughPausesAndClosesWhenFull() throws {
        for asked in [Base.Expectation.digits(min: 6, max: 6), .phone, .spelling, .email] {
            #expect(try #require(end("four one", asked: asked, .part)).waitMs >= 3000)
        }
        #expect(try #require(end("12 elm", asked: .address, .part)).waitMs >= 4500)
        #expect(try #require(end("415555", asked: .digits(min: 6, max: 6), .full)).waitMs <= 200)
    }
}
