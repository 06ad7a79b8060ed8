import Agents
import Base
import Testing

/// Answers in pieces, and what is said to a read-back.
struct FlowCollectingTests {
    /// Asks for `expect`, says "So {{value}}?" and ends at "no" or "yes".
    private struct Desk {
        var machine: FlowMachine

        init(_ expect: Base.Expectation) {
            var ask = Node(id: "ask")
            ask.say = "What is it?"
            ask.expect = expect
            ask.save = "value"
            ask.edges = [Edge(when: .matched, to: "confirm")]
            var confirm = Node(id: "confirm")
            confirm.say = "So {{value}}?"
            confirm.expect = .yesNo
            confirm.edges = [Edge(when: .equals("yes"), to: "yes"), Edge(when: .equals("no"), to: "no")]
            var ends = [Node(id: "yes"), Node(id: "no")]
            for index in ends.indices { ends[index].end = true }
            let flow = Flow(start: "ask", nodes: [ask, confirm] + ends)
            machine = FlowMachine(flow: flow, definition: AgentDefinition(), variables: [:], call: "call")
            _ = machine.handle(.started)
        }

        /// What the agent says to it.
        mutating func say(_ text: String) -> [String] {
            machine.handle(.answered(text: text, keys: "")).compactMap {
                if case .say(let line, _) = $0 { line } else { nil }
            }
        }
        var value: String? { machine.memory.variables["value"] }
    }

    @Test(
        arguments: [
            (.amount, "twelve fifty", "no thirteen", "13"),
            (.amount, "twelve fifty", "no, thirteen fifty", "13.50"),
            (.amount, "twelve fifty", "thirteen, not twelve fifty", "13"),
            (.date, "friday", "no saturday", "saturday"), (.date, "friday", "no, next friday", "next friday"),
            (.date, "friday", "not friday, saturday", "saturday"),
            (.date, "march third", "no the fourth of march", "march 4"),
            (.amount, "twelve fifty", "yes but make it thirteen", "13"),
            (.date, "friday", "yes, sorry, saturday", "saturday"),
            (.digits(min: 4, max: 4), "one two three four", "no five", "1235"),
        ] as [(Base.Expectation, String, String, String)])
    func anotherValueSaidToTheReadBackIsTaken(
        asked: Base.Expectation, said: String, correction: String, value: String
    ) {
        var desk = Desk(asked)
        _ = desk.say(said)
        #expect(desk.machine.memory.node == "confirm")
        let lines = desk.say(correction)
        #expect(desk.value == value && desk.machine.memory.node == "confirm")
        #expect(lines.count == 1 && lines[0].hasPrefix("So "))
        _ = desk.say("yes")
        #expect(desk.machine.memory.node == "yes")
    }

    @Test(
        arguments: [
            (.amount, "twelve fifty", "no", "12.50"),
            (.amount, "twelve fifty", "no that's the wrong one", "12.50"),
            (.amount, "twelve fifty", "no, not twelve fifty", "12.50"),
            (.date, "friday", "no, not friday", "friday"),
            (.date, "friday", "no, monday or tuesday", "friday"),
            (.phone, "415 555 0196", "no seven seven not six", "4155550196"),
        ] as [(Base.Expectation, String, String, String)])
    func aNoWithoutAnotherValueIsANo(asked: Base.Expectation, said: String, answer: String, value: String) {
        var desk = Desk(asked)
        _ = desk.say(said)
        _ = desk.say(answer)
        #expect(desk.value == value && desk.machine.memory.node == "no")
    }

    @Test(
        arguments: [
            (.amount, "twelve fifty", "yes twelve fifty"),
            (.amount, "twelve fifty", "yes, but make it quick"),
            (.amount, "twelve fifty", "yes actually"), (.date, "friday", "yes but not today"),
            (.date, "friday", "yes, friday please"),
        ] as [(Base.Expectation, String, String)])
    func aYesWithoutAnotherValueIsAYes(asked: Base.Expectation, said: String, answer: String) {
        var desk = Desk(asked)
        _ = desk.say(said)
        _ = desk.say(answer)
        #expect(desk.machine.memory.node == "yes")
    }

    @Test func whatFollowsANoWaitIsTheNumberAlone() {
        var desk = Desk(.digits(min: 6, max: 6))
        #expect(desk.say("one two three").count == 1)
        #expect(desk.machine.memory.collected == "123")
        #expect(desk.say("no wait") == ["What is it?"])
        _ = desk.say("one two three four five six")
        #expect(desk.value == "123456")
    }

    @Test func whatIsSaidAfterAPauseGoesOn() {
        var desk = Desk(.digits(min: 6, max: 6))
        _ = desk.say("one two three")
        _ = desk.say("four five six")
        #expect(desk.value == "123456")
    }

    @Test func anAddressMayBeSaidOnceMoreFromItsBeginning() {
        var desk = Desk(.email)
        _ = desk.say("john dot smith at")
        #expect(desk.machine.memory.collected == "john dot smith at")
        _ = desk.say("jon dot smith at gmail dot com")
        #expect(desk.value == "jon.smith@gmail.com")

        var other = Desk(.email)
        _ = other.say("john dot")
        _ = other.say("smith at gmail dot com")
        #expect(other.value == "john.smith@gmail.com")
    }

    @Test(arguments: [
        (Base.Expectation.email, "john dot smith at gmail dot com no", "smyth", "john.smyth@gmail.com"),
        (.spelling, "j o h n no", "j o n", "JON"),
    ])
    func aCorrectionMayComeAfterAPause(asked: Base.Expectation, said: String, then: String, value: String) {
        var desk = Desk(asked)
        _ = desk.say(said)
        #expect(desk.value == nil)
        _ = desk.say(then)
        #expect(desk.value == value)
    }

    /// The correction is not joined to what is said next.
    @Test func anAddressWithACorrectionThatFitsNowhereIsAskedForAnew() {
        var desk = Desk(.email)
        #expect(desk.say("john at gmail dot com no bananas") == ["What is it?"])
        #expect(desk.machine.memory.collected == nil && desk.value == nil)
        _ = desk.say("jim at gmail dot com")
        #expect(desk.value == "jim@gmail.com")
    }
}
