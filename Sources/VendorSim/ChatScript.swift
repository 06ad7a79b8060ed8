package import Base

/// What the simulated model says to what.
package struct ChatScript: Sendable {
    /// One answer of the model, and how it arrives.
    package struct Reply: Hashable, Sendable {
        package var text: String
        package var toolCalls: [ToolCall]
        package var fault: Fault?

        package init(_ text: String = "", toolCalls: [ToolCall] = [], fault: Fault? = nil) {
            self.text = text
            self.toolCalls = toolCalls
            self.fault = fault
        }
        package static func fault(_ fault: Fault) -> Reply { Reply(fault: fault) }
    }

    package struct ToolCall: Hashable, Sendable {
        package var name: String
        package var arguments: JSON
        package init(name: String, arguments: JSON) {
            self.name = name
            self.arguments = arguments
        }
    }

    package enum Fault: Hashable, Sendable {
        case unauthorized
        case rateLimited(retryAfterSeconds: Int)
        /// Not to be retried.
        case insufficientQuota
        case serverError
        /// Any other error status, in the vendor's own form.
        case status(Int)
        /// 200, the head, and then nothing for `ModelSettings.silenceMax`.
        case silence
        /// The first token comes so late.
        case late(Duration)
        /// The connection breaks after so many tokens.
        case cut(afterTokens: Int)
        /// The connection breaks in the middle of the event after so many tokens.
        case cutInFrame(afterTokens: Int)
        /// An event that is not JSON after so many tokens.
        case malformed(afterTokens: Int)
        /// An error event after so many tokens.
        case errorEvent(afterTokens: Int)
        /// Every byte of the stream is sent by itself.
        case bytewise
        /// The first words, and then signs of life without a word, for `ModelSettings.silenceMax`.
        case trickle
        /// Words without end, or until `ModelSettings.endlessTokens`.
        case endless
        /// Events, members and blocks that no client knows, between those of the reply.
        case unknownEvents
        /// A call of an offered tool whose arguments are not JSON.
        case badToolArguments
        /// A call of a tool that was not offered.
        case unknownTool
        /// The vendor declines to answer.
        case refusal
    }

    package struct Rule: Sendable {
        let matches: @Sendable (ChatTurn) -> Bool
        let replies: @Sendable (ChatTurn) -> Reply

        package init(
            when matches: @escaping @Sendable (ChatTurn) -> Bool,
            reply: @escaping @Sendable (ChatTurn) -> Reply
        ) {
            self.matches = matches
            replies = reply
        }

        /// `pattern`: a regular expression held against the last user message, case aside. Wrong patterns
        /// never match.
        package static func on(_ pattern: String, _ reply: Reply) -> Rule {
            Rule(
                when: { $0.lastIsTool == false && found(pattern, in: $0.lastUser) != nil },
                reply: { _ in reply })
        }

        /// The last message is the result of this tool.
        package static func afterTool(_ name: String, _ reply: Reply) -> Rule {
            Rule(when: { $0.lastIsTool && $0.lastToolName == name }, reply: { _ in reply })
        }
    }

    package var rules: [Rule]
    package var otherwise: Reply

    package init(_ rules: [Rule], otherwise: Reply = Reply("I am sorry, could you say that again?")) {
        self.rules = rules
        self.otherwise = otherwise
    }

    func reply(to turn: ChatTurn) -> Reply {
        rules.first { $0.matches(turn) }?.replies(turn) ?? otherwise
    }

    /// The captures of the first match, the whole match first; nil when there is none.
    static func found(_ pattern: String, in text: String) -> [String]? {
        // A pattern that does not compile is a mistake of the test; it never matches, and the test shows it.
        guard let regex = try? Regex(pattern).ignoresCase(), let match = try? regex.firstMatch(in: text)
        else {
            return nil
        }
        return match.output.map { $0.substring.map(String.init) ?? "" }
    }

    /// A small appointment desk: asks name, day and phone, one by one, books with the tool `book`, says
    /// goodbye.
    package static func appointmentDesk() -> ChatScript {
        ChatScript(
            [
                .afterTool("book", Reply("You are booked. Goodbye.", toolCalls: [])),
                Rule(when: { _ in true }, reply: deskReply),
            ])
    }

    private static func deskReply(_ turn: ChatTurn) -> Reply {
        let users = turn.userMessages
        let name = users.lazy.compactMap { found(#"my name is (\w+)"#, in: $0)?[1] }.last
        let days = Booking.Day.weekdays.joined(separator: "|")
        let day = users.lazy.compactMap { found("(\(days))", in: $0)?[1] }.last
        let phone = users.lazy.compactMap(digits).last
        guard let name else { return Reply("Welcome to the appointment desk. What is your name?") }
        guard let day else { return Reply("Thank you \(name). Which day would you like to come?") }
        guard let phone else { return Reply("What is your phone number, please?") }
        let arguments: JSON = [
            "name": .string(name.lowercased()), "day": .string(day.lowercased()), "phone": .string(phone),
        ]
        return Reply(toolCalls: [ToolCall(name: "book", arguments: arguments)])
    }

    /// Ten digits, written or spoken.
    private static func digits(_ text: String) -> String? {
        var result = text.filter(\.isNumber)
        if result.isEmpty {
            for word in PersonaMind.words(text) {
                if let index = HeardGrammar.digits.firstIndex(of: String(word)) {
                    result += String(index % 10)
                }
            }
        }
        return result.count == 10 ? result : nil
    }
}

/// One request as the script sees it.
package struct ChatTurn: Sendable {
    package var model: String
    package var messages: [JSON]
    package var tools: [String]

    package var userMessages: [String] {
        messages.filter { $0["role"]?.string == "user" }.map(Self.text)
    }
    package var lastUser: String { userMessages.last ?? "" }
    package var lastIsTool: Bool { messages.last?["role"]?.string == "tool" }
    package var lastToolName: String? {
        guard let id = messages.last?["tool_call_id"]?.string else { return nil }
        let calls = messages.flatMap { $0["tool_calls"]?.array ?? [] }
        return calls.last { $0["id"]?.string == id }?["function"]?["name"]?.string
    }

    private static func text(_ message: JSON) -> String {
        if let text = message["content"]?.string { return text }
        return (message["content"]?.array ?? []).compactMap { $0["text"]?.string }.joined(separator: " ")
    }
}
