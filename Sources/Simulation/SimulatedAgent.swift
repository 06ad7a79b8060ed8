import Agents
import Base

/// Agents that simulated calls talk to.
enum SimulatedAgent: CaseIterable, Hashable {
    /// Books an appointment: name, day, phone number, confirmation, a tool.
    case desk
    /// Keys, a line that must be heard, a node that pauses recording.
    case menu
    /// A language model with tools, one of which only reads.
    case prompt

    static let lookUp = "look_up"
    static let change = "change_order"

    func definition(maxSeconds: Int) -> AgentDefinition {
        var definition = AgentDefinition()
        definition.limits.maxSeconds = maxSeconds
        switch self {
        case .desk:
            definition.flow = Self.deskFlow
            definition.tools = [Self.tool("book")]
        case .menu:
            definition.flow = Self.menuFlow
            definition.recording.mode = .afterConsent
        case .prompt:
            var prompt = Prompt(system: "You are a helpful desk.", model: "simulated")
            prompt.firstLine = "Hello, this is the help desk. How can I help you today?"
            prompt.filler = "Let me see."
            definition.prompt = prompt
            definition.tools = [Self.tool(Self.lookUp), Self.tool(Self.change)]
            definition.tools[0].isReadOnly = true
        }
        return definition
    }

    private static func tool(_ name: String) -> Tool {
        var tool = Tool(name: name, url: "https://example.com/\(name)")
        tool.filler = "One moment please."
        return tool
    }

    private static func node(
        _ id: String, _ line: String, _ expect: Expectation? = nil, _ edges: [Edge] = []
    ) -> Node {
        var node = Node(id: id)
        node.say = line
        node.expect = expect
        node.save = expect == nil ? nil : id
        node.edges = edges
        node.end = expect == nil && edges.isEmpty
        return node
    }

    private static var deskFlow: Flow {
        var book = node(
            "book", "I will book that for you.", nil,
            [Edge(when: .toolSucceeded, to: "done"), Edge(when: .toolFailed, to: "sorry")])
        var use = ToolUse(name: "book")
        use.arguments = ["name": "{{name}}", "day": "{{day}}", "phone": "{{phone}}"]
        use.save = ["slot": "slot"]
        book.tool = use
        return Flow(
            start: "name",
            nodes: [
                node(
                    "name", "Welcome to the clinic, you can speak freely. What is your name please?",
                    .name(known: ["ann lee", "bob stone"]), [Edge(when: .matched, to: "day")]),
                node(
                    "day", "Hello {{name}}. Which day would suit you best for the appointment?", .date,
                    [Edge(when: .matched, to: "phone")]),
                node("phone", "What is your phone number?", .phone, [Edge(when: .matched, to: "confirm")]),
                node(
                    "confirm", "So {{day}}, and your number is {{phone}}. Is that right?", .yesNo,
                    [Edge(when: .equals("yes"), to: "book"), Edge(when: .equals("no"), to: "phone")]),
                book,
                node("done", "You are booked for {{slot}}. Goodbye."),
                node("sorry", "I could not book that. Goodbye."),
            ])
    }

    private static var menuFlow: Flow {
        var consent = node(
            "consent", "This call may be recorded. May we go on?", .yesNo,
            [Edge(when: .equals("yes"), to: "menu"), Edge(when: .equals("no"), to: "bye")])
        consent.uninterruptible = true
        consent.recording = .start
        var card = node(
            "card", "Please enter the number of your card, then hash.", .digits(min: 4, max: 8),
            [Edge(when: .matched, to: "thanks")])
        card.recording = .pause
        return Flow(
            start: "consent",
            nodes: [
                consent,
                node(
                    "menu",
                    "For opening hours press one. To pay by card press two. Or tell me what you need.",
                    .open,
                    [
                        Edge(when: .digits("1"), to: "hours"), Edge(when: .digits("2"), to: "card"),
                        Edge(when: .keywords(["pay", "card"]), to: "card"),
                        Edge(when: .keywords(["goodbye"]), to: "bye"),
                    ]),
                node("hours", "We are open from nine to five.", nil, [Edge(when: .always, to: "menu")]),
                card,
                node(
                    "thanks", "Thank you. Is there anything else?", .yesNo,
                    [
                        Edge(when: .equals("yes"), to: "menu"), Edge(when: .equals("no"), to: "bye"),
                    ]),
                node("bye", "Thank you for calling. Goodbye."),
            ])
    }
}
