import Agents
import Base
import Conversation
import Foundation
import Testing

struct FailureTests {
    @Test func aDeadModelIsSpokenAbout() throws {
        var call = Rehearsal(try definition(Desks.prompt))
        call.replies = [.init(failure: "http_500")]
        call.at(0, .mediaStarted(resumed: false))
        call.caller(2500, "hello")
        call.run(until: 20_000)
        #expect(call.said.last?.hasPrefix("I am sorry, something went wrong") == true)
        #expect(call.hangUps == [.agentFailed])
    }

    @Test func aModelThatNeverAnswersIsADeadModel() throws {
        var call = Rehearsal(try definition(Desks.prompt))
        call.at(0, .mediaStarted(resumed: false))
        call.caller(2500, "hello")
        call.run(until: 40_000)
        #expect(call.hangUps == [.agentFailed])
    }

    @Test func aVoiceThatFailsEndsWithTheFixedLine() throws {
        var call = Rehearsal(try definition(Desks.appointments))
        call.at(0, .mediaStarted(resumed: false))
        call.at(50, .synthesisFailed(.init(1), code: "gone"))
        call.run(until: 20_000)
        #expect(call.said.count == 2 && call.hangUps == [.agentFailed])
    }

    @Test func evenTheFixedLineMayFail() throws {
        var call = Rehearsal(try definition(Desks.appointments))
        call.at(0, .mediaStarted(resumed: false))
        call.at(50, .synthesisFailed(.init(1), code: "gone"))
        call.at(60, .synthesisFailed(.init(2), code: "gone"))
        call.run(until: 1000)
        #expect(call.hangUps == [.agentFailed])
    }

    @Test func aToolThatFailsTakesItsEdge() throws {
        var call = Rehearsal(try definition(Desks.appointments))
        call.tools["book"] = (200, nil)
        call.at(0, .mediaStarted(resumed: false))
        call.caller(3500, "ann lee")
        call.caller(8000, "tomorrow")
        call.caller(12_500, "four one five five five five oh one oh oh", lasting: 3000)
        call.caller(22_000, "yes")
        call.run(until: 40_000)
        #expect(call.said.last == "I could not book that. Goodbye.")
    }

    @Test func hangingUpIsPossibleAtAnyMoment() throws {
        for ms in stride(from: 0, to: 30_000, by: 370) {
            for input in [Dialogue.Input.callerHungUp, .mediaLost, .endRequested] {
                var call = Rehearsal(try definition(Desks.appointments))
                call.tools["book"] = (1500, ["slot": "ten"])
                call.at(0, .mediaStarted(resumed: false))
                call.caller(3500, "ann lee")
                call.caller(8000, "tuesday")
                call.caller(12_500, "five five five oh one double two six six six", lasting: 3000)
                call.caller(22_000, "yes")
                call.at(ms, input)
                call.run(until: 60_000)
                #expect(call.hangUps.count == 1, "\(input) at \(ms)")
            }
        }
    }
}

struct TakeoverTests {
    @Test func aToolThatWasNotAnsweredIsSentAgainUnderTheSameKey() throws {
        for desk in [Desks.appointments, Desks.prompt] {
            var first = Rehearsal(try definition(desk))
            first.replies = [.init(text: ["I will look. "], tool: ("weather", "{}"))]
            first.at(0, .mediaStarted(resumed: false))
            first.caller(3500, "ann lee")
            first.caller(8000, "tuesday")
            first.caller(12_500, "five five five oh one double two six six six", lasting: 3000)
            first.caller(22_000, "yes")
            first.run(until: 24_000)
            let intended = first.toolCalls
            #expect(intended.count == 1)
            var second = Rehearsal(try definition(desk), resuming: first.conversation.checkpoint)
            second.at(0, .mediaStarted(resumed: true))
            second.run(until: 100)
            #expect(second.toolCalls == intended)
        }
    }

    @Test func anAnsweredToolIsNotCalledAgain() throws {
        var first = Rehearsal(try definition(Desks.prompt))
        first.tools["weather"] = (100, ["sky": "clear"])
        first.replies = [.init(tool: ("weather", "{}")), .init(text: ["It is clear."])]
        first.at(0, .mediaStarted(resumed: false))
        first.caller(2500, "hello")
        first.run(until: 6000)
        var second = Rehearsal(try definition(Desks.prompt), resuming: first.conversation.checkpoint)
        second.at(0, .mediaStarted(resumed: true))
        second.run(until: 3000)
        #expect(first.toolCalls.count == 1 && second.toolCalls.isEmpty)
        #expect(second.said == ["Sorry, we were cut off for a moment."])
    }

    @Test func aLostCheckpointBeginsAnew() throws {
        var call = Rehearsal(try definition(Desks.appointments), resuming: Checkpoint(elapsedMs: 30_000))
        call.at(0, .mediaStarted(resumed: true))
        call.run(until: 1000)
        #expect(
            call.said == [
                "Sorry, we were cut off for a moment.", "Welcome to Elm Street. What is your name?",
            ])
        #expect(call.conversation.checkpoint.elapsedMs == 31_000)
    }

    @Test func timeBeforeCountsAgainstTheLimit() throws {
        var agent = try definition(Desks.appointments)
        agent.limits.maxSeconds = 40
        var call = Rehearsal(agent, resuming: Checkpoint(elapsedMs: 35_000))
        call.at(0, .mediaStarted(resumed: true))
        call.run(until: 10_000)
        #expect(call.hangUps == [.timeLimit])
    }
}

