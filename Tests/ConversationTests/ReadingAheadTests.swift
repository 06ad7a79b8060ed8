import Agents
import Base
import Conversation
import Testing

/// Tools that only read are run for a reply to a guess; their results are the reply's if the guess was right.
struct ReadingAheadTests {
    /// A caller who asks for two things, of whom the first is guessed right.
    private func call(_ replies: [Rehearsal.Reply], weatherMs: Int = 150) throws -> Rehearsal {
        var call = Rehearsal(try definition(Desks.reader))
        call.tools["weather"] = (weatherMs, ["sky": "clear"])
        call.tools["book"] = (150, ["slot": "ten"])
        call.replies = replies
        call.at(0, .mediaStarted(resumed: false))
        return call
    }

    private func requests(_ call: Rehearsal) -> [Dialogue.ModelRequest] {
        call.effects.compactMap { if case .startReply(_, let request) = $0 { request } else { nil } }
    }

    @Test func whatWasReadAheadIsSpokenOnceTheTurnIsOver() throws {
        var call = try call([
            .init(text: ["Let me see. "], tool: ("weather", #"{"day":"today"}"#), afterMs: 100),
            .init(text: ["It is clear. ", "Anything else?"], afterMs: 100),
        ])
        call.caller(2500, "what is the weather")
        call.run(until: 9000)
        try expectGolden(
            "read-ahead",
            """
            A model that is asked ahead of the turn's end wants a tool that only reads: it is run at once, and the model goes
            on with what it gave. When the turn is over all of it is there; the tool is told of then, and has run once.
            """, call.ladder)
        #expect(call.toolCalls.map(\.name) == ["weather"])
        #expect(requests(call).map(\.isDraft) == [true, true])
        #expect(call.said == ["Hello, how can I help?", "Let me see.", "It is clear.", "Anything else?"])
        let messages = try #require(call.conversation.checkpoint.prompt?.messages)
        #expect(messages[1] == .user("what is the weather"))
        #expect(messages.count == 5)
    }

    @Test func whatWasReadOnAWrongGuessLeavesNoTrace() throws {
        var call = try call(
            [
                .init(tool: ("weather", #"{"day":"today"}"#), afterMs: 100),
                .init(text: ["For how many?"], afterMs: 100),
            ], weatherMs: 400)
        call.at(2540, .speechStarted(agoMs: 40))
        call.at(3200, .transcript(.init(text: "the weather today", isFinal: false)))
        call.at(3500, .speechEnded(agoMs: 100))
        call.at(
            3700, .transcript(.init(text: "the weather today don't matter, a table please", isFinal: true)))
        call.run(until: 9000)
        try expectGolden(
            "read-in-vain",
            """
            The caller says more than was guessed: the tool that was run ahead is called off, which is told, and its result
            is thrown away.
            """, call.ladder)
        #expect(call.effects.contains { $0 == .cancelTool(key: "call-weather-1-draft1") })
        #expect(!call.effects.contains { if case .record(.tool) = $0 { true } else { false } })
        #expect(requests(call).allSatisfy { !$0.messages.contains { $0.isOfATool } })
        #expect(call.conversation.checkpoint.prompt?.toolsCalled == 0)
    }

    /// A guess at "the weather today", answered at 3600 or 3800 ms; the caller goes on at 3700, or does not.
    @Test(arguments: [(3600, true), (3800, true), (3600, false)])
    func whatADraftHasCostIsToldWhenItIsDropped(finishedAt: Int, isDropped: Bool) throws {
        var call = try call([])
        call.at(2540, .speechStarted(agoMs: 40))
        call.at(3200, .transcript(.init(text: "the weather today", isFinal: false)))
        call.at(3500, .speechEnded(agoMs: 100))
        let usage = [Usage(component: .llm, source: "openai/m", unit: .outputTokens, quantity: 7)]
        call.at(3590, .replyText(.init(1), "It is clear."))
        call.at(finishedAt, .replyFinished(.init(1), usage))
        let rest = isDropped ? " don't matter, a table please" : ""
        call.at(3700, .transcript(.init(text: "the weather today" + rest, isFinal: true)))
        call.run(until: 6000)
        let notes = call.effects.compactMap { effect -> String? in
            if case .record(.note(let code, let detail)) = effect, code.hasPrefix("draft") {
                "\(code): \(detail)"
            } else {
                nil
            }
        }
        #expect(requests(call).first?.isDraft == true)
        #expect(
            notes == (isDropped ? ["draft_dropped: reply 1", "draft_cost: reply 1: 7 outputTokens"] : []))
        #expect(call.effects.count { $0 == .record(.usage(usage)) } == 1)
    }

    @Test func aToolThatStillRunsIsWaitedFor() throws {
        var call = try call(
            [
                .init(tool: ("weather", "{}"), afterMs: 100), .init(text: ["It is clear."], afterMs: 100),
            ], weatherMs: 2500)
        call.caller(2500, "what is the weather")
        call.run(until: 12_000)
        #expect(call.toolCalls.count == 1)
        #expect(requests(call).map(\.isDraft) == [true, false])
        // The filler waits for the turn, and says that the tool is slow.
        #expect(call.said == ["Hello, how can I help?", "Let me look.", "It is clear."])
        #expect(!call.effects.contains { if case .cancelTool = $0 { true } else { false } })
    }

    @Test(arguments: ["book", "end_call"])
    func aReplyThatDoesMoreThanReadWaitsWhole(other: String) throws {
        var call = try call([])
        call.caller(2500, "what is the weather")
        call.run(until: 3900)
        let reply = try #require(call.lastReply)
        call.at(3920, .replyToolCall(reply, id: "a", name: "weather", arguments: "{}"))
        call.at(3930, .replyToolCall(reply, id: "b", name: other, arguments: "{}"))
        call.at(3940, .replyFinished(reply, []))
        call.run(until: 3960)
        #expect(requests(call).map(\.isDraft) == [true])
        #expect(call.toolCalls.isEmpty)
        call.run(until: 6000)
        #expect(call.toolCalls.map(\.key) == (other == "book" ? ["call-weather-1", "call-book-2"] : []))
    }

    @Test func toolsOfTwoGuessesHaveTwoKeys() throws {
        var call = try call(
            [
                .init(tool: ("weather", "{}"), afterMs: 50),
                .init(tool: ("weather", #"{"day":"monday"}"#), afterMs: 50),
            ], weatherMs: 5000)
        call.at(2540, .speechStarted(agoMs: 40))
        call.at(3200, .transcript(.init(text: "what is the weather", isFinal: false)))
        call.at(3500, .speechEnded(agoMs: 100))
        call.at(4000, .transcript(.init(text: "what is the weather like in", isFinal: false)))
        call.run(until: 5000)
        #expect(call.toolCalls.map(\.key) == ["call-weather-1-draft1", "call-weather-1-draft2"])
    }

    @Test func aToolThatFailsAheadFailsTheReply() throws {
        var call = try call([
            .init(tool: ("weather", "{}"), afterMs: 100), .init(text: ["I cannot see it."], afterMs: 100),
        ])
        call.tools["weather"] = (100, nil)
        call.caller(2500, "what is the weather")
        call.run(until: 9000)
        #expect(
            requests(call).last?.messages.last
                == .toolResult(
                    key: "call-weather-1-draft1", content: #"{"error":"http_500"}"#))
        #expect(call.effects.contains { $0.failedTool == "weather" })
    }

    @Test func theNextWorkerKnowsNothingOfADraft() throws {
        var first = try call([.init(tool: ("weather", "{}"), afterMs: 50)], weatherMs: 5000)
        first.caller(2500, "what is the weather")
        first.run(until: 3900)
        #expect(first.toolCalls.map(\.key) == ["call-weather-1-draft1"])
        var second = Rehearsal(
            try definition(Desks.reader), resuming: first.conversation.checkpoint)
        second.tools["weather"] = (5000, ["sky": "clear"])
        second.replies = [.init(tool: ("weather", "{}"), afterMs: 50)]
        second.at(0, .mediaStarted(resumed: true))
        second.caller(4000, "what is the weather")
        second.run(until: 7000)
        // Another key: the first worker's tool may have been asked something else.
        #expect(second.toolCalls.map(\.key) == ["call-weather-1-draft2"])
    }

    @Test func aToolRunAheadAndAdoptedIsSentAgainUnderTheSameKey() throws {
        var first = try call([.init(tool: ("weather", "{}"), afterMs: 50)], weatherMs: 9000)
        first.caller(2500, "what is the weather")
        first.run(until: 6000)
        var second = Rehearsal(
            try definition(Desks.reader), resuming: first.conversation.checkpoint)
        second.at(0, .mediaStarted(resumed: true))
        second.run(until: 1000)
        #expect(second.toolCalls.map(\.key) == first.toolCalls.map(\.key))
        #expect(second.toolCalls.count == 1)
    }
}

extension Dialogue.Message {
    fileprivate var isOfATool: Bool {
        switch self {
        case .toolCalls, .toolResult: true
        case .system, .user, .assistant: false
        }
    }
}

extension Dialogue.Effect {
    fileprivate var failedTool: String? {
        if case .record(.tool(let tool)) = self, !tool.succeeded { tool.name } else { nil }
    }
}
