import Base

/// One thing wrong with a definition. `path` as in the JSON, `flow.nodes[2].edges[0].to`.
package struct AgentProblem: Hashable, Sendable, Codable {
    package var path: String
    package var message: String
    package init(path: String, message: String) {
        self.path = path
        self.message = message
    }
}

/// Sizes of a definition. A definition within them is at most a few hundred kilobytes.
package enum AgentLimits {
    package static let nodes = 200
    package static let edges = 50
    package static let tools = 32
    package static let headers = 20
    package static let variables = 100
    package static let phrases = 1000
    /// Phrases said over the agent, in each of the two lists.
    package static let overlapPhrases = 50
    package static let phraseCharacters = 60
    package static let problems = 50
    package static let idCharacters = 64
    package static let modelCharacters = 90
    /// Of a model with its vendor, as it stands in bills.
    package static let sourceCharacters = 100
    package static let lineCharacters = 1000
    package static let systemCharacters = 32_000
    package static let urlCharacters = 2000
    package static let digits = 30
    /// Models beside the first choice.
    package static let fallbacks = 3
    /// `compatible`: any other endpoint that speaks OpenAI's chat completions. Each may name one of the tenant's
    /// credentials, `compatible:groq`.
    package static let modelVendors = ["openai", "anthropic", "compatible"]
    package static let voices = ["slt", "rms", "awb", "kal"]
    /// Recognisers and synthesisers that may take over, of each.
    package static let voiceFallbacks = 4
    package static let keyterms = 100
}

extension AgentDefinition {
    /// Everything wrong with it, in the order of the JSON; empty when it can be used. At most
    /// `AgentLimits.problems`.
    package func problems() -> [AgentProblem] {
        var check = AgentCheck(definition: self)
        check.run()
        return Array(check.problems.prefix(AgentLimits.problems))
    }
}

/// Walks one definition and notes what is wrong.
struct AgentCheck {
    let definition: AgentDefinition
    var problems: [AgentProblem] = []

    init(definition: AgentDefinition) { self.definition = definition }

    mutating func report(_ path: String, _ message: String) {
        problems.append(AgentProblem(path: path, message: message))
    }

    mutating func range(_ value: Int, _ range: ClosedRange<Int>, _ path: String) {
        if !range.contains(value) { report(path, "must be \(range.lowerBound) to \(range.upperBound)") }
    }

    mutating func text(_ text: String, _ path: String, max: Int, isRequired: Bool = true) {
        if isRequired, Words.trimmed(text).isEmpty { report(path, "must not be empty") }
        if text.count > max { report(path, "longer than \(max) characters") }
    }

