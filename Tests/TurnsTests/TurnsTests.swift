import Base
import Testing
import Turns

/// Drives the machine and fires due deadlines; the log holds effects with their milliseconds.
struct Script {
    var turns: Turns
    var log: [String] = []
    private(set) var evidence: [TurnEvidence] = []
    private var now = CallTime.zero

    init(_ change: (inout Turns.Policy) -> Void = { _ in }) {
        var policy = Turns.Policy()
        // What the words sound like is a matter of learned weights: only tests about it listen to it.
        policy.endpointing.wordsTrust = 0
        // Likewise with guesses at a turn's end.
        policy.preemption.guessesMax = 0
        policy.endpointing.openMs = 700
        change(&policy)
        turns = Turns(policy: policy)
    }

    mutating func at(_ ms: Int, _ input: Turns.Input) {
        advance(to: ms)
        note(turns.handle(input, at: now))
    }

    mutating func advance(to ms: Int) {
        while let due = turns.deadline, due <= .milliseconds(ms) {
            now = max(now, due)
            note(turns.handle(.deadline, at: now))
        }
        now = .milliseconds(ms)
    }

    private mutating func note(_ effects: [Turns.Effect]) {
        for effect in effects {
            switch effect {
            case .callerTurn(let turn):
                log.append("\(now.milliseconds) caller: \(turn.text)\(turn.keys)")
                if let why = turn.evidence { evidence.append(why) }
            case .agentTurn(let turn):
                log.append("\(now.milliseconds) agent: \(turn.text)\(turn.wasInterrupted ? " -" : "")")
            case .resumePlayout(let fromStart):
                log.append("\(now.milliseconds) resume\(fromStart ? " from start" : "")")
            case .interrupted(let heard): log.append("\(now.milliseconds) interrupted after: \(heard)")
            case .replyFinished(let text): log.append("\(now.milliseconds) reply: \(text)")
            case .turnStands: break
            default: log.append("\(now.milliseconds) \(effect)")
            }
        }
    }

    /// The agent says ten words in two seconds, beginning to be heard at `ms`.
    mutating func agentSpeaks(_ ms: Int, isInterruptible: Bool = true) {
        at(ms, .say("one two three four five six seven eight nine ten", isInterruptible: isInterruptible))
        at(ms, .synthesised(turns.utterances, ms: 2000, isLast: true))
        at(ms, .heard(turns.utterances, ms: 20, isFinished: false))
        log.removeAll()
    }
}

struct EndpointingTests {
    private func endOfTurn(_ asked: Base.Expectation, _ text: String, _ fullness: Fullness) -> String? {
        var script = Script()
        script.at(0, .ask(asked))
        script.at(0, .speechStarted(agoMs: 0))
        script.at(1000, .speechEnded(agoMs: 0))
        script.at(1050, .transcript(text, isFinal: true, fullness))
        script.advance(to: 6000)
        return script.log.first
    }

    @Test func theWaitDependsOnWhatWasAsked() {
        #expect(endOfTurn(.open, "I want to book", .none) == "1700 caller: I want to book")
        #expect(endOfTurn(.yesNo, "yes", .full) == "1130 caller: yes")
        #expect(endOfTurn(.date, "tuesday", .enough) == "1500 caller: tuesday")
        #expect(endOfTurn(.phone, "ten digits", .full) == "1180 caller: ten digits")
        #expect(endOfTurn(.phone, "seven digits", .enough) == "2200 caller: seven digits")
        #expect(endOfTurn(.phone, "three digits", .part) == "4700 caller: three digits")
        #expect(endOfTurn(.phone, "what number", .none) == "2200 caller: what number")
    }

    @Test func aPauseInADictatedNumberIsNotTheEnd() {
        var script = Script()
        script.at(0, .ask(.digits(min: 6, max: 6)))
        for (start, text) in [(0, "one two"), (3000, "three four"), (6200, "five six")] {
            script.at(start, .speechStarted(agoMs: 0))
            script.at(start + 600, .speechEnded(agoMs: 0))
            script.at(start + 700, .transcript(text, isFinal: true, start > 6000 ? .full : .part))
        }
        script.advance(to: 8000)
        #expect(script.log == ["6980 caller: one two three four five six"])
    }

