/// What is known of a dialogue just before a model is called: numbers without names, and terms that only a tenant's own
/// calls can give a weight.
package struct RoutingFeatures: Sendable, Hashable {
    package private(set) var values: [Float] = []
    package private(set) var followsTool = false
    package private(set) var terms = DialogueTerms()

    /// In the order of `values`.
    package static let names: [String] = {
        var list: [String] = []
        var features = RoutingFeatures()
        features.gather(RoutedDialogue(tools: ToolBook())) { name, _ in list.append(name) }
        return list
    }()

    private init() {}

    /// As they were extracted before; nil unless there is one for each of `names`.
    package init?(values: [Float], terms: DialogueTerms = DialogueTerms()) {
        guard values.count == Self.names.count else { return nil }
        self.values = values
        self.terms = terms
        followsTool = values[0] > 0
    }

    package init(_ dialogue: RoutedDialogue) {
        var values: [Float] = []
        values.reserveCapacity(Self.names.count)
        gather(dialogue) { _, value in values.append(value) }
        self.values = values
        followsTool = dialogue.followsTool
        terms = DialogueTerms(dialogue)
    }

    private typealias Add = (String, Float) -> Void

    private mutating func gather(_ dialogue: RoutedDialogue, _ add: Add) {
        Self.place(dialogue, add)
        Self.shape("user", dialogue.user, add)
        Self.shape("agent", dialogue.agent, add)
        Self.between(dialogue, add)
        Self.tools(dialogue, add)
        Self.result(dialogue, add)
    }

    /// Where in the dialogue, and what models did so far.
    private static func place(_ dialogue: RoutedDialogue, _ add: Add) {
        let after = dialogue.followsTool
        let answers = dialogue.answers
        add("follows_tool", after ? 1 : 0)
        add("turn", Float(min(dialogue.turns, 20)))
        add("call", Float(min(dialogue.callsThisTurn, 10)))
        add("tool_calls", Float(min(dialogue.toolCalls, 20)))
        add("no_tool_yet", dialogue.toolCalls == 0 ? 1 : 0)
        add("turns_since_tool", Float(min(dialogue.turnsSinceTool, 12)))
        add("questions_since_tool", Float(min(dialogue.questionsSinceTool, 12)))
        add("results_since_user", Float(min(dialogue.resultsSinceUser, 10)))
        add("same_tool_in_a_row", Float(min(dialogue.sameToolInARow, 5)))
        add("rate_user", (Float(answers.userTools) + 0.6) / (Float(answers.user) + 2))
        add("rate_tool", (Float(answers.toolTools) + 0.4) / (Float(answers.tool) + 2))
        add("answers_tool", Float(min(answers.tool, 8)))
        add("chains", after ? Float(min(answers.toolTools, 6)) : 0)
    }

    private static func shape(_ who: String, _ shape: SpokenShape, _ add: Add) {
        for kind in Lexicon.Kind.allCases { add("\(who).\(kind)", Float(min(shape.count(kind), 4))) }
        for kind in [
            Lexicon.Kind.yes, .no, .question, .auxiliary, .want, .act, .seek, .person, .sorry, .confirm,
        ] {
            add("\(who).opens_\(kind)", SpokenShape.has(shape.opening, kind) ? 1 : 0)
            add("\(who).last_opens_\(kind)", SpokenShape.has(shape.lastOpening, kind) ? 1 : 0)
        }
        add("\(who).words", Float(min(shape.wordCount, 60)))
        add("\(who).numbers", Float(min(shape.numbers, 6)))
        add("\(who).capitals", Float(min(shape.capitals, 8)))
        add("\(who).questions", Float(min(shape.questionMarks, 4)))
        add("\(who).exclamations", Float(min(shape.exclamations, 3)))
        add("\(who).sentences", Float(min(shape.sentences, 6)))
        add("\(who).ends_in_question", shape.endsInQuestion ? 1 : 0)
    }

    /// How the user's turn relates to what was said before.
    private static func between(_ dialogue: RoutedDialogue, _ add: Add) {
        let user = Set(dialogue.user.stems)
        let agent = Set(dialogue.agent.stems)
        let asks = dialogue.agent.questionMarks > 0
        add("overlap", share(user, agent))
        add("agent_read_back", share(agent, dialogue.said))
        add("agent_read_result", share(agent, Set(dialogue.result.words.stems)))
        add("user_in_arguments", share(user, dialogue.lastArguments))
        add("agent_in_arguments", share(agent, dialogue.lastArguments))
        add(
            "user_new",
            Float(min(user.subtracting(dialogue.shown).subtracting(dialogue.lastArguments).count, 15)))
        add("user_in_result", share(user, Set(dialogue.result.words.stems)))
        add("agent_before_questions", Float(min(dialogue.agentBefore.questionMarks, 3)))
        add("user_before_words", Float(min(dialogue.userBefore.wordCount, 60)))
        add("user_before_yes", dialogue.userBefore.count(.yes) > 0 ? 1 : 0)
        add("asks_and_yes", asks && dialogue.user.count(.yes) > 0 && dialogue.user.count(.no) == 0 ? 1 : 0)
        add("asks_and_no", asks && dialogue.user.count(.no) > 0 ? 1 : 0)
        add(
            "asks_to_act",
            asks && dialogue.agent.count(.act) > 0 && dialogue.agent.count(.permission) > 0 ? 1 : 0)
        add("short_yes", dialogue.user.count(.yes) > 0 && dialogue.user.wordCount < 8 ? 1 : 0)
        add("read_back_count", Float(min(agent.count { dialogue.said.contains($0) }, 12)))
        add("said_since_tool", Float(min(dialogue.saidSinceTool.count, 40)))
        add("last_arguments", Float(min(dialogue.lastArguments.count, 15)))
        add("said_since_in_arguments", share(dialogue.saidSinceTool, dialogue.lastArguments))
        add("asks_more", dialogue.agent.count(.more) > 1 ? 1 : 0)
        add(
            "confirms", dialogue.agent.count(.confirm) + dialogue.agent.count(.permission) > 0 && asks ? 1 : 0
        )
        add(
            "read_back_and_yes",
            dialogue.user.count(.yes) > 0 ? share(agent, dialogue.said) * Float(agent.count) : 0)
    }

    private static func tools(_ dialogue: RoutedDialogue, _ add: Add) {
        let book = dialogue.tools
        let best = best(dialogue)
        add("tools", Float(min(book.count, 40)))
        add("says_required", book.saysRequired ? 1 : 0)
        add("can_look_up", book.tools.contains(where: \.looksUp) ? 1 : 0)
        add("can_change", book.tools.contains(where: \.changes) ? 1 : 0)
        add("asked_slots", Float(min(dialogue.slots.asked, 6)))
        add("answered_slots", Float(min(dialogue.slots.answered, 6)))
        add("gained_slots", Float(min(dialogue.slots.gained, 8)))
        add("best.fit", best.fit)
        add("best.all", best.all)
        add("best.margin", best.margin)
        add("best.since", best.since)
        add("best.met", best.needed == 0 ? 1 : 1 - Float(best.missing) / Float(best.needed))
        add("best.needed", Float(min(best.needed, 12)))
        add("best.missing", Float(min(best.missing, 12)))
        add("best.ready", best.needed > 0 && best.missing == 0 ? 1 : 0)
        add("best.changes", best.changes ? 1 : 0)
        add("best.looks_up", best.looksUp ? 1 : 0)
        add("best.is_last", best.index != nil && best.index == dialogue.lastTool ? 1 : 0)
        add("least_missing", Float(min(best.leastMissing, 12)))
        add("last.known", dialogue.lastTool == nil ? 0 : 1)
        add("last.changes", dialogue.lastTool.map { book.tools[$0].changes } == true ? 1 : 0)
        add("last.looks_up", dialogue.lastTool.map { book.tools[$0].looksUp } == true ? 1 : 0)
    }

    private static func result(_ dialogue: RoutedDialogue, _ add: Add) {
        let result = dialogue.result
        add("result.is_list", result.isList ? 1 : 0)
        add("result.is_object", result.isObject ? 1 : 0)
        add("result.is_empty", result.isEmpty ? 1 : 0)
        add("result.entries", Float(min(result.entries, 8)))
        add("result.bytes", Float(min(result.bytes, 4_000)) / 100)
        add("result.success", Float(min(result.words.count(.success), 3)))
        add("result.failure", Float(min(result.words.count(.failure), 3)))
        add("result.numbers", Float(min(result.words.numbers, 20)))
        add("result.words", Float(min(result.words.wordCount, 200)))
    }

    /// The tool that the user's words fit best, and how far its needs are met.
    private struct Best {
        var index: Int?
        var fit: Float = 0
        var all: Float = 0
        var since: Float = 0
        var margin: Float = 0
        var needed = 0
        var missing = 0
        var leastMissing = 0
        var changes = false
        var looksUp = false
    }

    private static func best(_ dialogue: RoutedDialogue) -> Best {
        var best = Best()
        let book = dialogue.tools
        var second: Float = 0
        best.leastMissing = book.tools.isEmpty ? 0 : 12
        for (index, tool) in book.tools.enumerated() {
            let now = dialogue.user.stems.reduce(Float(0)) { sum, stem in
                tool.stems.contains(stem) ? sum + (book.rarity[stem] ?? 0) : sum
            }
            let all = tool.ordered.reduce(Float(0)) { sum, stem in
                dialogue.said.contains(stem) ? sum + (book.rarity[stem] ?? 0) : sum
            }
            let score = now * 2 + all
            let missing = dialogue.slots.missing(index, book)
            best.leastMissing = min(best.leastMissing, missing)
            let lead = best.fit * 2 + best.all
            guard best.index == nil || score > lead else {
                second = max(second, score)
                continue
            }
            if best.index != nil { second = lead }
            best.index = index
            best.fit = min(now, 6)
            best.all = min(all, 6)
            best.since = Float(min(tool.stems.count { dialogue.saidSinceTool.contains($0) }, 6))
            best.needed = tool.needed.count
            best.missing = missing
            best.changes = tool.changes
            best.looksUp = tool.looksUp
        }
        best.margin = max(0, min(best.fit * 2 + best.all - second, 10))
        return best
    }

    private static func share(_ part: Set<UInt32>, _ whole: Set<UInt32>) -> Float {
        part.isEmpty ? 0 : Float(part.count { whole.contains($0) }) / Float(part.count)
    }
}
