import Base

// Missing or null members take their defaults; unknown members are errors that name their path.

extension KeyedDecodingContainer {
    /// Puts each member that is there and not null in its place; the others keep what they have.
    func fill<Root, each Value: Decodable>(
        _ root: inout Root, _ members: repeat (Key, WritableKeyPath<Root, each Value>)
    ) throws {
        for (key, place) in repeat each members {
            root[keyPath: place] = try value(key, or: root[keyPath: place])
        }
    }
}

extension AgentDefinition {
    package init(from decoder: any Decoder) throws {
        self.init()
        try decoder.strict(CodingKeys.self).fill(
            &self, (.language, \.language), (.speaksFirst, \.speaksFirst), (.flow, \.flow),
            (.prompt, \.prompt), (.tools, \.tools), (.voice, \.voice), (.turns, \.turns),
            (.recording, \.recording), (.limits, \.limits), (.lines, \.lines),
            (.latency, \.latency))
    }
}

extension Flow {
    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init(
            start: try from.decode(String.self, forKey: .start),
            nodes: try from.decode([Node].self, forKey: .nodes))
        try from.fill(&self, (.variables, \.variables))
    }
}

extension Node {
    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init(id: try from.decode(String.self, forKey: .id))
        try from.fill(
            &self, (.say, \.say), (.uninterruptible, \.uninterruptible), (.expect, \.expect),
            (.save, \.save), (.tool, \.tool), (.edges, \.edges), (.reprompt, \.reprompt),
            (.readBack, \.readBack),
            (.maxReprompts, \.maxReprompts), (.otherwise, \.otherwise), (.end, \.end),
            (.recording, \.recording))
    }
}

extension ToolUse {
    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init(name: try from.decode(String.self, forKey: .name))
        try from.fill(&self, (.arguments, \.arguments), (.save, \.save))
    }
}

extension Edge {
    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init(
            when: try from.decode(Condition.self, forKey: .when),
            to: try from.decode(String.self, forKey: .to))
    }
}

extension Prompt {
    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init(
            system: try from.decode(String.self, forKey: .system),
            model: try from.decode(String.self, forKey: .model))
        try from.fill(
            &self, (.firstLine, \.firstLine), (.vendor, \.vendor), (.fallbacks, \.fallbacks),
            (.routing, \.routing), (.history, \.history), (.temperature, \.temperature),
            (.reasoningEffort, \.reasoningEffort), (.maxTokens, \.maxTokens), (.expect, \.expect),
            (.filler, \.filler),
            (.fillerAfterMs, \.fillerAfterMs))
    }
}

extension Tool {
    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init(
            name: try from.decode(String.self, forKey: .name),
            url: try from.decode(String.self, forKey: .url))
        try from.fill(
            &self, (.description, \.description), (.parameters, \.parameters), (.isStrict, \.isStrict),
            (.method, \.method),
            (.headers, \.headers), (.isReadOnly, \.isReadOnly), (.timeoutMs, \.timeoutMs),
            (.filler, \.filler), (.fillerAfterMs, \.fillerAfterMs))
    }
}

extension TurnSettings {
    package init(from decoder: any Decoder) throws {
        self.init()
        try decoder.strict(CodingKeys.self).fill(
            &self, (.endpointingMs, \.endpointingMs), (.bargeInMs, \.bargeInMs),
            (.bargeInWords, \.bargeInWords), (.preemptiveReplies, \.preemptiveReplies),
            (.acknowledgementPhrases, \.acknowledgementPhrases),
            (.interruptionPhrases, \.interruptionPhrases), (.silenceMs, \.silenceMs))
    }
}

extension RecordingSettings {
    package init(from decoder: any Decoder) throws {
        self.init()
        try decoder.strict(CodingKeys.self).fill(&self, (.mode, \.mode))
    }
}

extension LatencyBudgets {
    package init(from decoder: any Decoder) throws {
        self.init()
        try decoder.strict(CodingKeys.self).fill(
            &self, (.sttMs, \.sttMs), (.llmMs, \.llmMs), (.ttsMs, \.ttsMs), (.totalMs, \.totalMs),
            (.ceilingMs, \.ceilingMs))
    }
}

extension CallLimits {
    package init(from decoder: any Decoder) throws {
        self.init()
        try decoder.strict(CodingKeys.self).fill(
            &self, (.maxSeconds, \.maxSeconds), (.ringSeconds, \.ringSeconds))
    }
}

extension FixedLines {
    package init(from decoder: any Decoder) throws {
        self.init()
        try decoder.strict(CodingKeys.self).fill(
            &self, (.failure, \.failure), (.noFunds, \.noFunds), (.timeLimit, \.timeLimit),
            (.reconnected, \.reconnected), (.silence, \.silence), (.readBack, \.readBack))
    }
}

/// JSON: `"matched"`, `"always"`, `"tool_succeeded"`, `"tool_failed"`, or an object of one member:
/// `{"equals":"yes"}`, `{"keywords":["book"]}`, `{"pattern":"ord.*"}`, `{"digits":"1"}`.
extension Condition: Codable {
    private enum Keys: String, CodingKey, CaseIterable { case equals, keywords, pattern, digits }

    package init(from decoder: any Decoder) throws {
        if let word = try? decoder.singleValueContainer().decode(String.self) {
            switch word {
            case "matched": self = .matched
            case "always": self = .always
            case "tool_succeeded": self = .toolSucceeded
            case "tool_failed": self = .toolFailed
            default:
                throw decoder.unreadable(
                    "expected matched, always, tool_succeeded, tool_failed or an object")
            }
            return
        }
        let from = try decoder.strict(Keys.self)
        guard from.allKeys.count == 1, let key = from.allKeys.first else {
            throw decoder.unreadable("expected exactly one of equals, keywords, pattern, digits")
        }
        switch key {
        case .equals: self = .equals(try from.decode(String.self, forKey: key).lowercased())
        case .keywords: self = .keywords(try from.decode([String].self, forKey: key))
        case .pattern: self = .pattern(try from.decode(String.self, forKey: key))
        case .digits: self = .digits(try from.decode(String.self, forKey: key))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        switch self {
        case .matched: try "matched".encode(to: encoder)
        case .always: try "always".encode(to: encoder)
        case .toolSucceeded: try "tool_succeeded".encode(to: encoder)
        case .toolFailed: try "tool_failed".encode(to: encoder)
        case .equals(let value): try ["equals": value].encode(to: encoder)
        case .keywords(let phrases): try ["keywords": phrases].encode(to: encoder)
        case .pattern(let source): try ["pattern": source].encode(to: encoder)
        case .digits(let keys): try ["digits": keys].encode(to: encoder)
        }
    }
}