    mutating func identifier(_ id: String, _ path: String) {
        let isGood = id.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                || $0 == 0x5F
                || $0 == 0x2D
        }
        if id.isEmpty || !isGood || id.count > AgentLimits.idCharacters {
            report(path, "must be 1 to \(AgentLimits.idCharacters) letters, digits, _ or -")
        }
    }

    mutating func run() {
        switch (definition.flow, definition.prompt) {
        case (.none, .none): report("", "needs a flow or a prompt")
        case (.some, .some): report("prompt", "a definition has a flow or a prompt, not both")
        case (.some(let flow), .none): check(flow)
        case (.none, .some(let prompt)): check(prompt)
        }
        checkTools()
        checkSettings()
        checkLines()
    }

    private mutating func checkSettings() {
        checkVoice()
        range(definition.turns.endpointingMs, 200...3000, "turns.endpointing_ms")
        range(definition.turns.bargeInMs, 100...2000, "turns.barge_in_ms")
        range(definition.turns.bargeInWords, 0...10, "turns.barge_in_words")
        range(definition.turns.preemptiveReplies, 0...5, "turns.preemptive_replies")
        phrases(definition.turns.acknowledgementPhrases, "turns.acknowledgement_phrases")
        phrases(definition.turns.interruptionPhrases, "turns.interruption_phrases")
        let acknowledging = Set(definition.turns.acknowledgementPhrases.map(Words.split))
        for (index, phrase) in definition.turns.interruptionPhrases.enumerated()
        where acknowledging.contains(Words.split(phrase)) {
            report(
                "turns.interruption_phrases[\(index)]",
                "is one of the acknowledgement phrases: it cannot be both")
        }
        range(definition.turns.silenceMs, 1000...60000, "turns.silence_ms")
        let latency = definition.latency
        let budgets = [
            ("stt_ms", latency.sttMs), ("llm_ms", latency.llmMs), ("tts_ms", latency.ttsMs),
            ("total_ms", latency.totalMs), ("ceiling_ms", latency.ceilingMs),
        ]
        for (name, value) in budgets { range(value, 50...10000, "latency.\(name)") }
        range(definition.limits.maxSeconds, 10...14400, "limits.max_seconds")
        range(definition.limits.ringSeconds, 5...120, "limits.ring_seconds")
    }

    private mutating func phrases(_ phrases: [String], _ path: String) {
        if phrases.count > AgentLimits.overlapPhrases {
            report(path, "more than \(AgentLimits.overlapPhrases)")
        }
        for (index, phrase) in phrases.enumerated() {
            text(phrase, "\(path)[\(index)]", max: AgentLimits.phraseCharacters)
        }
    }

    private mutating func checkLines() {
        let lines = definition.lines
        text(lines.failure, "lines.failure", max: AgentLimits.lineCharacters)
        text(lines.noFunds, "lines.no_funds", max: AgentLimits.lineCharacters)
        text(lines.timeLimit, "lines.time_limit", max: AgentLimits.lineCharacters)
        text(lines.reconnected, "lines.reconnected", max: AgentLimits.lineCharacters)
        text(lines.silence, "lines.silence", max: AgentLimits.lineCharacters)
        text(lines.readBack, "lines.read_back", max: AgentLimits.lineCharacters)
        if Template.names(in: lines.readBack)?.allSatisfy({ $0 == Node.collectedName }) != true {
            report("lines.read_back", "may name {{collected}} alone")
        }
    }

    private mutating func check(_ prompt: Prompt) {
        text(prompt.system, "prompt.system", max: AgentLimits.systemCharacters)
        if let line = prompt.firstLine { text(line, "prompt.first_line", max: AgentLimits.lineCharacters) }
        check(ModelChoice(vendor: prompt.vendor, model: prompt.model), "prompt")
        if prompt.fallbacks.count > AgentLimits.fallbacks {
            report("prompt.fallbacks", "more than \(AgentLimits.fallbacks)")
        }
        for (index, choice) in prompt.fallbacks.enumerated() {
            check(choice, "prompt.fallbacks[\(index)]")
            if prompt.choices.prefix(index + 1).contains(choice) {
                report("prompt.fallbacks[\(index)]", "is in the list already")
            }
        }
        if let routing = prompt.routing {
            check(routing.cheap, "prompt.routing.cheap")
            check(routing, of: prompt)
        }
        if let temperature = prompt.temperature, !(0...2).contains(temperature) {
            report("prompt.temperature", "must be 0 to 2")
        }
        range(prompt.maxTokens, 1...4096, "prompt.max_tokens")
        if let filler = prompt.filler { text(filler, "prompt.filler", max: AgentLimits.lineCharacters) }
        range(prompt.fillerAfterMs, 300...5000, "prompt.filler_after_ms")
        if let expect = prompt.expect { check(expect, "prompt.expect") }
    }

    private mutating func check(_ choice: ModelChoice, _ path: String) {
        if !AgentLimits.modelVendors.contains(choice.account.vendor) {
            let known = AgentLimits.modelVendors.joined(separator: ", ")
            report(path + ".vendor", "unknown vendor; known: \(known)")
        }
        if let name = choice.account.credential { identifier(name, path + ".vendor") }
        text(choice.model, path + ".model", max: AgentLimits.modelCharacters)
        if choice.source.count > AgentLimits.sourceCharacters {
            report(path + ".model", "longer than \(AgentLimits.sourceCharacters) characters with its vendor")
        }
    }

    private mutating func checkTools() {
        if definition.tools.count > AgentLimits.tools { report("tools", "more than \(AgentLimits.tools)") }
        var names: Set<String> = []
        for (index, tool) in definition.tools.enumerated() {
            let path = "tools[\(index)]"
            identifier(tool.name, path + ".name")
            if !names.insert(tool.name).inserted {
                report(path + ".name", "there is another tool of this name")
            }
            if definition.prompt != nil, tool.name == PromptMachine.endCallName {
                report(path + ".name", "is built in")
            }
            check(tool, path)
        }
    }

    private mutating func check(_ tool: Tool, _ path: String) {
        let url = tool.url.lowercased()
        if !(url.hasPrefix("http://") || url.hasPrefix("https://")) || url.contains(where: \.isWhitespace) {
            report(path + ".url", "must be an http or https URL")
        }
        text(tool.url, path + ".url", max: AgentLimits.urlCharacters)
        text(tool.description, path + ".description", max: AgentLimits.lineCharacters, isRequired: false)
        if !["GET", "POST", "PUT", "PATCH", "DELETE"].contains(tool.method) {
            report(path + ".method", "must be GET, POST, PUT, PATCH or DELETE")
        }
        if tool.isReadOnly, !["GET", "POST"].contains(tool.method) {
            report(path + ".read_only", "a tool that is called with \(tool.method) changes something")
        }
        if tool.headers.count > AgentLimits.headers {
            report(path + ".headers", "more than \(AgentLimits.headers)")
        }
        for (name, value) in tool.headers.sorted(by: { $0.key < $1.key }) {
            let isGood =
                !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3A }
                && value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
            if !isGood || name.count + value.count > AgentLimits.lineCharacters {
                report(path + ".headers", "a name or value cannot be sent")
            }
        }
        if tool.parameters.object == nil { report(path + ".parameters", "must be a JSON Schema object") }
        if tool.isStrict, let problem = StrictSchema.problem(tool.parameters) {
            report(path + ".parameters", problem)
        }
        if tool.parameters.text.count > AgentLimits.systemCharacters {
            report(path + ".parameters", "too large")
        }
        range(tool.timeoutMs, 100...60000, path + ".timeout_ms")
        range(tool.fillerAfterMs, 0...60000, path + ".filler_after_ms")
        if let filler = tool.filler { text(filler, path + ".filler", max: AgentLimits.lineCharacters) }
    }
}
