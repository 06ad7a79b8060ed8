import Base

// Missing or null members take their defaults; unknown members are errors that name their path.

extension AgentDefinition {
    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init()
        language = try from.value(.language, or: language)
        speaksFirst = try from.value(.speaksFirst, or: speaksFirst)
        flow = try from.decodeIfPresent(Flow.self, forKey: .flow)
        prompt = try from.decodeIfPresent(Prompt.self, forKey: .prompt)
        tools = try from.value(.tools, or: tools)
        voice = try from.value(.voice, or: voice)
        turns = try from.value(.turns, or: turns)
        recording = try from.value(.recording, or: recording)
        limits = try from.value(.limits, or: limits)
        lines = try from.value(.lines, or: lines)
    }
}

extension Flow {
    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init(
            start: try from.decode(String.self, forKey: .start),
            nodes: try from.decode([Node].self, forKey: .nodes))
        variables = try from.value(.variables, or: variables)
    }
}

extension Node {
    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init(id: try from.decode(String.self, forKey: .id))
        say = try from.decodeIfPresent(String.self, forKey: .say)
        uninterruptible = try from.value(.uninterruptible, or: uninterruptible)
        expect = try from.decodeIfPresent(Expectation.self, forKey: .expect)
        save = try from.decodeIfPresent(String.self, forKey: .save)
        tool = try from.decodeIfPresent(ToolUse.self, forKey: .tool)
        edges = try from.value(.edges, or: edges)
        reprompt = try from.decodeIfPresent(String.self, forKey: .reprompt)
        readBack = try from.decodeIfPresent(String.self, forKey: .readBack)
        maxReprompts = try from.value(.maxReprompts, or: maxReprompts)
        otherwise = try from.decodeIfPresent(String.self, forKey: .otherwise)
        end = try from.value(.end, or: end)
        recording = try from.decodeIfPresent(RecordingStep.self, forKey: .recording)
    }
}

extension ToolUse {
    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init(name: try from.decode(String.self, forKey: .name))
        arguments = try from.value(.arguments, or: arguments)
        save = try from.value(.save, or: save)
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
        firstLine = try from.decodeIfPresent(String.self, forKey: .firstLine)
        vendor = try from.value(.vendor, or: vendor)
        temperature = try from.decodeIfPresent(Double.self, forKey: .temperature)
        maxTokens = try from.value(.maxTokens, or: maxTokens)
        expect = try from.decodeIfPresent(Expectation.self, forKey: .expect)
    }
}

extension Tool {
    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init(
            name: try from.decode(String.self, forKey: .name),
            url: try from.decode(String.self, forKey: .url))
        description = try from.value(.description, or: description)
        parameters = try from.value(.parameters, or: parameters)
        method = try from.value(.method, or: method)
        headers = try from.value(.headers, or: headers)
        timeoutMs = try from.value(.timeoutMs, or: timeoutMs)
        filler = try from.decodeIfPresent(String.self, forKey: .filler)
        fillerAfterMs = try from.value(.fillerAfterMs, or: fillerAfterMs)
    }
}

extension VoiceSettings {
    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init()
        stt = try from.value(.stt, or: stt)
        tts = try from.value(.tts, or: tts)
        voice = try from.value(.voice, or: voice)
    }
}

extension TurnSettings {
    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init()
        endpointingMs = try from.value(.endpointingMs, or: endpointingMs)
        bargeInMs = try from.value(.bargeInMs, or: bargeInMs)
        bargeInWords = try from.value(.bargeInWords, or: bargeInWords)
        silenceMs = try from.value(.silenceMs, or: silenceMs)
    }
}

extension RecordingSettings {
    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init()
        mode = try from.value(.mode, or: mode)
    }
}

extension CallLimits {
    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init()
        maxSeconds = try from.value(.maxSeconds, or: maxSeconds)
        ringSeconds = try from.value(.ringSeconds, or: ringSeconds)
    }
}

extension FixedLines {
    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init()
        failure = try from.value(.failure, or: failure)
        noFunds = try from.value(.noFunds, or: noFunds)
        timeLimit = try from.value(.timeLimit, or: timeLimit)
        reconnected = try from.value(.reconnected, or: reconnected)
        silence = try from.value(.silence, or: silence)
        readBack = try from.value(.readBack, or: readBack)
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
                throw Self.error(
                    at: decoder, "expected matched, always, tool_succeeded, tool_failed or an object")
            }
            return
        }
        let from = try decoder.strict(Keys.self)
        guard from.allKeys.count == 1, let key = from.allKeys.first else {
            throw Self.error(at: decoder, "expected exactly one of equals, keywords, pattern, digits")
        }
        switch key {
        case .equals: self = .equals(try from.decode(String.self, forKey: key).lowercased())
        case .keywords: self = .keywords(try from.decode([String].self, forKey: key))
        case .pattern: self = .pattern(try from.decode(String.self, forKey: key))
        case .digits: self = .digits(try from.decode(String.self, forKey: key))
        }
    }

    private static func error(at decoder: any Decoder, _ reason: String) -> DecodingError {
        .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: reason))
    }

    package func encode(to encoder: any Encoder) throws {
        switch self {
        case .matched: try Self.encode("matched", to: encoder)
        case .always: try Self.encode("always", to: encoder)
        case .toolSucceeded: try Self.encode("tool_succeeded", to: encoder)
        case .toolFailed: try Self.encode("tool_failed", to: encoder)
        case .equals(let value): try Self.encode(value, .equals, to: encoder)
        case .keywords(let phrases): try Self.encode(phrases, .keywords, to: encoder)
        case .pattern(let source): try Self.encode(source, .pattern, to: encoder)
        case .digits(let keys): try Self.encode(keys, .digits, to: encoder)
        }
    }

    private static func encode(_ word: String, to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(word)
    }

    private static func encode(_ value: some Encodable, _ key: Keys, to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(value, forKey: key)
    }
}
