import Base

extension AgentCheck {
    mutating func check(_ flow: Flow) {
        if flow.nodes.isEmpty { report("flow.nodes", "needs at least one node") }
        if flow.nodes.count > AgentLimits.nodes { report("flow.nodes", "more than \(AgentLimits.nodes)") }
        let ids = Set(flow.nodes.map(\.id))
        if !ids.contains(flow.start) { report("flow.start", "there is no node \(shown(flow.start))") }
        checkVariables(flow)
        let variables = variables(of: flow)
        var seen: Set<String> = []
        for (index, node) in flow.nodes.prefix(AgentLimits.nodes).enumerated() {
            let path = "flow.nodes[\(index)]"
            identifier(node.id, path + ".id")
            if !seen.insert(node.id).inserted { report(path + ".id", "there is another node of this id") }
            check(node, path, ids: ids)
            checkTemplates(node, path, variables)
        }
        checkLoops(flow)
    }

    private func shown(_ name: String) -> String { "\"\(name.prefix(AgentLimits.idCharacters))\"" }

    /// What a line may name: the flow's own variables and everything a node saves.
    private func variables(of flow: Flow) -> Set<String> {
        var names = Set(flow.variables.keys)
        for node in flow.nodes {
            if let save = node.save { names.insert(save) }
            if let tool = node.tool { names.formUnion(tool.save.keys) }
        }
        return names
    }

    private mutating func checkVariables(_ flow: Flow) {
        if flow.variables.count > AgentLimits.variables {
            report("flow.variables", "more than \(AgentLimits.variables)")
        }
        for (name, value) in flow.variables.sorted(by: { $0.key < $1.key }) {
            identifier(name, "flow.variables")
            text(value, "flow.variables.\(name)", max: AgentLimits.lineCharacters, isRequired: false)
        }
    }

    private mutating func check(_ node: Node, _ path: String, ids: Set<String>) {
        if let say = node.say { text(say, path + ".say", max: AgentLimits.lineCharacters) }
        if let reprompt = node.reprompt {
            text(reprompt, path + ".reprompt", max: AgentLimits.lineCharacters)
        }
        if let line = node.readBack {
            text(line, path + ".read_back", max: AgentLimits.lineCharacters)
            if node.expect?.isDictated != true { report(path + ".read_back", "nothing is dictated here") }
        }
        if let save = node.save {
            identifier(save, path + ".save")
            if node.expect == nil { report(path + ".save", "nothing to save without expect") }
        }
        range(node.maxReprompts, 0...10, path + ".max_reprompts")
        if let otherwise = node.otherwise, !ids.contains(otherwise) {
            report(path + ".otherwise", "there is no node \(shown(otherwise))")
        }
        if let expect = node.expect { check(expect, path + ".expect") }
        if let tool = node.tool { check(tool, path + ".tool") }
        if node.edges.count > AgentLimits.edges { report(path + ".edges", "more than \(AgentLimits.edges)") }
        for (index, edge) in node.edges.enumerated() {
            let place = path + ".edges[\(index)]"
            if !ids.contains(edge.to) { report(place + ".to", "there is no node \(shown(edge.to))") }
            check(edge.when, place + ".when", node)
        }
        checkWayOut(node, path)
    }

    /// A node must wait for an answer, end the call, or have an edge that is taken without either.
    private mutating func checkWayOut(_ node: Node, _ path: String) {
        if node.end {
            if node.expect != nil || !node.edges.isEmpty {
                report(path + ".end", "an ending node neither expects an answer nor has edges")
            }
            return
        }
        if node.expect != nil {
            if node.edges.isEmpty { report(path + ".edges", "an answer needs an edge to follow") }
            return
        }
        let always = node.edges.contains { $0.when == .always }
        let outcomes = [Condition.toolSucceeded, .toolFailed].allSatisfy { outcome in
            node.edges.contains { $0.when == outcome }
        }
        if !always, node.tool == nil || !outcomes {
            report(path + ".edges", "leads nowhere: expects no answer and has no edge that is always taken")
        }
    }

