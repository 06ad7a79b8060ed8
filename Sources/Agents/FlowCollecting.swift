import Base

/// What every question of a flow understands beside its answer: a dictated answer in pieces, a correction, a wish to
/// hear the question again or to begin the answer anew.
extension FlowMachine {
    /// With what was collected before.
    func understand(_ answer: Memory.Answer, _ node: Node) -> Understanding {
        let earlier = memory.collected ?? ""
        switch node.expect ?? .open {
        case .digits, .phone:
            return Understanding(
                of: answer.text, keys: answer.keys, after: earlier, as: node.expect ?? .open)
        case let other:
            // Nothing that was said before is mended by it.
            let isCorrection = other.isDictated && SpokenCorrections.isAll(of: Words.split(answer.text))
            if !earlier.isEmpty, isCorrection { return Understanding(value: nil, fullness: .part) }
            func read(_ text: String) -> Understanding {
                Understanding(of: text, keys: answer.keys, as: other)
            }
            guard !earlier.isEmpty else { return read(answer.text) }
            let joined = read(earlier + " " + answer.text)
            guard other == .email, joined.value == nil else { return joined }
            // An address said once more from its beginning.
            let alone = read(answer.text)
            return alone.value == nil ? joined : alone
        }
    }

    /// True when the words were a request and no answer.
    mutating func obey(_ answer: Memory.Answer, _ node: Node, _ effects: inout [Effect]) -> Bool {
        guard answer.keys.isEmpty, !namesKeywords(answer, node),
            let request = SpokenRequest(endOf: Words.split(answer.text))
        else { return false }
        switch (request, node.expect ?? .open) {
        case (.again, _):
            say(again: memory.lastLine ?? node.say, node, &effects)
            return true
        // A "that's wrong" is a no, and may be an answer.
        case (.startOver, .open), (.startOver, .yesNo), (.startOver, .choice): return false
        case (.startOver, _):
            memory.collected = nil
            ask(again: node.reprompt ?? node.say, &effects)
            return true
        }
    }

    /// "Six, not five" to "0 1 2 5, is that right?", "no, Saturday" to "Friday, is that right?": the value is mended and said
    /// again. What is not certain mends nothing and is no yes.
    mutating func mend(_ answer: Memory.Answer, _ node: Node, _ effects: inout [Effect]) -> Bool {
        guard node.expect == .yesNo, answer.keys.isEmpty, let line = node.say else { return false }
        let words = Words.split(answer.text)
        let isYes = Understanding(of: answer.text, as: .yesNo).value == "yes"
        // "The last one should be a six, please." "Yes, but make it thirteen."
        let namesPlace = SpokenCorrections.nameAPlace(words)
        let takesBack = words.indices.contains {
            words[$0] == "but" || SpokenCorrections.mark(words, $0) != nil
        }
        guard !isYes || namesPlace || takesBack else { return false }
        let names = Template.names(in: line) ?? []
        let number = isYes && !namesPlace ? nil : number(words, names, namesPlace: namesPlace)
        var mended = number
        if !isYes || takesBack {
            let day = instead(answer, node, of: .date, names)
            let sum = instead(answer, node, of: .amount, names)
            // What may be either a number or a sum is neither.
            mended = day ?? (number == nil ? sum : sum == nil ? number : nil)
        }
        guard let mended else {
            guard isYes, namesPlace, names.count(where: memory.dictated.contains) == 1 else { return false }
            misunderstood(node, .agentEnded, &effects)
            return true
        }
        memory.variables[mended.name] = mended.value
        ask(again: node.say, &effects)
        return true
    }

    /// The one dictated number among `names` with what `words` correct of it.
    private func number(_ words: [String], _ names: [String], namesPlace: Bool) -> (
        name: String, value: String
    )? {
        let named = names.filter(memory.dictated.contains)
        guard named.count == 1, let name = named.first, let number = memory.variables[name],
            let slot = expectation(savedAs: name), slot.isDictated
        else { return nil }
        func isValid(_ digits: String) -> Bool {
            digits != number && Understanding(of: "", keys: digits, as: slot).value != nil
        }
        let mended = SpokenCorrections.digits(in: words, after: number, goesOn: false, isWhole: isValid)
        let candidates = [mended, namesPlace ? nil : SpokenCorrections.digits(in: words)]
        return candidates.compactMap { $0 }.first(where: isValid).map { (name, $0) }
    }

    /// The one day or sum among `names` with another one that was said for it.
    private func instead(
        _ answer: Memory.Answer, _ node: Node, of kind: Expectation, _ names: [String]
    ) -> (name: String, value: String)? {
        let named = Set(names).filter { memory.variables[$0] != nil && expectation(savedAs: $0) == kind }
        guard named.count == 1, let name = named.first, !namesKeywords(answer, node),
            let value = Understanding(of: answer.text, as: kind).value, value != memory.variables[name]
        else { return nil }
        return (name, value)
    }

    /// Half of an answer and then silence: the agent says what it has and asks for the rest.
    mutating func collect(_ answer: Memory.Answer, _ node: Node, _ effects: inout [Effect]) -> Bool {
        guard let expect = node.expect, expect.isDictated, understand(answer, node).fullness == .part else {
            memory.collected = nil
            return false
        }
        let earlier = memory.collected ?? ""
        // "No, wait": what was read back is wrong, and what comes next is all of it.
        if !earlier.isEmpty, answer.keys.isEmpty,
            SpokenCorrections.takesBackOnly(Words.split(answer.text))
        {
            memory.collected = nil
            ask(again: node.reprompt ?? node.say, &effects)
            return true
        }
        let collected: String
        switch expect {
        case .digits, .phone:
            // What was corrected, and nobody knows how, is as it was.
            collected =
                answer.keys.isEmpty
                ? SpokenCorrections.digits(in: Words.split(answer.text), after: earlier) ?? earlier
                : earlier + answer.keys
        case _ where SpokenCorrections.isAll(of: Words.split(answer.text)): collected = earlier
        default: collected = Words.trimmed(earlier + " " + answer.text)
        }
        guard collected != earlier else { return false }
        memory.collected = String(collected.prefix(AgentLimits.lineCharacters))
        ask(again: node.reprompt ?? node.say, &effects)
        return true
    }

    /// What a node says when it asks for the rest.
    func readBack(_ node: Node) -> String? {
        guard let collected = memory.collected else { return nil }
        let isDigits = collected.utf8.allSatisfy { (0x30...0x39).contains($0) }
        return Template.filled(node.readBack ?? lines.readBack) { name in
            name == Node.collectedName
                ? (isDigits ? Template.spoken(digits: collected) : collected) : memory.variables[name]
        }
    }

    private func expectation(savedAs name: String) -> Expectation? {
        nodes.values.filter { $0.save == name && $0.expect != nil }.min { $0.id < $1.id }?.expect
    }

    private func namesKeywords(_ answer: Memory.Answer, _ node: Node) -> Bool {
        let words = Words.split(answer.text)
        return node.edges.contains { edge in
            guard case .keywords(let phrases) = edge.when else { return false }
            return phrases.contains { Words.range(of: Words.split($0), in: words) != nil }
        }
    }
}