    @Test func finalWordsAreAwaitedButNotForEver() {
        var script = Script()
        script.at(0, .speechStarted(agoMs: 0))
        script.at(500, .transcript("hello th", isFinal: false, .none))
        script.at(1000, .speechEnded(agoMs: 0))
        script.at(1800, .transcript("hello there", isFinal: true, .none))
        #expect(script.log == ["1800 caller: hello there"])
        script.at(10_000, .speechStarted(agoMs: 0))
        script.at(10_500, .transcript("good b", isFinal: false, .none))
        script.at(11_000, .speechEnded(agoMs: 0))
        script.advance(to: 12_000)
        #expect(script.log.last == "11900 caller: good b")
    }

    @Test func lateAndRepeatedWordsDoNotMakeATurn() {
        var script = Script()
        script.at(0, .speechStarted(agoMs: 0))
        script.at(400, .transcript("yes", isFinal: true, .full))
        script.at(450, .transcript("yes", isFinal: true, .full))
        script.at(500, .speechEnded(agoMs: 0))
        script.at(900, .transcript("yes", isFinal: true, .full))
        script.at(1500, .transcript("no", isFinal: true, .full))
        script.advance(to: 9000)
        let turns = script.log.filter { $0.contains("caller") }
        #expect(turns == ["630 caller: yes"])
    }

    @Test func onlyWordsThatAreInNoTurnAreToldOfAsLate() {
        func late(_ words: [(Int, String, Bool)]) -> [String] {
            var script = Script()
            script.at(0, .speechStarted(agoMs: 0))
            script.at(300, .transcript("yes please", isFinal: false, .full))
            script.at(500, .speechEnded(agoMs: 0))
            for (ms, text, isFinal) in words { script.at(ms, .transcript(text, isFinal: isFinal, .none)) }
            script.advance(to: 9000)
            return script.log.filter { $0.contains("too_late") }.compactMap { $0.split(separator: " ").first }
                .map(String.init)
        }
        // The final of the partial that the turn was taken with, and once more.
        #expect(late([(900, "Yes, please.", true)]).isEmpty)
        #expect(late([(450, "yes please", true), (1300, "yes please", true), (1400, "yes", false)]).isEmpty)
        #expect(late([(450, "yes please", true), (1300, "and more", false)]).isEmpty, "its final is to come")
        #expect(late([(450, "yes please", true), (1300, "and more", true)]) == ["1300"])
        #expect(late([(900, "yes please now", true)]) == [], "it is taken again with them")
    }

    /// After the agent's answer the final words come of a partial that went with the turn.
    @Test(
        arguments: ["", "Hello."],
        [
            ("I want to book", [String]()), ("I want to book a table", ["a table"]),
            ("Cancel that", ["Cancel that"]),
        ])
    func whatCameAsAPartialIsNotToldAgainByItsLateFinal(before: String, late: (String, news: [String])) {
        let (final, news) = late
        var script = Script()
        script.at(0, .speechStarted(agoMs: 0))
        script.at(300, .transcript(before, isFinal: true, .none))
        script.at(500, .transcript("I want to book", isFinal: false, .none))
        script.at(600, .speechEnded(agoMs: 0))
        script.advance(to: 5000)
        script.at(5000, .transcript(final, isFinal: true, .none))
        script.at(5100, .transcript(final, isFinal: true, .none))
        script.advance(to: 7000)
        let turns = script.log.filter { $0.contains("caller: ") }.map { $0.split(separator: ": ")[1] }
        #expect(turns.map(String.init) == [Words.trimmed(before + " I want to book")] + news)
        script.at(20_000, .speechStarted(agoMs: 0))
        script.at(20_400, .speechEnded(agoMs: 0))
        script.at(20_500, .transcript("I want to book", isFinal: true, .none))
        script.advance(to: 23_000)
        #expect(script.log.last?.hasSuffix("caller: I want to book") == true)
    }

