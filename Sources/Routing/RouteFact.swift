package import Base

/// Which model one call of a language model was sent to, why, and what came of it: what a worker tells and the API shows.
package struct RouteFact: Hashable, Sendable, Codable {
    /// From 1 within call and epoch.
    package var number: Int
    /// The caller's turn that was answered, from 1; 0 before the first.
    package var turn: Int
    /// Asked for ahead of the turn's end; it may have been in vain.
    package var isDraft: Bool
    /// As `Router.Mode.name`.
    package var mode: String
    /// In shadow mode what would have been done.
    package var shadowed: String?
    /// Whose words were passed on, as usage names it; empty where nobody's were.
    package var model: String
    package var reason: String
    /// 0...1.
    package var toolProbability: Double
    package var expectedCost: Money
    /// To the first token, when the choice was made; nil in what an older worker tells.
    package var expectedWaitMs: Int?
    /// For all requests made, by the vendors' own usage and the call's prices.
    package var spent: Money
    /// What one model alone would have cost in a call that it had answered alone so far.
    package var alwaysStrong: Money
    package var alwaysCheap: Money
    package var handedOver: Bool

    package init(
        number: Int, turn: Int, isDraft: Bool, mode: String, shadowed: String? = nil, model: String,
        reason: String, toolProbability: Double, expectedCost: Money, expectedWaitMs: Int? = nil,
        spent: Money, alwaysStrong: Money,
        alwaysCheap: Money, handedOver: Bool
    ) {
        self.number = number
        self.turn = turn
        self.isDraft = isDraft
        self.mode = mode
        self.shadowed = shadowed
        self.model = model
        self.reason = reason
        self.toolProbability = toolProbability
        self.expectedCost = expectedCost
        self.expectedWaitMs = expectedWaitMs
        self.spent = spent
        self.alwaysStrong = alwaysStrong
        self.alwaysCheap = alwaysCheap
        self.handedOver = handedOver
    }
}

extension Money {
    /// A million dollars: no estimate of one call is larger.
    private static let estimateMax = 1e15

    /// Nano-dollars, rounded up.
    package init(estimated nanos: Double) {
        self.init(nanos: nanos > 0 ? Int64(min(nanos, Self.estimateMax).rounded(.up)) : 0)
    }
}
