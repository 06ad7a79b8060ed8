package import Base

/// What a customer writes down about an agent: one immutable version of it, as JSON over the API.
///
/// Exactly one of `flow` and `prompt` is set. `problems()` lists everything wrong with a definition.
package struct AgentDefinition: Hashable, Sendable, Codable {
    package enum Speaker: String, Hashable, Sendable, NamedChoice { case agent, caller }

    /// BCP 47; the offline voices speak `en-US` only.
    package var language: String = "en-US"
    package var speaksFirst: Speaker = .agent
    package var flow: Flow?
    package var prompt: Prompt?
    package var tools: [Tool] = []
    package var voice = VoiceSettings()
    package var turns = TurnSettings()
    package var recording = RecordingSettings()
    package var limits = CallLimits()
    package var lines = FixedLines()
    package var latency = LatencyBudgets()

    package init() {}

    enum CodingKeys: String, CodingKey, CaseIterable {
        case language, flow, prompt, tools, voice, turns, recording, limits, lines, latency
        case speaksFirst = "speaks_first"
    }
}

/// A graph of nodes. Edges are deterministic, so a flow needs no language model.
package struct Flow: Hashable, Sendable, Codable {
    /// Id of the first node.
    package var start: String
    /// Initial variables; a call's own variables override them. Used as `{{name}}` in lines and tool
    /// arguments.
    package var variables: [String: String] = [:]
    package var nodes: [Node]

    package init(start: String, nodes: [Node]) {
        self.start = start
        self.nodes = nodes
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case start, variables, nodes
    }
}

/// One step: say something, ask for something, run a tool, end the call — in this order, each optional.
package struct Node: Hashable, Sendable, Codable {
    /// Unique in the flow; letters, digits, `_` and `-`.
    package var id: String
    /// Spoken on entering; `{{variable}}` is filled in.
    package var say: String?
    /// The line cannot be interrupted (disclosure, consent).
    package var uninterruptible = false
    /// What an answer looks like. nil: the node does not wait for an answer.
    package var expect: Expectation?
    /// Variable that receives the recognised value: digits, a weekday (`tuesday`) or month and day (`march
    /// 3`), `yes`/`no`, a choice, a name, or the words.
    package var save: String?
    /// Tool to run on entering, after `say` is queued; its outcome is matched by `.tool` conditions.
    package var tool: ToolUse?
    /// Tried in order; the first that matches is taken.
    package var edges: [Edge] = []
    /// Said when nothing matched or the caller was silent; nil repeats `say`.
    package var reprompt: String?
    /// Said when a dictated answer stops halfway, `{{collected}}` being what is there; nil: `lines.read_back`.
    package var readBack: String?
    /// Reprompts before `otherwise` is taken. 0...10.
    package var maxReprompts = 2
    /// Node taken when reprompts are used up; nil ends the call politely.
    package var otherwise: String?
    /// The call ends after `say` has been heard.
    package var end = false
    /// Recording: `pause` while the node is current (card numbers), `start` on leaving it (consent given).
    package var recording: RecordingStep?

    package init(id: String) { self.id = id }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case id, say, uninterruptible, expect, save, tool, edges, reprompt, otherwise, end, recording
        case maxReprompts = "max_reprompts"
        case readBack = "read_back"
    }

    /// The name of what has been collected, in `readBack`.
    package static let collectedName = "collected"
}

package enum RecordingStep: String, Hashable, Sendable, NamedChoice { case pause, start }

package struct ToolUse: Hashable, Sendable, Codable {
    /// Name of a tool of the agent.
    package var name: String
    /// Argument name → template, `{"name": "{{name}}"}`.
    package var arguments: [String: String] = [:]
    /// Variables filled from members of a JSON object result: variable → member.
    package var save: [String: String] = [:]
    package init(name: String) { self.name = name }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, arguments, save
    }
}

package struct Edge: Hashable, Sendable, Codable {
    package var when: Condition
    package var to: String
    package init(when: Condition, to: String) {
        self.when = when
        self.to = to
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case when, to
    }
}