    mutating func check(_ expect: Expectation, _ path: String) {
        switch expect {
        case .digits(let min, let max):
            range(min, 1...AgentLimits.digits, path + ".min")
            range(max, 1...AgentLimits.digits, path + ".max")
            if min > max { report(path, "min is more than max") }
        case .choice(let phrases):
            if phrases.isEmpty { report(path + ".of", "needs at least one choice") }
            check(phrases: phrases, path + ".of")
        case .name(let known): check(phrases: known, path + ".known")
        case .open, .yesNo, .phone, .date, .spelling, .address, .email, .amount: break
        }
    }

    private mutating func check(phrases: [String], _ path: String) {
        if phrases.count > AgentLimits.phrases { report(path, "more than \(AgentLimits.phrases)") }
        if phrases.contains(where: { Words.split($0).isEmpty || $0.count > AgentLimits.lineCharacters }) {
            report(path, "each must hold a word and at most \(AgentLimits.lineCharacters) characters")
        }
    }

    private mutating func check(_ when: Condition, _ path: String, _ node: Node) {
        switch when {
        case .pattern(let source):
            do throws(Pattern.Failure) { _ = try Pattern(source) } catch {
                report(path + ".pattern", error.message)
            }
        case .keywords(let phrases):
            if phrases.isEmpty { report(path + ".keywords", "needs at least one word") }
            check(phrases: phrases, path + ".keywords")
        case .digits(let keys):
            let isGood = keys.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2A }
            if keys.isEmpty || !isGood || keys.count > AgentLimits.digits {
                report(path + ".digits", "must be 1 to \(AgentLimits.digits) of 0-9 and *")
            }
        case .toolSucceeded, .toolFailed:
            if node.tool == nil { report(path, "the node runs no tool") }
        case .matched, .equals:
            if node.expect == nil { report(path, "the node expects no answer") }
        case .always: break
        }
    }

    private mutating func check(_ use: ToolUse, _ path: String) {
        if !definition.tools.contains(where: { $0.name == use.name }) {
            report(path + ".name", "there is no tool \(shown(use.name))")
        }
        if use.arguments.count > AgentLimits.variables || use.save.count > AgentLimits.variables {
            report(path, "more than \(AgentLimits.variables) members")
        }
        for variable in use.save.keys.sorted() { identifier(variable, path + ".save") }
    }

    private mutating func checkTemplates(_ node: Node, _ path: String, _ known: Set<String>) {
        var templates = [(path + ".say", node.say ?? ""), (path + ".reprompt", node.reprompt ?? "")]
        for (name, template) in (node.tool?.arguments ?? [:]).sorted(by: { $0.key < $1.key }) {
            text(
                template, path + ".tool.arguments.\(name)", max: AgentLimits.lineCharacters, isRequired: false
            )
            templates.append((path + ".tool.arguments.\(name)", template))
        }
        checkNames(path + ".read_back", node.readBack ?? "", known.union([Node.collectedName]))
        for (place, template) in templates { checkNames(place, template, known) }
    }

    private mutating func checkNames(_ place: String, _ template: String, _ known: Set<String>) {
        guard let names = Template.names(in: template) else { return report(place, "{{ without }}") }
        for name in names where !known.contains(name) {
            report(place, "unknown variable \(shown(name)); declare it in flow.variables or save it")
        }
    }

    /// Nodes that wait for nothing and lead back to themselves.
    private mutating func checkLoops(_ flow: Flow) {
        var next: [String: String] = [:]
        for node in flow.nodes where node.expect == nil && node.tool == nil && !node.end {
            next[node.id] = node.edges.first { $0.when == .always }?.to
        }
        for (index, node) in flow.nodes.enumerated() {
            var at = node.id
            for _ in 0..<flow.nodes.count {
                guard let to = next[at] else { break }
                at = to
                if at == node.id {
                    report("flow.nodes[\(index)].edges", "leads back here without waiting for anything")
                    break
                }
            }
        }
    }
}
