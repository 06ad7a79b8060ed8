package import Base

/// Where in its graph is the agent, and what does it say next? Pure; needs no language model.
///
/// Owns: current node, variables, reprompts, keys of tool calls. Does not own: when the caller is done
/// (Turns), how long a tool may take (ToolRuns). Every input leaves it waiting for an answer or a tool, or
/// ended.
package struct FlowMachine: Sendable {
    /// Nodes passed through on one input before the flow counts as broken.
    package static let hopsMax = 50

    package internal(set) var memory: Memory
    private let call: String
    private let speaksFirst: AgentDefinition.Speaker
    private let start: String
    let nodes: [String: Node]
    private let patterns: [String: Pattern]
    let lines: FixedLines

    /// `call` prefixes tool keys. Patterns that do not compile never match: `problems()` reports them
    /// beforehand.
    package init(
        flow: Flow, definition: AgentDefinition, variables: [String: String], call: String,
        memory: Memory? = nil
    ) {
        self.call = call
        speaksFirst = definition.speaksFirst
        lines = definition.lines
        start = flow.start
        nodes = Dictionary(flow.nodes.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var patterns: [String: Pattern] = [:]
        for case .pattern(let source) in flow.nodes.flatMap(\.edges).map(\.when) {
            patterns[source] = try? Pattern(source)  // Judged by `problems()`; here it just does not match.
        }
        self.patterns = patterns
        var fresh = Memory()
        fresh.variables = flow.variables.merging(variables) { _, own in own }
        self.memory = memory ?? fresh
    }

    package mutating func handle(_ input: Input) -> [Effect] {
        var effects: [Effect] = []
        switch input {
        case .started: begin(&effects)
        case .resumed: resume(&effects)
        case .answered(let text, let keys): answer(Memory.Answer(text: text, keys: keys), &effects)
        case .silence: hearNothing(&effects)
        case .toolFinished(let key, let result):
            guard isRunning(key), let node = nodes[memory.node] else { break }
            save(result, of: node)
            toolEnded(.toolSucceeded, &effects)
        case .toolFailed(let key):
            guard isRunning(key) else { break }
            toolEnded(.toolFailed, &effects)
        }
        return effects
    }

    /// How much of the current question's answer `text` and `keys` hold: what the endpointer waits by.
    package func fullness(text: String, keys: String) -> Fullness {
        guard memory.wait == .answer || memory.wait == .tool, let node = nodes[memory.node] else {
            return .none
        }
        if !keys.isEmpty, let fullness = menuFullness(keys, node) { return fullness }
        return understand(Memory.Answer(text: text, keys: keys), node).fullness
    }

    /// Of keys in a menu: the longest entry that still fits decides.
    private func menuFullness(_ keys: String, _ node: Node) -> Fullness? {
        var fullness: Fullness?
        for case .digits(let entry) in node.edges.map(\.when) where entry.hasPrefix(keys) {
            if entry == keys {
                fullness = fullness == .part ? .enough : .full
            } else {
                fullness = fullness == .full || fullness == .enough ? .enough : .part
            }
        }
        return fullness
    }

    /// The question that is open can be answered by keys alone, or none is.
    package var takesKeys: Bool {
        guard memory.wait == .answer, let node = nodes[memory.node] else { return true }
        switch node.expect {
        case .digits, .phone: return true
        default: return node.edges.contains { if case .digits = $0.when { true } else { false } }
        }
    }

    /// The current node pauses recording: nothing of what the caller answers may be kept.
    package var isPrivate: Bool { nodes[memory.node]?.recording == .pause && memory.wait != .ended }

    private mutating func begin(_ effects: inout [Effect]) {
        guard memory.wait == .nothing else { return }
        guard speaksFirst == .caller else { return enter(start, &effects) }
        memory.wait = .caller
        effects.append(.ask(nodes[start]?.expect ?? .open, phrases: phrases(nodes[start])))
    }

    private mutating func resume(_ effects: inout [Effect]) {
        switch memory.wait {
        case .nothing, .caller: begin(&effects)
        case .answer: ask(again: nodes[memory.node]?.say, &effects)
        case .tool: runTool(&effects)
        case .ended: effects.append(.end(.agentEnded))
        }
        if memory.wait == .caller { effects.append(.ask(.open, phrases: phrases(nodes[start]))) }
    }

    private mutating func answer(_ answer: Memory.Answer, _ effects: inout [Effect]) {
        switch memory.wait {
        case .answer:
            guard let node = nodes[memory.node] else { return }
            let isHandled =
                obey(answer, node, &effects) || mend(answer, node, &effects) || follow(answer, node, &effects)
                || collect(answer, node, &effects)
            if !isHandled { misunderstood(node, .agentEnded, &effects) }
        case .caller:
            // A start node that says nothing takes these first words as its answer.
            let isListening = nodes[start].map { $0.say == nil && $0.expect != nil } ?? false
            enter(start, &effects)
            if isListening, memory.wait == .answer { self.answer(answer, &effects) }
        case .tool: memory.early = answer
        case .nothing, .ended: break
        }
    }

    private mutating func hearNothing(_ effects: inout [Effect]) {
        switch memory.wait {
        case .answer: if let node = nodes[memory.node] { misunderstood(node, .silence, &effects) }
        case .caller: enter(start, &effects)
        case .nothing, .tool, .ended: break
        }
    }

    mutating func misunderstood(_ node: Node, _ reason: EndReason, _ effects: inout [Effect]) {
        memory.reprompts += 1
        guard memory.reprompts > node.maxReprompts else {
            return ask(again: node.reprompt ?? node.say, &effects)
        }
        if let otherwise = node.otherwise {
            leave(node, &effects)
            return enter(otherwise, &effects)
        }
        effects.append(.say(reason == .silence ? lines.silence : lines.failure, isInterruptible: false))
        memory.wait = .ended
        effects.append(.end(reason))
    }

    /// Asks once more, in the words of `line`; for the rest where a part of the answer is there.
    mutating func ask(again line: String?, _ effects: inout [Effect]) {
        guard let node = nodes[memory.node] else { return }
        say(again: readBack(node) ?? line.map(spoken), node, &effects)
    }

    mutating func say(again line: String?, _ node: Node, _ effects: inout [Effect]) {
        if let line {
            memory.lastLine = line
            effects.append(.say(line, isInterruptible: !node.uninterruptible))
        }
        effects.append(.ask(node.expect ?? .open, phrases: phrases(node)))
    }

    /// Takes the first edge the answer fits; false when none does.
    private mutating func follow(_ answer: Memory.Answer, _ node: Node, _ effects: inout [Effect]) -> Bool {
        let understanding = understand(answer, node)
        guard let edge = node.edges.first(where: { fits($0.when, answer, understanding) }) else {
            return false
        }
        if let name = node.save, let value = understanding.value ?? (answer.keys.isEmpty ? nil : answer.keys)
        {
            memory.variables[name] = value
            switch node.expect {
            case .digits, .phone: memory.dictated.insert(name)
            default: memory.dictated.remove(name)
            }
        }
        leave(node, &effects)
        enter(edge.to, &effects)
        return true
    }

    private func fits(_ when: Condition, _ answer: Memory.Answer, _ understanding: Understanding) -> Bool {
        switch when {
        case .always: true
        case .matched: understanding.value != nil
        case .equals(let value): understanding.value?.lowercased() == value.lowercased()
        case .keywords(let phrases):
            phrases.contains { Words.range(of: Words.split($0), in: Words.split(answer.text)) != nil }
        case .pattern(let source): patterns[source].map { matches($0, answer) } ?? false
        case .digits(let keys): answer.keys == keys
        case .toolSucceeded, .toolFailed: false
        }
    }

    /// Tried on the words as heard, without punctuation, and as dictated digits.
    private func matches(_ pattern: Pattern, _ answer: Memory.Answer) -> Bool {
        let words = Words.split(answer.text)
        return pattern.matches(answer.text) || pattern.matches(words.joined(separator: " "))
            || pattern.matches(answer.keys.isEmpty ? SpokenNumbers.digits(in: words) : answer.keys)
    }

    private mutating func leave(_ node: Node, _ effects: inout [Effect]) {
        switch node.recording {
        case .pause: effects.append(.resumeRecording)
        case .start: effects.append(.startRecording)
        case nil: break
        }
    }

    private mutating func enter(_ id: String, _ effects: inout [Effect]) {
        var id = id
        for _ in 0..<Self.hopsMax {
            guard let node = nodes[id] else { return fail("unknown_node", &effects) }
            arrive(at: node, &effects)
            if node.tool != nil { return runTool(&effects) }
            if node.expect != nil {
                memory.wait = .answer
                return effects.append(.ask(node.expect ?? .open, phrases: phrases(node)))
            }
            guard !node.end, let edge = node.edges.first(where: { $0.when == .always }) else {
                memory.wait = .ended
                return effects.append(.end(.agentEnded))
            }
            leave(node, &effects)
            id = edge.to
        }
        fail("endless_flow", &effects)
    }

    private mutating func arrive(at node: Node, _ effects: inout [Effect]) {
        memory.node = node.id
        memory.visits[node.id, default: 0] += 1
        memory.reprompts = 0
        memory.early = nil
        memory.collected = nil
        effects.append(.entered(node.id))
        if node.recording == .pause { effects.append(.pauseRecording) }
        if let say = node.say {
            // Goodbye is heard to its end.
            let line = spoken(say)
            memory.lastLine = line
            effects.append(.say(line, isInterruptible: !node.uninterruptible && !node.end))
        }
    }

    private mutating func fail(_ code: String, _ effects: inout [Effect]) {
        memory.wait = .ended
        effects.append(.fail(code))
    }

    /// Stable over retries, takeover and replay: call, node, number of the visit.
    private var toolKey: String { "\(call)-\(memory.node)-\(memory.visits[memory.node] ?? 0)" }

    private func isRunning(_ key: String) -> Bool { memory.wait == .tool && key == toolKey }

    private mutating func runTool(_ effects: inout [Effect]) {
        guard let use = nodes[memory.node]?.tool else { return fail("no_tool", &effects) }
        memory.wait = .tool
        let arguments = use.arguments.mapValues { template in
            JSON.string(Template.filled(template) { memory.variables[$0] })
        }
        effects.append(.callTool(key: toolKey, name: use.name, arguments: .object(arguments)))
    }

    private mutating func save(_ result: JSON, of node: Node) {
        for (variable, member) in node.tool?.save ?? [:] {
            switch result[member] {
            case .none, .some(.null): break
            case .some(.string(let text)):
                memory.variables[variable] = String(text.prefix(AgentLimits.lineCharacters))
            case .some(let other):
                memory.variables[variable] = String(other.text.prefix(AgentLimits.lineCharacters))
            }
            memory.dictated.remove(variable)
        }
    }

    private mutating func toolEnded(_ outcome: Condition, _ effects: inout [Effect]) {
        guard let node = nodes[memory.node] else { return }
        let fits = node.edges.first { $0.when == outcome || ($0.when == .always && node.expect == nil) }
        if let edge = fits {
            leave(node, &effects)
            return enter(edge.to, &effects)
        }
        guard node.expect != nil else {
            guard node.end else { return fail("tool_without_way_on", &effects) }
            memory.wait = .ended
            return effects.append(.end(.agentEnded))
        }
        memory.wait = .answer
        if let early = memory.early {
            memory.early = nil
            if follow(early, node, &effects) { return }
        }
        effects.append(.ask(node.expect ?? .open, phrases: phrases(node)))
    }

    private func spoken(_ line: String) -> String {
        Template.filled(line) { name in
            memory.variables[name].map { memory.dictated.contains(name) ? Template.spoken(digits: $0) : $0 }
        }
    }

    /// Words the edges of a node look for.
    private func phrases(_ node: Node?) -> [String] {
        var phrases: [String] = []
        for case .keywords(let words) in (node?.edges ?? []).map(\.when) { phrases += words }
        guard node?.expect != .yesNo else { return phrases }
        for case .equals(let value) in (node?.edges ?? []).map(\.when) where !phrases.contains(value) {
            phrases.append(value)
        }
        return phrases
    }
}
