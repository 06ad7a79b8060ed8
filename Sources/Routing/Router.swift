package import Base

/// Chooses for each call of a language model which model answers and how. Pure: prices, odds and times come from outside.
///
/// Owns the choice, what it is expected to cost and the reason. Does not own the models, the dialogue, or money. Invariants:
/// whatever is not known leads to the strong model; the same request gives the same choice.
package struct Router: Sendable {
    package enum Tier: String, Hashable, Sendable { case cheap, strong }

    package enum Mode: Hashable, Sendable {
        case direct(Tier)
        /// The cheap model answers without tool schemas and may hand over to the strong one within the turn.
        case probe
        /// Both start; the cheap one's answer is used unless the strong one wants a tool.
        case parallel
        /// A line that the agent knows; no model.
        case scripted

        /// As the API names it.
        package var name: String {
            switch self {
            case .direct(let tier): tier.rawValue
            case .probe: "probe"
            case .parallel: "parallel"
            case .scripted: "scripted"
            }
        }
    }

    package struct Model: Hashable, Sendable {
        package var name: String
        package var prices: TokenPrice
        package var caching = PromptCaching()
        /// From request to first token, as lately seen.
        package var firstToken: Duration = .milliseconds(500)
        package var isHealthy = true
        package init(name: String, prices: TokenPrice) {
            self.name = name
            self.prices = prices
        }
    }

    /// One call that is to be made.
    package struct Request: Sendable {
        package var features: RoutingFeatures
        /// Turns of the user, tools of the agent. One without tools calls none, whatever the odds are.
        package var turns: Int
        package var tools: Int
        package var promptTokens: Int
        /// Which of the tenant's agents speaks.
        package var agent = ""
        /// Tokens of this dialogue that each model's cache holds.
        package var seenByCheap = 0
        package var seenByStrong = 0
        package var answeredLastBy: Tier?
        package var handOversThisTurn = 0
        /// Tools called so far in the call.
        package var toolsCalled: Set<String> = []
        package var hasScriptedLine = false
        /// Whether the user's turn says that the agent got it wrong; nil after a tool.
        package var correctsAgent: Bool?
        /// Nano-dollars.
        package var spentOnCall: Int64 = 0
        package var spentToday: Int64 = 0
        /// Where this dialogue falls between 0 and 1, from its id: below the canary share it is routed.
        package var lot = 0.0

        package init(_ dialogue: RoutedDialogue, promptTokens: Int) {
            features = RoutingFeatures(dialogue)
            turns = dialogue.turns
            tools = dialogue.tools.count
            toolsCalled = dialogue.toolsCalled
            correctsAgent = dialogue.correctsAgent
            self.promptTokens = promptTokens
        }
    }

    package struct Choice: Hashable, Sendable {
        package var mode: Mode
        /// What would have been done, where shadow mode keeps to the strong model.
        package var shadowed: Mode?
        package var toolProbability: Double
        /// Before what the tenant's own calls taught.
        package var shipped: ToolOdds.Judgement
        /// Nano-dollars, misses and hand-overs with their probabilities.
        package var expectedCost: Double
        package var alwaysStrong: Double
        package var alwaysCheap: Double
        /// To the first token that is heard.
        package var expectedWait: Duration
        package var reason: String
    }

    package private(set) var cheap: Model
    package private(set) var strong: Model
    package let policy: RoutingPolicy
    private let odds: ToolOdds
    /// What a missed tool call is worth beyond what it costs to make it after all. Nano-dollars.
    private let missCost: Double

    /// Tokens a hand-over takes, and an answer that is spoken: the median of spoken agents' replies is about fifteen.
    static let handOverTokens = 15.0
    static let replyTokens = 16.0
    /// Prompt tokens of a call of middling size.
    static let middlingTokens = 700.0
    /// Without probes, one in so many calls of the cheap model's is given to the strong one, to learn of.
    static let looksEvery = 16
    /// A miss costs at most so many calls.
    static let missesMax = 1_000.0
    /// Percent more than the strong model that are still told: beside one that costs next to nothing, any number would do.
    static let dearerMax = 1_000.0

    /// - Throws: what is wrong with models or policy, so that nothing is published that would route on a guess.
    package init(
        cheap: Model, strong: Model, policy: RoutingPolicy, odds: ToolOdds
    ) throws(RoutingProblem) {
        try policy.check()
        guard !cheap.name.isEmpty else { throw .unknownModel(cheap.name) }
        guard !strong.name.isEmpty else { throw .unknownModel(strong.name) }
        try cheap.prices.check()
        try strong.prices.check()
        guard cheap.prices.input <= strong.prices.input, cheap.prices.output <= strong.prices.output else {
            throw .cheapCostsMore
        }
        self.cheap = cheap
        self.strong = strong
        self.policy = policy
        self.odds = odds
        missCost = Self.missCost(cheap.prices, strong.prices, policy.strongAbove)
    }

    /// Where probing and asking the strong model come to the same at probability `breakEven`, in a call of middling size.
    private static func missCost(_ cheap: TokenPrice, _ strong: TokenPrice, _ breakEven: Double) -> Double {
        let one = strong.input.perToken * middlingTokens + strong.output.perToken * replyTokens
        let probe = cheap.input.perToken * middlingTokens + cheap.output.perToken * replyTokens
        let handedOver = breakEven + (1 - breakEven) * RoutingOutcomes.falseRate
        let unnoticed = breakEven * (1 - RoutingOutcomes.noticeRate)
        let left = one * (1 - handedOver) - probe
        return left <= 0 ? 0 : min(left / max(unnoticed, .leastNonzeroMagnitude), one * missesMax)
    }

    /// How a model does now.
    package mutating func note(_ tier: Tier, firstToken: Duration, isHealthy: Bool) {
        switch tier {
        case .cheap: (cheap.firstToken, cheap.isHealthy) = (firstToken, isHealthy)
        case .strong: (strong.firstToken, strong.isHealthy) = (firstToken, isHealthy)
        }
    }

    /// The choice for `request`; `outcomes` are those of the tenant's calls so far.
    package func choose(_ request: Request, outcomes: RoutingOutcomes = RoutingOutcomes()) -> Choice {
        let shipped = odds.judge(request.features)
        let probability =
            request.tools == 0
            ? 0
            : ToolOdds.probability(
                shipped.logOdds + outcomes.shift(request.features, shipped, agent: request.agent))
        let costs = RouteCosts(request, self, outcomes, probability)
        var (mode, reason) = rule(request) ?? best(request, costs)
        var shadowed: Mode?
        if policy.isShadow, mode != .direct(.strong), mode != .scripted {
            shadowed = mode
            mode = .direct(.strong)
            reason = "shadow: " + reason
        }
        return Choice(
            mode: mode, shadowed: shadowed, toolProbability: probability, shipped: shipped,
            expectedCost: costs.money(mode),
            alwaysStrong: costs.money(.direct(.strong)), alwaysCheap: costs.money(.direct(.cheap)),
            expectedWait: costs.wait(mode), reason: reason)
    }

    /// What `tier` alone costs for a prompt of which it was sent `seen` tokens before. Nano-dollars.
    package func cost(_ tier: Tier, prompt tokens: Int, seen: Int, output: Int) -> Double {
        let model = tier == .cheap ? cheap : strong
        return model.prices.prompt(tokens, seen: seen, model.caching)
            + Double(output) * model.prices.output.perToken
    }

    /// What holds whatever the odds are.
    private func rule(_ request: Request) -> (Mode, String)? {
        let strong = Mode.direct(.strong)
        if request.hasScriptedLine { return (.scripted, "the agent knows the line") }
        if policy.isOff { return (strong, "routing is off") }
        if request.lot >= policy.canaryShare { return (strong, "outside the canary share") }
        if !cheap.isHealthy { return (strong, "\(cheap.name) is unwell") }
        if request.turns == 0 { return (strong, "nothing was said yet") }
        if request.tools > ToolBook.toolsMax {
            return (strong, "\(request.tools) tools are too many to judge")
        }
        if let tool = policy.strongAfter.intersection(request.toolsCalled).min() {
            return (strong, "kept strong after \(tool)")
        }
        if request.handOversThisTurn >= policy.handOversMax, request.handOversThisTurn > 0 {
            return (strong, "handed over \(request.handOversThisTurn) times this turn")
        }
        if !self.strong.isHealthy { return (.direct(.cheap), "\(self.strong.name) is unwell") }
        return nil
    }

    private func best(_ request: Request, _ costs: RouteCosts) -> (Mode, String) {
        var open: [Mode] = []
        let isSpent =
            policy.callBudget.map { request.spentOnCall >= $0 } == true
            || policy.dayBudget.map { request.spentToday >= $0 } == true
        let hasTools = request.tools > 0
        let trustsCheap =
            !hasTools || costs.probability < policy.cheapBelow && !request.features.followsTool
        if policy.allowsCheap, trustsCheap || !policy.allowsProbe { open.append(.direct(.cheap)) }
        if policy.allowsProbe { open.append(.probe) }
        if !isSpent || open.isEmpty { open.insert(.direct(.strong), at: 0) }
        var chosen = open[0]
        for mode in open where weighed(mode, request, costs) < weighed(chosen, request, costs) {
            chosen = mode
        }
        if chosen == .probe, policy.allowsParallel, costs.wait(.probe) > policy.waitMax { chosen = .parallel }
        if !isSpent, hasTools, looks(chosen, request) { return (.direct(.strong), "asked to learn of") }
        return (chosen, reason(chosen, costs, hasTools: hasTools, isSpent: isSpent))
    }

    /// Nothing is seen of what the cheap model alone misses. Chance is the prompt's length.
    private func looks(_ mode: Mode, _ request: Request) -> Bool {
        mode == .direct(.cheap) && !policy.allowsProbe && request.promptTokens % Self.looksEvery == 0
    }

    /// Cost with what a miss is worth, and with what speaks against changing models.
    private func weighed(_ mode: Mode, _ request: Request, _ costs: RouteCosts) -> Double {
        let staying = request.answeredLastBy.map { mode == .direct($0) } ?? true
        // Without probes, what was missed is not seen: nothing to go by.
        let dearness = policy.allowsProbe ? costs.missDearness : 1
        let worth = costs.money(mode) + missCost * dearness * costs.miss(mode)
        return staying ? worth * (1 - policy.stickiness) : worth
    }

    private func reason(_ mode: Mode, _ costs: RouteCosts, hasTools: Bool, isSpent: Bool) -> String {
        let odds =
            hasTools
            ? "a tool call is \(Int((costs.probability * 100).rounded())) % likely" : "the agent has no tools"
        let why =
            switch mode {
            case .direct(.cheap): odds + ", " + saves(mode, costs)
            case .direct(.strong): odds
            case .probe: odds + ": tried cheap, may hand over, " + saves(mode, costs)
            case .parallel: odds + ": both, as a hand-over would be late"
            case .scripted: "the agent knows the line"
            }
        return isSpent ? "the budget is spent; " + why : why
    }

    /// Beside the strong model alone.
    private func saves(_ mode: Mode, _ costs: RouteCosts) -> String {
        let share = costs.money(mode) / max(costs.money(.direct(.strong)), .leastNonzeroMagnitude)
        let percent = Int(min((share - 1) * 100, Self.dearerMax).rounded())
        return percent > 0 ? "costs \(percent) % more" : "saves \(-percent) %"
    }
}
