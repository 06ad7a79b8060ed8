/// What an operator, tenant or agent lays down for routing. Pure; checked before an agent is published.
package struct RoutingPolicy: Hashable, Sendable {
    /// Ways of answering that may be chosen beside the strong model.
    package var allowsCheap = true
    package var allowsProbe = true
    /// Both models at once, where a probe would keep the caller waiting for longer than `waitMax`.
    package var allowsParallel = false
    package var waitMax: Duration = .milliseconds(1500)
    /// The cheap model alone is trusted only below this probability of a tool call, and never after a tool's result:
    /// whether a call follows a call differs from agent to agent more than the odds can tell. 0...1.
    package var cheapBelow = 0.01
    /// From this probability on the strong model is asked straight away in a call of middling size; this says what a missed
    /// tool call is worth, until a tenant's calls show that too many or too few are missed (`RoutingOutcomes`). A miss is as
    /// bad whatever the prompt's size, so short prompts go to the strong model sooner and long ones later. 0...1.
    package var strongAbove = 0.6
    /// Another model than last time's must save at least this share of what staying costs. 0...1.
    package var stickiness = 0.0
    /// Tools after which a call stays with the strong model.
    package var strongAfter: Set<String> = []
    /// Nano-dollars; spent, a call is probed and no longer sent to the strong model straight away.
    package var callBudget: Int64?
    package var dayBudget: Int64?
    /// Share of the dialogues that are routed; the others use the strong model. 0...1.
    package var canaryShare = 1.0
    /// Decide and record, and use the strong model all the same.
    package var isShadow = false
    /// Nothing is decided: the strong model.
    package var isOff = false
    /// Hand-overs within one turn after which the turn stays with the strong model.
    package var handOversMax = 1

    package init() {}

    /// Nano-dollars: up to a million dollars.
    static let budgets: ClosedRange<Int64> = 1...1_000_000_000_000_000

    /// - Throws: `outOfRange` by name; `budgetWithoutCheaperWay`; `parallelWithoutProbe`.
    package func check() throws(RoutingProblem) {
        let ranges: [(String, Double, ClosedRange<Double>)] = [
            ("cheap_below", cheapBelow, 0...1),
            ("strong_above", strongAbove, 0...1),
            ("stickiness", stickiness, 0...1), ("canary_share", canaryShare, 0...1),
            ("wait_max_ms", waitMax / .milliseconds(1), 0...60_000),
            ("hand_overs_max", Double(handOversMax), 0...10),
        ]
        for (name, value, range) in ranges where !range.contains(value) { throw .outOfRange(name) }
        guard cheapBelow <= strongAbove else { throw .outOfRange("cheap_below") }
        for (name, budget) in [("call_budget", callBudget), ("day_budget", dayBudget)] {
            if let budget, !Self.budgets.contains(budget) { throw .outOfRange(name) }
        }
        if callBudget != nil || dayBudget != nil, !allowsCheap, !allowsProbe {
            throw .budgetWithoutCheaperWay
        }
        if allowsParallel, !allowsProbe { throw .parallelWithoutProbe }
    }
}

/// Why a router cannot be had. Each is found when an agent is published, not in a call.
package enum RoutingProblem: Error, Hashable, Sendable {
    case unknownModel(String)
    case missingPrice
    case priceOutOfRange
    case cachedAboveInput
    /// The strong model costs less than the cheap one.
    case cheapCostsMore
    case outOfRange(String)
    /// The tenant's floor forbids every way that the agent allows.
    case belowFloor(RoutingRules.Floor)
    case budgetWithoutCheaperWay
    /// Both models are asked where a probe would be late: without probes never.
    case parallelWithoutProbe
    case unreadableWeights(String)
}

extension RoutingProblem {
    /// The setting it is about, as the API names it; nil: all of them.
    package var setting: String? {
        switch self {
        case .outOfRange(let name): name
        case .parallelWithoutProbe, .budgetWithoutCheaperWay, .belowFloor: "allow"
        case .unknownModel, .cheapCostsMore: "cheap"
        case .missingPrice, .priceOutOfRange, .cachedAboveInput, .unreadableWeights: nil
        }
    }

    /// For people.
    package var message: String {
        switch self {
        case .unknownModel(let name): "there is no model \(name)"
        case .missingPrice: "a price by the token is missing"
        case .priceOutOfRange: "a price is below 0 or above a dollar a thousand tokens"
        case .cachedAboveInput: "a token in the vendor's cache costs more than one that is not"
        case .cheapCostsMore: "the cheap model costs more than the strong one"
        case .outOfRange("wait_max_ms"): "must be 0 to 60000"
        case .outOfRange("call_budget"), .outOfRange("day_budget"): "must be above 0, at most 1000000 dollars"
        case .outOfRange("hand_overs_max"): "must be 0 to 10"
        case .outOfRange("cheap_below"): "must be 0 to 1 and not above strong_above"
        case .outOfRange: "must be 0 to 1"
        case .belowFloor(let floor): "the tenant's floor is \(floor.rawValue): nothing of this is allowed"
        case .budgetWithoutCheaperWay: "a budget needs a cheaper way: cheap or probe"
        case .parallelWithoutProbe: "parallel stands in for a probe that would be late: it needs probe"
        case .unreadableWeights(let reason): "the weights cannot be read: \(reason)"
        }
    }
}