/// When an edge is taken. All are decided from words, digits and tool outcomes; none needs a model.
package enum Condition: Hashable, Sendable {
    /// The expectation was met (any value).
    case matched
    /// The expectation's value equals this (lower case): `yes`, `no`, `monday`, a choice.
    case equals(String)
    /// Any of these words or phrases was said.
    case keywords([String])
    /// The words match this regular expression: a linear-time subset, see `Pattern`.
    case pattern(String)
    /// These keys were pressed.
    case digits(String)
    case toolSucceeded
    case toolFailed
    /// Taken when reached.
    case always
}

/// An agent led by a language model.
package struct Prompt: Hashable, Sendable, Codable {
    /// What a model is sent of the call so far.
    package enum History: String, Hashable, Sendable, NamedChoice {
        case whole
        /// Results of tools with each name once, later what was used of them; of old turns what the caller said and what
        /// tools were called with, without the agent's words.
        case shortened
    }

    package var system: String
    /// Said first when the agent speaks first; nil lets the model open.
    package var firstLine: String?
    /// Vendor of the tenant's credential (`openai`, `anthropic`, `compatible`), perhaps with its name (`compatible:groq`),
    /// and the model's name there.
    package var vendor = "openai"
    package var model: String
    /// Asked in this order when the model fails, breaks off or is slow. At most `AgentLimits.fallbacks`.
    package var fallbacks: [ModelChoice] = []
    /// nil: every reply comes from these.
    package var routing: RoutingSettings?
    package var history = History.whole
    /// 0...2; nil leaves the vendor's default.
    package var temperature: Double?
    /// nil leaves the vendor's default, which may be slow for a call.
    package var reasoningEffort: ReasoningEffort?
    /// Said once a turn when the model, or one that takes over from another, has no word yet `fillerAfterMs` after the end of
    /// the caller's speech (300...5000); nil says nothing.
    package var filler: String?
    package var fillerAfterMs = 900
    /// Tokens per reply, 1...4096.
    package var maxTokens = 300
    /// What answers look like where a reply does not say it with a mark like `[[digits:6]]` (never spoken, see
    /// `Expectation(spec:)`); nil: inferred from the reply's last sentence.
    package var expect: Expectation?
    package init(system: String, model: String) {
        self.system = system
        self.model = model
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case system, vendor, model, fallbacks, routing, history, temperature, expect, filler
        case firstLine = "first_line"
        case fillerAfterMs = "filler_after_ms"
        case maxTokens = "max_tokens"
        case reasoningEffort = "reasoning_effort"
    }
}

extension Prompt {
    /// The models that are asked one after the other, first choice first.
    package var choices: [ModelChoice] { [ModelChoice(vendor: vendor, model: model)] + fallbacks }
    /// Every model that may speak for the agent, each once.
    package var models: [ModelChoice] {
        choices + [routing?.cheap].compactMap { $0 }.filter { !choices.contains($0) }
    }
}

/// Something the agent can do. `endCall` is built in for prompt agents and needs no entry.
package struct Tool: Hashable, Sendable, Codable {
    package var name: String
    package var description = ""
    /// JSON Schema of the arguments (object).
    package var parameters: JSON = .object(["type": "object", "properties": .object([:])])
    /// The vendor keeps the model's calls to `parameters`, which `StrictSchema` must allow.
    package var isStrict = false
    package var url: String
    /// GET sends arguments as a query, others as a JSON body.
    package var method = "POST"
    package var headers: [String: String] = [:]
    /// Reads and changes nothing, as MCP's `readOnlyHint`: may be run before the caller's turn is over, and its result thrown
    /// away.
    package var isReadOnly = false
    /// 100...60000.
    package var timeoutMs = 8000
    /// Said when the tool takes longer than `fillerAfterMs`; nil says nothing.
    package var filler: String?
    package var fillerAfterMs = 1000
    package init(name: String, url: String) {
        self.name = name
        self.url = url
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, description, parameters, url, method, headers, filler
        case isStrict = "strict"
        case isReadOnly = "read_only"
        case timeoutMs = "timeout_ms"
        case fillerAfterMs = "filler_after_ms"
    }
}

