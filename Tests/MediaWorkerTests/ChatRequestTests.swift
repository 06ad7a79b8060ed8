import Agents
import Base
import CallDispatch
import Conversation
import MediaWorker
import Speech
import Testing

/// What a model is sent of a call.
struct ChatRequestTests {
    private static func asked(
        _ messages: [Dialogue.Message], _ history: Prompt.History, system: String = "Be brief."
    ) -> Dialogue.ModelRequest {
        var prompt = Prompt(system: system, model: "m")
        prompt.history = history
        return Dialogue.ModelRequest(prompt: prompt, messages: [.system(prompt.system)] + messages, tools: [])
    }

    private static func talk(_ turns: Int) -> [Dialogue.Message] {
        var messages: [Dialogue.Message] = [
            .assistant("Hello."), .user("Find me a table in Rome."),
            .toolCalls([.init(key: "c-find-1", name: "find", arguments: ["city": "Rome"])], text: ""),
            .toolResult(
                key: "c-find-1", content: #"[{"name":"Roma","stars":4},{"name":"Milano","stars":3}]"#),
            .assistant("There is Roma."),
        ]
        for turn in 0..<turns {
            messages += [
                .user("And then, number \(turn)?"), .assistant("This is what follows, as I said before."),
            ]
        }
        return messages
    }

    @Test func aWholeHistoryIsSentAsItIs() {
        var requests = ChatRequests()
        let request = requests.next(Self.asked(Self.talk(30), .whole))
        #expect(request.messages.count == 66 && request.dialogue == nil)
    }

    @Test func resultsKeepTheirCallsAndOldTurnsBecomeOneMessage() {
        var requests = ChatRequests()
        let first = requests.next(Self.asked(Self.talk(0), .shortened))
        #expect(first.messages[4] == .toolResult(id: "c-find-1", content: "name|stars\nRoma|4\nMilano|3"))
        let later = requests.next(Self.asked(Self.talk(12), .shortened))
        #expect(later.messages.first == .system("Be brief."))
        guard case .user(let line) = later.messages[1] else {
            Issue.record("no line in place of the old turns")
            return
        }
        #expect(line.hasPrefix("Earlier I said: Find me a table in Rome. / And then"))
        #expect(later.messages.count < 15 && later.dialogue?.count == 30)
        #expect(later.messages.suffix(6).elementsEqual(later.dialogue?.suffix(6) ?? []))
    }

    @Test func theBeginningOfWhatIsSentSeldomChanges() {
        var requests = ChatRequests()
        // Long enough for a vendor's cache.
        let system = String(repeating: "Be brief. ", count: 800)
        var before: [ChatMessage] = []
        var changes = 0
        for turns in 0..<60 {
            let sent = requests.next(Self.asked(Self.talk(turns), .shortened, system: system)).messages
            if !sent.starts(with: before) { changes += 1 }
            before = sent
        }
        #expect(changes <= 12, "each costs what a vendor's cache held")
    }
}

@Test func anAccountIsTheNewestOfItsVendorOrOfItsName() {
    let accounts = ["together", "groq", "groq"].enumerated().map { number, name in
        VendorCredential(
            vendor: "compatible", name: name, key: Redacted("k"), baseURL: "https://\(number).example")
    }
    #expect(accounts.account("compatible")?.baseURL == "https://0.example")
    #expect(accounts.account("compatible:groq")?.baseURL == "https://1.example")
    #expect(accounts.account("compatible:local") == nil && accounts.account("openai:groq") == nil)
}
