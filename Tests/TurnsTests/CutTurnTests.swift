import Base
import Testing
import Turns

/// A turn that was taken for over too soon is put together with what follows.
struct CutTurnTests {
    /// "I want to book" is over at 1700, and a reply is asked for.
    private func cut() -> Script {
        var script = Script()
        script.at(0, .speechStarted(agoMs: 0))
        script.at(1000, .speechEnded(agoMs: 0))
        script.at(1050, .transcript("I want to book", isFinal: true, .none))
        script.advance(to: 1700)
        script.at(1700, .beginReply)
        return script
    }

    private func goOn(_ script: inout Script, at ms: Int, _ text: String = "a table for two") {
        script.at(ms, .speechStarted(agoMs: 0))
        script.at(ms + 600, .transcript(text, isFinal: false, .none))
        script.at(ms + 800, .speechEnded(agoMs: 0))
        script.at(ms + 900, .transcript(text, isFinal: true, .none))
        script.advance(to: ms + 5000)
    }

    @Test func bothPartsAreOneTurnAndTheReplyIsCalledOff() {
        var script = cut()
        goOn(&script, at: 2000)
        #expect(
            script.log == [
                "1700 caller: I want to book", "1700 startReply(1)", "2000 duckPlayout", "2180 pausePlayout",
                "2300 clearPlayout", "2300 cancelReply(1)", "2300 reopened",
                "3810 caller: I want to book a table for two",
            ])
    }

    @Test func afterASecondItIsATurnOfItsOwn() {
        var script = cut()
        goOn(&script, at: 2750)
        #expect(!script.log.contains { $0.contains("reopened") })
        #expect(script.log.last?.hasSuffix("caller: a table for two") == true)
    }

    @Test func whatWasHeardOfTheReplyIsNotUnsaid() {
        var script = cut()
        script.at(1750, .replyText(1, "Certainly, for how many people shall it be? "))
        script.at(1760, .synthesised(1, ms: 2500, isLast: true))
        script.at(2300, .heard(1, ms: 700, isFinished: false))
        goOn(&script, at: 2350)
        #expect(!script.log.contains { $0.contains("reopened") })
        #expect(script.log.contains { $0.contains("interrupted after: Certainly,") })
    }

    @Test func aHumIsNoContinuation() {
        var script = cut()
        script.at(2000, .speechStarted(agoMs: 0))
        script.at(2100, .transcript("mm-hm", isFinal: false, .none))
        script.at(2350, .speechEnded(agoMs: 0))
        script.at(2450, .transcript("mm-hm", isFinal: true, .none))
        script.advance(to: 6000)
        #expect(!script.log.contains { $0.contains("reopened") || $0.contains("cancelReply") })
    }

    @Test func whatWasDoneStands() {
        var script = cut()
        script.at(1710, .stand)
        goOn(&script, at: 2000)
        #expect(!script.log.contains { $0.contains("reopened") })
    }

    @Test func aCutTeachesTheNextWait() throws {
        var script = cut()
        goOn(&script, at: 2000)
        let waits = script.evidence.map(\.waitMs)
        #expect(waits[0] == 700 && waits[1] > 700)
        #expect(script.evidence[1].pausesMs == 1000)
    }

    @Test func finalWordsThatComeLateReplaceThoseThatWereTaken() {
        var script = Script()
        script.at(0, .speechStarted(agoMs: 0))
        script.at(500, .transcript("I want too", isFinal: false, .none))
        script.at(1000, .speechEnded(agoMs: 0))
        script.advance(to: 1900)
        script.at(2200, .transcript("I want two tickets", isFinal: true, .none))
        #expect(
            script.log == ["1900 caller: I want too", "2200 reopened", "2200 caller: I want two tickets"])
        script.at(2300, .transcript("I want two tickets", isFinal: true, .none))
        script.advance(to: 9000)
        #expect(script.log.count { $0.contains("caller") } == 2)
    }

    /// A recogniser that holds the stretch of speech open tells all of it again.
    @Test(arguments: [2100, 2700]) func wordsThatWereTakenComeAgainWithWhatFollows(at second: Int) {
        var script = Script()
        script.at(0, .speechStarted(agoMs: 0))
        script.at(500, .transcript("No thank you,", isFinal: false, .none))
        script.at(1000, .speechEnded(agoMs: 0))
        script.advance(to: 1900)
        script.at(1900, .beginReply)
        script.at(2000, .speechStarted(agoMs: 0))
        script.at(second, .transcript("No thank you, that is", isFinal: false, .none))
        script.at(2800, .transcript("No thank you, that is all.", isFinal: false, .none))
        script.at(2900, .speechEnded(agoMs: 0))
        script.advance(to: 9000)
        #expect(script.log.contains { $0.hasSuffix("reopened") })
        #expect(
            script.log.last { $0.contains("caller") }?.hasSuffix("caller: No thank you, that is all.") == true
        )
    }

    @Test func keysThatWereEnoughMayGoOn() {
        var script = Script()
        script.at(0, .key("4", .part))
        script.at(100, .key("7", .enough))
        script.advance(to: 1600)
        script.at(1600, .beginReply)
        script.at(1900, .key("1", .full))
        #expect(
            script.log == [
                "1600 caller: 47", "1600 startReply(1)", "1900 cancelReply(1)", "1900 reopened",
                "1900 caller: 471",
            ])
    }

    @Test func breathsDoNotMakeAMonologueEndless() {
        var script = Script()
        for at in stride(from: 0, to: 65_000, by: 1000) {
            script.at(at, .speechStarted(agoMs: 0))
            script.at(at + 500, .transcript("word", isFinal: false, .none))
            script.at(at + 900, .speechEnded(agoMs: 0))
        }
        #expect(script.log.first?.hasPrefix("60000 caller: word") == true, "\(script.log)")
    }

    @Test func aCallerWhoNeverStopsIsAnswered() {
        var script = Script()
        script.at(0, .speechStarted(agoMs: 0))
        for at in stride(from: 500, to: 200_000, by: 500) {
            script.at(at, .transcript("word", isFinal: at % 1000 == 0, .none))
            if script.log.last?.contains("caller") == true, !script.log.contains("\(at) startReply") {
                script.at(at, .beginReply)
            }
        }
        #expect(script.log.count { $0.contains("caller") } == 3)
        #expect(!script.log.contains { $0.contains("reopened") })
    }
}