    @Test func theWaitCountsFromTheLastSoundHoweverLateItIsTold() {
        for agoMs in [0, 100, 400, 900, 60_000] {
            var script = Script()
            script.at(500, .speechStarted(agoMs: 60))
            script.at(900, .transcript("I want to book", isFinal: true, .none))
            script.at(1500 + min(agoMs, 900), .speechEnded(agoMs: agoMs))
            script.advance(to: 6000)
            let expected = agoMs > 5000 ? 2400 : max(2200, 1500 + agoMs)
            #expect(script.log == ["\(expected) caller: I want to book"], "\(agoMs)")
        }
    }

    @Test func emptyWordsAreNoTurn() {
        var script = Script()
        script.at(0, .ask(.open))
        script.at(0, .speechStarted(agoMs: 0))
        script.at(300, .speechEnded(agoMs: 0))
        script.at(400, .transcript("  ", isFinal: true, .none))
        script.advance(to: 20_000)
        #expect(script.log.allSatisfy { $0.hasSuffix("silence") })
    }

    @Test func wordsWithoutSpeechEdgesStillCount() {
        var script = Script()
        script.at(0, .transcript("hello", isFinal: true, .none))
        script.advance(to: 3000)
        #expect(script.log == ["700 caller: hello"])
    }

    @Test func aCallerWhoNeverStopsIsCutIntoTurns() {
        var script = Script()
        script.at(0, .speechStarted(agoMs: 0))
        script.at(1000, .transcript("so then", isFinal: true, .none))
        script.advance(to: 61_000)
        #expect(script.log == ["60000 caller: so then"])
    }

    @Test func keysEndAtHashOrWhenFull() {
        var script = Script()
        script.at(0, .key("1", .part))
        script.at(300, .key("2", .enough))
        script.at(600, .key("#", .enough))
        #expect(script.log == ["600 caller: 12"])
        script.at(5000, .key("9", .full))
        #expect(script.log.last == "5000 caller: 9")
        script.at(8000, .key("4", .part))
        script.advance(to: 20_000)
        #expect(script.log.last == "12000 caller: 4")
    }

    @Test func silenceIsToldOnceAndOnlyWhenAnAnswerIsAwaited() {
        var script = Script()
        script.advance(to: 20_000)
        #expect(script.log.isEmpty)
        script.at(20_000, .ask(.open))
        script.advance(to: 60_000)
        #expect(script.log == ["27000 silence"])
    }
}

struct PlayoutTests {
    @Test func whatWasHeardIsCutAtWholeWords() {
        for (ms, heard) in [
            (0, ""), (100, ""), (400, "one two"), (1000, "one two three four five"),
            (1999, "one two three four five six seven eight nine"),
        ] {
            var script = Script()
            script.agentSpeaks(0)
            script.at(2000, .heard(1, ms: ms, isFinished: false))
            script.at(2001, .key("5", .full))
            #expect(script.log.contains("2001 interrupted after: \(heard)"), "\(ms) \(script.log)")
        }
    }

    @Test func aVoiceThatDoesNotComeIsGivenUp() {
        var script = Script()
        script.at(0, .say("Hello.", isInterruptible: true))
        script.advance(to: 9000)
        #expect(script.log.contains("8000 synthesisFailed(1)"))
    }

    @Test func aLineThatIsNeverReportedHeardEnds() {
        var script = Script()
        script.agentSpeaks(0)
        script.advance(to: 9000)
        #expect(script.log.contains("6980 allHeard"))
    }

    @Test func newsOfUnknownUtterancesChangesNothing() {
        var script = Script()
        script.at(0, .heard(7, ms: 100, isFinished: true))
        script.at(0, .synthesised(7, ms: 100, isLast: true))
        script.at(0, .synthesisFailed(7))
        #expect(script.log.isEmpty)
    }
}

struct ReplyTests {
    /// The text comes in parts, `everyMs` apart. `goesOn`: they are not all of it.
    private func clauses(_ parts: [String], everyMs: Int = 0, goesOn: Bool = false) -> [String] {
        var script = Script()
        script.at(0, .beginReply)
        for (number, part) in parts.enumerated() { script.at(10 + number * everyMs, .replyText(1, part)) }
        if !goesOn { script.at(20 + parts.count * everyMs, .replyFinished(1)) }
        return script.log.compactMap { line in
            line.contains("speak(") ? line.split(separator: "\"").dropFirst().first.map(String.init) : nil
        }
    }

