import Glibc

/// What a tenant's own calls taught about the odds of a tool call; may be switched off by not feeding it.
///
/// Corrects the shipped trees: their leaves get weights of the tenant's own, as do words and circumstances of its calls and
/// of each of its agents. Only calls whose act was seen count: a cheap model asked alone may have missed one. It also keeps
/// account of what probes are likely to have missed, and makes a miss dearer or cheaper so that as many are missed as may be.
package struct RoutingOutcomes: Sendable {
    /// Log odds are moved by at most this.
    static let shiftMax = 6.0

    private var leaves = LearnedWeights(pace: 0.4)
    private var places = LearnedWeights(pace: 0.3)
    private var words = LearnedWeights(pace: 0.5)
    private var user = LearnedLine()
    private var tool = LearnedLine()

    /// Hand-overs that a probed model made when a tool was needed, and those it made for nothing.
    private var needed = 0.0
    private var noticed = 0.0
    private var needless = 0.0
    private var falseAlarms = 0.0

    /// Misses beyond those allowed, of all tool calls and of dialogues with any.
    private var overCalls = 0.0
    private var overDialogues = 0.0

    /// Taken for granted until outcomes say otherwise, and worth `rateWeight` probes.
    package static let noticeRate = 0.98
    package static let falseRate = 0.10
    static let rateWeight = 50.0

    /// Misses that are allowed: a little fewer than one in a hundred tool calls, than three in a hundred dialogues.
    static let missesOfCalls = 0.0095
    static let missesOfDialogues = 0.0285
    /// A balance is kept of at most so many misses either way: what was long ago is let be.
    static let overMax = 3.0
    /// By what share a miss grows dearer with each miss too many.
    static let dearerByMiss = 0.5

    package init() {}

    /// To be added to the log odds of the trees.
    package func shift(_ features: RoutingFeatures, _ shipped: ToolOdds.Judgement, agent: String) -> Double {
        let line = features.followsTool ? tool : user
        let sum =
            line.sum(shipped.logOdds) + leaves.sum(shipped.leaves) + words.sum(features.terms.words)
            + places.sum(Self.places(features, of: agent))
        return max(-Self.shiftMax, min(Self.shiftMax, sum))
    }

    /// Of all agents, and of this one.
    private static func places(_ features: RoutingFeatures, of agent: String) -> [UInt32] {
        let name = WordHash.of(agent)
        return features.terms.places + features.terms.places.map { WordHash.of($0, name) }
    }

    package mutating func note(
        _ features: RoutingFeatures, _ shipped: ToolOdds.Judgement, wasProbed: Bool, wasTool: Bool,
        agent: String
    ) {
        let said = shipped.logOdds + shift(features, shipped, agent: agent)
        let error = (wasTool ? 1 : 0) - ToolOdds.probability(said)
        if features.followsTool {
            tool.learn(shipped.logOdds, error)
        } else {
            user.learn(shipped.logOdds, error)
        }
        leaves.learn(shipped.leaves, error)
        words.learn(features.terms.words, error)
        places.learn(Self.places(features, of: agent), error)
        guard wasTool else { return }
        let missed = wasProbed ? 1 - notices : 0
        let isFirst = Self.noTool.map { features.values[$0] > 0 } ?? false
        overCalls = Self.within(overCalls + missed - Self.missesOfCalls)
        overDialogues = Self.within(overDialogues + missed - (isFirst ? Self.missesOfDialogues : 0))
    }

    private static let noTool = RoutingFeatures.names.firstIndex(of: "no_tool_yet")
    private static func within(_ balance: Double) -> Double { max(-overMax, min(overMax, balance)) }

    /// By how much more than the policy says a miss is to count, so that as many are missed as may be. About 0.2...4.5.
    package var missDearness: Double { exp(max(overCalls, overDialogues) * Self.dearerByMiss) }

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

/// Logistic regression over terms, learned one call at a time, each weight at a pace of its own (AdaGrad). Terms that fall
/// on one place share a weight.
/// Source: Duchi, Hazan, Singer 2011, "Adaptive subgradient methods"; Weinberger et al. 2009, "Feature hashing".
private struct LearnedWeights: Sendable {
    /// A power of two. With the squares 64 KB, once something was learned.
    private static let placesMax = 8_192
    private static let decay: Float = 0.001
    /// Squares before anything was seen: how fast the first steps are.
    private static let squaresBefore: Float = 0.1

    private let pace: Float
    private var weights: [Float] = []
    private var squares: [Float] = []

    init(pace: Float) { self.pace = pace }

    private static func place(_ term: UInt32) -> Int { Int(term) & (placesMax - 1) }

    func sum(_ terms: [UInt32]) -> Double {
        guard !weights.isEmpty, !terms.isEmpty else { return 0 }
        var sum: Float = 0
        for term in terms { sum += weights[Self.place(term)] }
        return Double(sum) / Double(terms.count).squareRoot()
    }

    mutating func learn(_ terms: [UInt32], _ error: Double) {
        if weights.isEmpty {
            weights = [Float](repeating: 0, count: Self.placesMax)
            squares = [Float](repeating: Self.squaresBefore, count: Self.placesMax)
        }
        let share = Float(error / Double(max(1, terms.count)).squareRoot())
        for term in terms {
            let place = Self.place(term)
            let step = share - Self.decay * weights[place]
            squares[place] += step * step
            weights[place] += pace * step / squares[place].squareRoot()
        }
    }
}

/// What is to be added to the trees' log odds by how large they are: their scale may be another for this tenant.
private struct LearnedLine: Sendable {
    private static let pace = 0.1
    private static let decay = 0.001
    /// Log odds beyond it count as this.
    private static let oddsMax = 5.0
    /// Log odds that count as one.
    private static let unit = 3.0
    /// What the trees said counts less as calls are learned from, down to this share of it: at desks of a kind that they never
    /// saw they are sure of what is not so. At `halfway` calls it has lost half of the rest.
    private static let keptShare = 0.5
    private static let halfway = 100.0

    private var weights = SIMD4<Double>()
    private var squares = SIMD4<Double>(repeating: 1)
    private var calls = 0.0

    private static func inputs(_ logOdds: Double) -> SIMD4<Double> {
        let odds = max(-oddsMax, min(oddsMax, logOdds)) / unit
        return SIMD4(odds, odds * odds, 1, 0)
    }

    func sum(_ logOdds: Double) -> Double {
        let lost = (1 - Self.keptShare) * calls / (calls + Self.halfway)
        return (weights * Self.inputs(logOdds)).sum() - lost * logOdds
    }

    mutating func learn(_ logOdds: Double, _ error: Double) {
        let step = error * Self.inputs(logOdds) - Self.decay * weights
        squares += step * step
        weights += Self.pace * step / squares.squareRoot()
        calls += 1
    }
}
