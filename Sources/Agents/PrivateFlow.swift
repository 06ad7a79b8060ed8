package import Base

/// What a flow's private nodes (those that pause recording) have taken in, made unreadable.
extension Flow {
    /// Variables that private nodes fill.
    private var privateVariables: Set<String> {
        var names: Set<String> = []
        for node in nodes where node.recording == .pause {
            if let save = node.save { names.insert(save) }
            if let tool = node.tool { names.formUnion(tool.save.keys) }
        }
        return names
    }

    /// The memory as it may be kept.
    package func masked(_ memory: FlowMachine.Memory) -> FlowMachine.Memory {
        var memory = memory
        for name in privateVariables { memory.variables[name] = memory.variables[name].map(Masked.text) }
        if nodes.first(where: { $0.id == memory.node })?.recording == .pause {
            memory.early = memory.early.map { .init(text: Masked.words($0.text), keys: Masked.text($0.keys)) }
            memory.collected = memory.collected.map(Masked.text)
        }
        if !privateVariables.isEmpty { memory.lastLine = memory.lastLine.map(Masked.digits) }
        return memory
    }
}

/// Text of the same shape without its meaning: as many digits, as many words, each as long.
package enum Masked {
    /// Digits become 0, letters x; the rest stands. "4111-A" is "0000-x".
    package static func text(_ text: String) -> String {
        String(
            text.map { character -> Character in
                if character.isNumber { return "0" }
                return character.isLetter ? "x" : character
            })
    }

    /// Spoken digits become zeros, as many as there were, so that an answer stays an answer of its length; other words
    /// become as many x. "my card is four double one" is "xx xxxx xx zero zero zero".
    package static func words(_ text: String) -> String {
        let words = Words.split(text)
        var masked: [String] = []
        var at = 0
        while at < words.count {
            if let (digits, used) = SpokenNumbers.group(words, at) {
                masked += Array(repeating: "zero", count: digits.count)
                at += used
            } else {
                masked.append(Self.text(words[at]))
                at += 1
            }
        }
        return masked.joined(separator: " ")
    }

    /// Digits alone: what an agent says stays readable but for the numbers in it.
    package static func digits(_ text: String) -> String {
        String(text.map { character -> Character in character.isNumber ? "x" : character })
    }

    package static func json(_ value: JSON) -> JSON {
        switch value {
        case .string(let text): .string(Self.text(text))
        case .array(let items): .array(items.map(json))
        case .object(let members): .object(members.mapValues(json))
        case .null, .bool: value
        default: .int(0)
        }
    }
}
