import Glibc

/// What a tenant's own calls taught about the odds of a tool call; may be switched off by not feeding it.
///
/// A small linear model over the same features corrects the shipped trees for all of the tenant's agents, and counts
/// correct it for each agent. Only calls whose act was seen count: a cheap model asked alone may have missed one.
package struct RoutingOutcomes: Sendable {
    /// Log odds are moved by at most this.
    static let shiftMax = 6.0
    /// Agents that are counted apart; further ones go by what the tenant's others taught.
    package static let agentsMax = 10_000

    private var user = LinearCorrection()
    private var tool = LinearCorrection()
    private var agents: [String: AgentCounts] = [:]

    /// Hand-overs that a probed model made when a tool was needed, and those it made for nothing.
    private var needed = 0.0
    private var noticed = 0.0
    private var needless = 0.0
    private var falseAlarms = 0.0

    /// Taken for granted until outcomes say otherwise, and worth `rateWeight` probes.
    package static let noticeRate = 0.98
    package static let falseRate = 0.10
    static let rateWeight = 50.0

    package init() {}

    /// To be added to `logOdds`, those of the trees.
    package func shift(_ features: RoutingFeatures, agent: String) -> Double {
        let linear = (features.followsTool ? tool : user).sum(features)
        return max(-Self.shiftMax, min(Self.shiftMax, linear + (agents[agent]?.shift(features) ?? 0)))
    }

    package mutating func note(_ features: RoutingFeatures, logOdds: Double, wasTool: Bool, agent: String) {
        let said = logOdds + shift(features, agent: agent)
        let linear = (features.followsTool ? tool : user).sum(features)
        let error = (wasTool ? 1 : 0) - ToolOdds.probability(said)
        if features.followsTool { tool.learn(features, error) } else { user.learn(features, error) }
        guard agents[agent] != nil || agents.count < Self.agentsMax else { return }
        agents[agent, default: AgentCounts()].note(features, logOdds: logOdds + linear, wasTool: wasTool)
    }

    package mutating func noteProbe(handedOver: Bool, wasTool: Bool) {
        if wasTool {
            needed += 1
            if handedOver { noticed += 1 }
        } else {
            needless += 1
            if handedOver { falseAlarms += 1 }
        }
    }

    package var notices: Double { (noticed + Self.noticeRate * Self.rateWeight) / (needed + Self.rateWeight) }
    package var handsOverForNothing: Double {
        (falseAlarms + Self.falseRate * Self.rateWeight) / (needless + Self.rateWeight)
    }
}

/// Logistic regression learned one call at a time, each feature at a pace of its own (AdaGrad).
/// Source: Duchi, Hazan, Singer 2011, "Adaptive subgradient methods".
private struct LinearCorrection: Sendable {
    private static let pace = 0.1
    private static let decay = 0.001

    private var weights = [Double](repeating: 0, count: RoutingFeatures.names.count)
    private var squares = [Double](repeating: 1, count: RoutingFeatures.names.count)
    /// The largest value of each feature so far: they are scaled to 0...1.
    private var most = [Double](repeating: 1, count: RoutingFeatures.names.count)
    private var constant = (weight: 0.0, squares: 1.0)

    func sum(_ features: RoutingFeatures) -> Double {
        var sum = constant.weight
        for (place, value) in features.values.enumerated() where value != 0 {
            sum += weights[place] * min(1, Double(value) / most[place])
        }
        return sum
    }

    mutating func learn(_ features: RoutingFeatures, _ error: Double) {
        for (place, value) in features.values.enumerated() where value != 0 {
            most[place] = max(most[place], Double(value))
            let step = error * Double(value) / most[place] - Self.decay * weights[place]
            squares[place] += step * step
            weights[place] += Self.pace * step / squares[place].squareRoot()
        }
        constant.squares += error * error
        constant.weight += Self.pace * error / constant.squares.squareRoot()
    }
}

/// How often one agent called a tool beside how often it was expected, by where in the dialogue.
private struct AgentCounts: Sendable {
    /// Calls that what is known already is worth, for the agent and for one place in its dialogues.
    private static let prior = 6.0
    private static let priorOfPlace = 8.0
    /// Older calls fade, so that what is learned follows a change within some hundreds of calls.
    private static let fading = 0.998
    private static let turnsMax = 4

    private struct Count: Sendable {
        var expected = 0.0
        var tools = 0.0
        var calls = 0.0

        func shift(_ prior: Double) -> Double {
            let half = prior / 2
            return log((tools + half) / (calls - tools + half))
                - log((expected + half) / (calls - expected + half))
        }

        mutating func note(_ probability: Double, _ wasTool: Bool) {
            expected = expected * fading + probability
            tools = tools * fading + (wasTool ? 1 : 0)
            calls = calls * fading + 1
        }
    }

    private var all = [Count](repeating: Count(), count: 2)
    private var places = [Count](repeating: Count(), count: 4 * (turnsMax + 1))

    private static let turns = RoutingFeatures.names.firstIndex(of: "turns_since_tool")
    private static let noTool = RoutingFeatures.names.firstIndex(of: "no_tool_yet")

    private static func place(_ features: RoutingFeatures) -> Int {
        let turns = turns.map { min(Int(features.values[$0]), turnsMax) } ?? 0
        let isFirst = noTool.map { features.values[$0] > 0 } ?? false
        return (turns * 2 + (isFirst ? 1 : 0)) * 2 + (features.followsTool ? 1 : 0)
    }

    func shift(_ features: RoutingFeatures) -> Double {
        all[features.followsTool ? 1 : 0].shift(Self.prior)
            + places[Self.place(features)].shift(Self.priorOfPlace)
    }

    mutating func note(_ features: RoutingFeatures, logOdds: Double, wasTool: Bool) {
        let kind = features.followsTool ? 1 : 0
        let said = logOdds + all[kind].shift(Self.prior)
        all[kind].note(ToolOdds.probability(logOdds), wasTool)
        places[Self.place(features)].note(ToolOdds.probability(said), wasTool)
    }
}
