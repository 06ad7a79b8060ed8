package import Base

/// What many simulated calls came to. Adding is free of order, so calls may be spread over cores.
package struct Totals: Sendable {
    /// Failing seeds kept with their promise.
    package static let failuresMax = 20

    package private(set) var calls = 0
    package private(set) var inputs = 0
    package private(set) var milliseconds = 0
    package private(set) var turns = 0
    package private(set) var interruptions = 0
    package private(set) var cuts = 0
    package private(set) var toolsAhead = 0
    package private(set) var toolsAheadUsed = 0
    package private(set) var failures = 0
    package private(set) var endings: [EndReason: Int] = [:]
    package private(set) var failed: [SimulatedCall.Outcome] = []
    package private(set) var longest: SimulatedCall.Outcome?
    package private(set) var slowest: SimulatedCall.Outcome?
    package private(set) var effectsHash: UInt64 = 0

    package init() {}

    package mutating func add(_ call: SimulatedCall.Outcome) {
        var other = Totals()
        other.calls = 1
        other.inputs = call.inputs
        other.milliseconds = call.milliseconds
        other.turns = call.turns
        other.interruptions = call.interruptions
        other.cuts = call.cuts
        other.toolsAhead = call.toolsAhead
        other.toolsAheadUsed = call.toolsAheadUsed
        if let ending = call.ending { other.endings[ending] = 1 }
        if call.failure != nil {
            other.failures = 1
            other.failed = [call]
        }
        other.longest = call
        other.slowest = call
        other.effectsHash = call.effectsHash &* (call.seed &* 2 &+ 1)
        add(other)
    }

    package mutating func add(_ other: Totals) {
        calls += other.calls
        inputs += other.inputs
        milliseconds += other.milliseconds
        turns += other.turns
        interruptions += other.interruptions
        cuts += other.cuts
        toolsAhead += other.toolsAhead
        toolsAheadUsed += other.toolsAheadUsed
        failures += other.failures
        endings.merge(other.endings, uniquingKeysWith: +)
        failed = Array((failed + other.failed).sorted { $0.seed < $1.seed }.prefix(Self.failuresMax))
        longest = Self.worse(longest, other.longest, \.milliseconds)
        slowest = Self.worse(slowest, other.slowest, \.longestWaitMs)
        effectsHash &+= other.effectsHash
    }

    package var callHours: Double { Double(milliseconds) / 3_600_000 }

    private static func worse(
        _ a: SimulatedCall.Outcome?, _ b: SimulatedCall.Outcome?, _ of: KeyPath<SimulatedCall.Outcome, Int>
    ) -> SimulatedCall.Outcome? {
        guard let a, let b else { return a ?? b }
        return (a[keyPath: of], b.seed) >= (b[keyPath: of], a.seed) ? a : b
    }
}