/// Whatever comes in: no word is lost or heard twice, and every turn stands or is reopened once.
struct AnyEvidenceTests {
    @Test(arguments: 0..<UInt64(500))
    func wordsAreNeitherLostNorDoubled(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var policy = Turns.Policy()
        if seed.isMultiple(of: 2) { policy.lateAnswer.line = "One moment." }
        var turns = Turns(policy: policy)
        var now = CallTime.zero
        var said: [String] = []
        var taken: [String] = []
        var tentative: String?
        var isSpeaking = false
        var reply: Int?
        func run(_ input: Turns.Input, at time: CallTime) {
            for effect in turns.handle(input, at: time) {
                switch effect {
                case .callerTurn(let turn):
                    #expect(tentative == nil, "seed \(seed): a turn neither stood nor was reopened")
                    tentative = turn.text
                case .reopened:
                    #expect(tentative != nil, "seed \(seed): reopened without a turn")
                    tentative = nil
                case .turnStands:
                    #expect(tentative != nil, "seed \(seed): stands without a turn")
                    if let tentative { taken.append(tentative) }
                    tentative = nil
                case .startReply(let id): reply = id
                default: break
                }
            }
            if let due = turns.deadline, input == .deadline {
                #expect(due > time, "seed \(seed): the deadline does not move on")
            }
        }
        func advance(to time: CallTime) {
            while let due = turns.deadline, due <= time {
                now = max(now, due)
                run(.deadline, at: now)
            }
            now = time
        }
        for number in 0..<120 {
            advance(to: now + .milliseconds(Int.random(in: 0...1500, using: &random)))
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                // One utterance: its words come before or soon after its end is told, once.
                let word = "w\(number)"
                run(.speechStarted(agoMs: Int.random(in: 0...80, using: &random)), at: now)
                advance(to: now + .milliseconds(Int.random(in: 150...1200, using: &random)))
                if Bool.random(using: &random) { run(.transcript(word, isFinal: false, .none), at: now) }
                let isEarly = Bool.random(using: &random)
                if isEarly { run(.transcript(word, isFinal: true, .none), at: now) }
                advance(to: now + .milliseconds(Int.random(in: 10...120, using: &random)))
                run(.speechEnded(agoMs: Int.random(in: 0...200, using: &random)), at: now)
                if !isEarly {
                    advance(to: now + .milliseconds(Int.random(in: 0...300, using: &random)))
                    run(.transcript(word, isFinal: true, .none), at: now)
                }
                said.append(word)
            case 6: run(.endOfTurn(probability: Double.random(in: 0...1, using: &random)), at: now)
            case 7: run(isSpeaking ? .settled : .stirred, at: now)
            case 8:
                if tentative != nil, reply == nil || !turns.isCurrent(reply: reply ?? 0) {
                    run(.beginReply, at: now)
                }
            default: run(.ask([.open, .yesNo, .phone][Int.random(in: 0..<3, using: &random)]), at: now)
            }
            isSpeaking.toggle()
        }
        advance(to: now + .seconds(90))
        #expect(taken.joined(separator: " ").split(separator: " ").map(String.init) == said, "seed \(seed)")
    }
}
