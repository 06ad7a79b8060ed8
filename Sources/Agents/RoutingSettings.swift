package import Base

/// A second, cheaper model that answers what it can in place of the prompt's own, and the rules for choosing between them.
///
/// What is nil is as the router has it; whether the rules fit together is the router's to say.
package struct RoutingSettings: Hashable, Sendable, Codable {
    package enum Mode: String, Hashable, Sendable, NamedChoice { case on, shadow, off }
    package enum Way: String, Hashable, Sendable, NamedChoice { case cheap, probe, parallel }

    package var cheap: ModelChoice
    /// `shadow` decides and tells, and asks the prompt's own model all the same.
    package var mode = Mode.on
    /// Ways of answering beside the prompt's own model.
    package var allow = [Way.cheap, .probe]
    package var cheapBelow: Double?
    package var strongAbove: Double?
    package var stickiness: Double?
    package var canaryShare: Double?
    package var waitMaxMs: Int?
    /// Decimal dollars.
    package var callBudget: String?
    /// Names of the agent's tools: once one was called, the strong model answers for the rest of the call.
    package var strongAfter: [String] = []
    /// What the tenant's calls show moves the odds.
    package var learn = true
    package init(cheap: ModelChoice) { self.cheap = cheap }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case cheap, mode, allow, stickiness, learn
        case cheapBelow = "cheap_below"
        case strongAbove = "strong_above"
        case canaryShare = "canary_share"
        case waitMaxMs = "wait_max_ms"
        case callBudget = "call_budget"
        case strongAfter = "strong_after"
    }

    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init(cheap: try from.decode(ModelChoice.self, forKey: .cheap))
        try from.fill(
            &self, (.mode, \.mode), (.allow, \.allow), (.cheapBelow, \.cheapBelow),
            (.strongAbove, \.strongAbove), (.stickiness, \.stickiness), (.canaryShare, \.canaryShare),
            (.waitMaxMs, \.waitMaxMs), (.callBudget, \.callBudget), (.strongAfter, \.strongAfter),
            (.learn, \.learn))
    }
}

extension AgentCheck {
    mutating func check(_ routing: RoutingSettings, of prompt: Prompt) {
        if routing.cheap == prompt.choices.first {
            report("prompt.routing.cheap", "is the prompt's own model")
        }
        if routing.mode != .off, routing.allow.isEmpty {
            report("prompt.routing.allow", "allows nothing beside the strong model: mode off says so")
        }
        if let budget = routing.callBudget, Money(decimal: budget) == nil {
            report("prompt.routing.call_budget", "must be decimal dollars, like 0.05")
        }
        let names = Set(definition.tools.map(\.name))
        for (index, name) in routing.strongAfter.prefix(AgentLimits.tools).enumerated()
        where !names.contains(name) {
            report("prompt.routing.strong_after[\(index)]", "the agent has no such tool")
        }
        if routing.strongAfter.count > AgentLimits.tools {
            report("prompt.routing.strong_after", "more than \(AgentLimits.tools)")
        }
    }
}