    @Test func aSlowReplyBeginsBeforeAPhrase() {
        let parts = ["I", " have", " Tuesday", " at", " nine", " for", " you", "."]
        #expect(clauses(parts, everyMs: 50) == ["I have Tuesday", "at nine for you."])
        // One that comes quickly is spoken as it is written, and so is one with nowhere to begin.
        #expect(clauses(parts, everyMs: 5) == ["I have Tuesday at nine for you."])
        #expect(clauses(["At", " nine", " for", " you."], everyMs: 50) == ["At nine for you."])
        #expect(
            clauses(["That sounds lovely a", "t", "tention"], everyMs: 50) == ["That sounds lovely attention"]
        )
        // A question may end where a phrase begins.
        #expect(
            clauses(["What", " were", " they", " there", " for", "?"], everyMs: 50)
                == ["What were they there for?"])
        #expect(
            clauses(["Here", " it", " is", " and", " for", " you", "."], everyMs: 50)
                == ["Here it is and for you."])
    }

    /// Of a phrase's first word that is a token of its own the next is not waited for.
    @Test func aSlowReplyBeginsWithTheTokenThatShowsAPhrase() {
        func begun(_ parts: String...) -> [String] { clauses(parts, everyMs: 50, goesOn: true) }
        #expect(begun("I have", " Tuesday").isEmpty)
        #expect(begun("I have", " Tuesday", " at") == ["I have Tuesday"])
        #expect(begun("Which", " door are they", " at").isEmpty, "a question may end so")
        #expect(begun("What", "'s your own address", " at").isEmpty)
        #expect(begun("You have those you asked", " for").isEmpty, "a sentence may end so")
        #expect(begun("You have those you asked", " for", " then") == ["You have those you asked"])
        #expect(begun("Sure", ",") == ["Sure,"])
        #expect(begun("See https", ":").isEmpty)
    }

    @Test func aSlowReplyBeginsWithItsOpener() {
        let parts = ["Sure", ",", " I", " can", " move", " it", "."]
        #expect(clauses(parts, everyMs: 30) == ["Sure,", "I can move it."])
        #expect(clauses(parts, everyMs: 3) == ["Sure, I can move it."])
        #expect(clauses(["It is 1", ",", "200."], everyMs: 30) == ["It is 1,200."])
        // At the first comma only: a list is not said item by item.
        let list = ["One", ",", " two", ",", " three", ",", " four", "."]
        #expect(clauses(list, everyMs: 30) == ["One,", "two, three, four."])
    }

    @Test func textIsCutWhereAVoiceCanBegin() {
        #expect(clauses(["Hel", "lo. How ar", "e you? Fine"]) == ["Hello.", "How are you?", "Fine"])
        #expect(clauses(["It costs 3.50 dollars, Dr. Lee."]) == ["It costs 3.50 dollars, Dr. Lee."])
        #expect(
            clauses(["If that suits you at ten, then come by. Ok"]) == [
                "If that suits you at ten,", "then come by.", "Ok",
            ])
        #expect(clauses(["**Bold** and `code`\n", "- next"]) == ["Bold and code", "- next"])
        #expect(clauses(["  ", "\n"]).isEmpty)
        #expect(clauses([String(repeating: "word ", count: 90)]).allSatisfy { $0.count <= 210 })
    }

    @Test func staleRepliesAreIgnored() {
        var script = Script()
        script.at(0, .beginReply)
        script.at(5, .hush)
        script.at(10, .replyText(1, "Too late. "))
        script.at(20, .replyFinished(1))
        #expect(script.log == ["0 startReply(1)", "5 cancelReply(1)"])
    }

    @Test func aModelThatStallsFails() {
        var script = Script()
        script.at(0, .beginReply)
        script.advance(to: 20_000)
        #expect(script.log == ["0 startReply(1)", "15000 cancelReply(1)", "15000 replyFailed"])
    }
}