struct SpeakingFirstTests {
    @Test func theCallerMaySpeakFirst() throws {
        var agent = try definition(Desks.appointments)
        agent.speaksFirst = .caller
        var call = Rehearsal(agent)
        call.at(0, .mediaStarted(resumed: false))
        call.caller(1000, "hello")
        call.run(until: 3600)
        #expect(call.turns.first?.speaker == .caller)
        #expect(call.said == ["Welcome to Elm Street. What is your name?"])
    }

    @Test func aCallerWhoWaitsIsSpokenTo() throws {
        var agent = try definition(Desks.appointments)
        agent.speaksFirst = .caller
        var call = Rehearsal(agent)
        call.at(0, .mediaStarted(resumed: false))
        call.run(until: 8000)
        #expect(call.said.count == 1)
    }

    @Test func aModelMayOpen() throws {
        var agent = try definition(Desks.prompt)
        agent.prompt?.firstLine = nil
        var call = Rehearsal(agent)
        call.replies = [.init(text: ["Hello there."])]
        call.at(0, .mediaStarted(resumed: false))
        call.run(until: 2000)
        #expect(call.said == ["Hello there."])
    }

    @Test func anAnswerDuringTheGreetingIsTaken() throws {
        var call = Rehearsal(try definition(Desks.appointments))
        call.at(0, .mediaStarted(resumed: false))
        call.caller(1000, "ann lee", lasting: 600)
        call.run(until: 3000)
        #expect(call.said.last == "Hello ann lee. Which day suits you?")
        #expect(call.turns.first?.wasInterrupted == true)
    }

    @Test func recordingStartsOnlyAfterConsent() throws {
        var agent = try definition(Desks.menu)
        agent.recording.mode = .afterConsent
        agent.flow?.nodes[0].recording = .start
        var call = Rehearsal(agent)
        call.at(0, .mediaStarted(resumed: false))
        call.at(5000, .digit("1"))
        call.run(until: 4900)
        #expect(call.count(.startRecording) == 0)
        call.run(until: 6000)
        #expect(call.count(.startRecording) == 1)
    }
}

struct CodingTests {
    @Test func everyInputSurvivesItsJSON() throws {
        let inputs: [Dialogue.Input] = [
            .mediaStarted(resumed: true), .mediaStarted(resumed: false), .speechStarted(agoMs: 60),
            .speechEnded(agoMs: 100), .speechEnded(agoMs: 100, finality: 0.25), .stirred, .settled,
            .endOfTurn(probability: 0.75),
            .transcript(.init(text: "a", isFinal: true, words: [Word(text: "a", startMs: 1, endMs: 2)])),
            .transcript(.init(text: "", isFinal: false)), .digit("#"), .replyText(.init(1), "x"),
            .replyToolCall(.init(1), id: "i", name: "n", arguments: "{}"),
            .replyFinished(.init(2), [Usage(component: .llm, source: "s", unit: .outputTokens, quantity: 3)]),
            .replyFailed(.init(2), code: "c"), .synthesised(.init(3), milliseconds: 4, isLast: true),
            .synthesisFailed(.init(3), code: "c"), .heard(.init(3), milliseconds: 4, isFinished: false),
            .toolFinished(key: "k", result: ["a": [1, nil]]), .toolFinished(key: "k", result: .null),
            .toolFailed(key: "k", code: "c"), .holdExtended(number: 1, fundedMs: 2), .holdRefused(number: 1),
            .holdUnanswered(number: 1), .endRequested, .callerHungUp, .mediaLost, .deadline,
            .keyTone("A"), .lineTone(.faxCalling),
        ]
        for input in inputs {
            let data = try JSONEncoder().encode(input)
            #expect(try JSONDecoder().decode(Dialogue.Input.self, from: data) == input)
        }
        #expect(
            String(decoding: try JSONEncoder().encode(Dialogue.Input.stirred), as: UTF8.self)
                == #"{"kind":"stirred"}"#)
    }

    @Test func edgesOfAnOldJournalWereToldByItsEar() throws {
        func read(_ text: String) throws -> Dialogue.Input {
            try JSONDecoder().decode(Dialogue.Input.self, from: Data(text.utf8))
        }
        #expect(try read(#"{"kind":"speech_started"}"#) == .speechStarted(agoMs: 60))
        #expect(try read(#"{"kind":"speech_ended"}"#) == .speechEnded(agoMs: 200))
    }
}

struct ChatTests {
    @Test func aFlowIsBookedInText() throws {
        var chat = Chat(definition: try definition(Desks.appointments), variables: [:], call: "c")
        func said(_ effects: [Chat.Effect]) -> [String] {
            effects.compactMap { if case .said(let text) = $0 { text } else { nil } }
        }
        #expect(said(chat.start()) == ["Welcome to Elm Street. What is your name?"])
        #expect(said(chat.say("ann lee")) == ["Hello ann lee. Which day suits you?"])
        #expect(said(chat.say("tuesday")) == ["What is your phone number?"])
        #expect(
            said(chat.say("#5550122666")) == [
                "So tuesday, and your number is 5 5 5, 0 1 2, 2 6 6 6. Is that right?"
            ])
        let effects = chat.say("yes")
        guard let call = effects.compactMap({ if case .callTool(let call) = $0 { call } else { nil } }).first
        else {
            Issue.record("no tool call")
            return
        }
        let last = chat.handle(.toolFinished(key: call.key, result: ["slot": "ten"]))
        #expect(said(last) == ["You are booked for ten. Goodbye."])
        #expect(last.contains(.ended(.agentEnded)))
    }
}