/// Turn-taking knobs; `Turns.Policy` gives each its meaning.
package struct TurnSettings: Hashable, Sendable, Codable {
    /// Silence after open speech before the turn ends. 200...3000.
    package var endpointingMs = 420
    /// Speech over the agent shorter than this is not an interruption; two fifths of it pause the agent. 100...2000.
    package var bargeInMs = 300
    /// Words over the agent that take the floor at once; 0: speech alone is enough. 0...10.
    package var bargeInWords = 0
    /// Said over the agent these mean "go on", beside the language's own ("mm-hm", "okay").
    package var acknowledgementPhrases: [String] = []
    /// Said over the agent these stop it at once, beside the language's own ("wait", "stop").
    package var interruptionPhrases: [String] = []
    /// Silence of the caller before the agent asks again. 1000...60000.
    package var silenceMs = 7000
    /// Replies that may be begun before a turn is over, on a guess that it is; those that nobody hears are paid for,
    /// too. 0...5; 0 begins none.
    package var preemptiveReplies = 2
    package init() {}

    enum CodingKeys: String, CodingKey, CaseIterable {
        case preemptiveReplies = "preemptive_replies"
        case endpointingMs = "endpointing_ms"
        case bargeInMs = "barge_in_ms"
        case bargeInWords = "barge_in_words"
        case acknowledgementPhrases = "acknowledgement_phrases"
        case interruptionPhrases = "interruption_phrases"
        case silenceMs = "silence_ms"
    }
}

package struct RecordingSettings: Hashable, Sendable, Codable {
    package enum Mode: String, Hashable, Sendable, NamedChoice {
        case on, off
        /// Starts when a flow node with `recording: start` is left.
        case afterConsent = "after_consent"
    }
    package var mode = Mode.on
    package init() {}

    enum CodingKeys: String, CodingKey, CaseIterable {
        case mode
    }
}

package struct CallLimits: Hashable, Sendable, Codable {
    /// Hard maximum length of a call. 10...14400.
    package var maxSeconds = 1800
    /// Ring time before an outbound call is given up. 5...120.
    package var ringSeconds = 40
    package init() {}

    enum CodingKeys: String, CodingKey, CaseIterable {
        case maxSeconds = "max_seconds"
        case ringSeconds = "ring_seconds"
    }
}

/// What an answer may take before it is told as too slow: an event of the call, and a metric. Milliseconds, 50...10000.
package struct LatencyBudgets: Hashable, Sendable, Codable {
    /// From the end of the caller's speech to the final words.
    package var sttMs = 300
    /// From the request to the model's first token.
    package var llmMs = 300
    /// From the first token to the voice's first audio.
    package var ttsMs = 200
    /// From the end of the caller's speech to the first sound of the answer.
    package var totalMs = 800
    /// The same, for what no turn should ever take.
    package var ceilingMs = 1200
    package init() {}

    enum CodingKeys: String, CodingKey, CaseIterable {
        case sttMs = "stt_ms"
        case llmMs = "llm_ms"
        case ttsMs = "tts_ms"
        case totalMs = "total_ms"
        case ceilingMs = "ceiling_ms"
    }
}

/// Lines spoken from the local cache when something fails.
package struct FixedLines: Hashable, Sendable, Codable {
    package var failure = "I am sorry, something went wrong on our side. Please call again. Goodbye."
    package var noFunds = "I am sorry, I have to end our call here. Goodbye."
    package var timeLimit = "I am sorry, our time is up. Goodbye."
    package var reconnected = "Sorry, we were cut off for a moment."
    package var silence = "I cannot hear you. Goodbye."
    /// A dictated answer stopped halfway.
    package var readBack = "So far I have {{collected}}. What comes next?"
    package init() {}

    enum CodingKeys: String, CodingKey, CaseIterable {
        case failure, reconnected, silence
        case readBack = "read_back"
        case noFunds = "no_funds"
        case timeLimit = "time_limit"
    }
}

extension AgentDefinition {
    /// Lines that sound the same in every call, so that they can be made ahead: those for failures first.
    package var fixedSpeech: [String] {
        let flowLines = (flow?.nodes ?? []).flatMap { [$0.say, $0.reprompt] }.compactMap { $0 }
        let spoken = flowLines + [prompt?.firstLine, prompt?.filler].compactMap { $0 }
        return [lines.failure, lines.noFunds, lines.timeLimit, lines.reconnected, lines.silence]
            + spoken.filter { !$0.contains("{{") }
    }
}
