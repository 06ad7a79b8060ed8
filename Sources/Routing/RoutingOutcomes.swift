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
    /// What a correction weighs of a miss that was seen. Most blame the recogniser, or are second thoughts; an agent whose callers
    /// correct one answer in thirty, as of any recogniser, is to be routed much as before.
    static let correctionWeight = 0.1
    /// By what share a miss grows dearer with each miss too many.
    static let dearerByMiss = 0.5

    package init() {}

    /// To be added to the log odds of the trees.
    package func shift(_ features: RoutingFeatures, _ shipped: ToolOdds.Judgement, agent: String) -> Double {
        shift(features, shipped, at: Self.places(features, of: agent))
    }

    private func shift(_ features: RoutingFeatures, _ shipped: ToolOdds.Judgement, at hashes: [UInt32])
        -> Double
    {
        let line = features.followsTool ? tool : user
        let sum =
            line.sum(shipped.logOdds) + leaves.sum(shipped.leaves) + words.sum(features.terms.words)
            + places.sum(hashes)
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
        let hashes = Self.places(features, of: agent)
        let said = shipped.logOdds + shift(features, shipped, at: hashes)
        let error = (wasTool ? 1 : 0) - ToolOdds.probability(said)
        if features.followsTool {
            tool.learn(shipped.logOdds, error)
        } else {
            user.learn(shipped.logOdds, error)
        }
        learn(features, shipped, error, at: hashes)
        guard wasTool else { return }
        let missed = wasProbed ? 1 - notices : 0
        let isFirst = Self.noTool.map { features.values[$0] > 0 } ?? false
        overCalls = Self.within(overCalls + missed - Self.missesOfCalls)
        overDialogues = Self.within(overDialogues + missed - (isFirst ? Self.missesOfDialogues : 0))
    }

    /// The cheap model alone was trusted, and made the tool call wrongly or not at all.
    package mutating func noteMiss(
        _ features: RoutingFeatures, _ shipped: ToolOdds.Judgement, agent: String
    ) {
        note(features, shipped, wasProbed: false, wasTool: true, agent: agent)
        overCalls = Self.within(overCalls + 1)
        overDialogues = Self.within(overDialogues + 1)
    }

    /// The caller corrected what the cheap model alone had answered. Says nothing of misses that were made or spared, so that the
    /// balance stays as it is: only calls of this sort are trusted less.
    package mutating func noteCorrection(
        _ features: RoutingFeatures, _ shipped: ToolOdds.Judgement, agent: String
    ) {
        let hashes = Self.places(features, of: agent)
        let said = shipped.logOdds + shift(features, shipped, at: hashes)
        let error = (1 - ToolOdds.probability(said)) * Self.correctionWeight
        learn(features, shipped, error, at: hashes)
    }

    private mutating func learn(
        _ features: RoutingFeatures, _ shipped: ToolOdds.Judgement, _ error: Double, at hashes: [UInt32]
    ) {
        leaves.learn(shipped.leaves, error)
        words.learn(features.terms.words, error)
        places.learn(hashes, error)
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

extension RoutingOutcomes {
    /// The most that `bytes` can be.
    package static let bytesMax = 160_000

    /// Of the trees and features that weights of leaves and terms belong to: others have others.
    private static let mark: UInt32 = RoutingFeatures.names.reduce(WordHash.of(ToolOddsWeights.text)) {
        WordHash.of($0, WordHash.of($1))
    }

    /// As it is kept beyond the worker that learned it, weights with eight bits each: the mark, rates and balances, lines,
    /// tables.
    package var bytes: [UInt8] {
        var bytes = LearnedBytes()
        bytes.append(Self.mark)
        for value in [needed, noticed, needless, falseAlarms, overCalls, overDialogues] {
            bytes.append(value)
        }
        user.write(&bytes)
        tool.write(&bytes)
        for table in [leaves, places, words] { table.write(&bytes) }
        return bytes.all
    }

    /// nil for what this version did not write.
    package init?(bytes all: [UInt8]) {
        self.init()
        guard all.count <= Self.bytesMax else { return nil }
        var bytes = LearnedBytes(all)
        guard bytes.take() == Self.mark else { return nil }
        for place in [\Self.needed, \.noticed, \.needless, \.falseAlarms, \.overCalls, \.overDialogues] {
            guard let value: Double = bytes.take(), value.isFinite else { return nil }
            self[keyPath: place] = value
        }
        guard noticed >= 0, needed >= noticed, falseAlarms >= 0, needless >= falseAlarms else { return nil }
        guard user.read(&bytes), tool.read(&bytes), leaves.read(&bytes), places.read(&bytes),
            words.read(&bytes), bytes.isEmpty
        else { return nil }
        overCalls = Self.within(overCalls)
        overDialogues = Self.within(overDialogues)
    }
}
