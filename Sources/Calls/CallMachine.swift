package import Base

/// What is the call doing, and how does it end? Pure. `end` is the only door out.
///
/// Owns: connected or not, the hard length limit, hearing a goodbye to its end. Does not own: what is said.
package struct CallMachine: Sendable {
    package struct Policy: Hashable, Sendable {
        /// Hard maximum of connected time.
        package var maxMs: Int
        /// A goodbye is heard to its end, but no longer than this.
        package var goodbyeLimitMs = 20_000
        package init(maxMs: Int) { self.maxMs = maxMs }
    }

    package enum Input: Hashable, Sendable {
        /// Media flows; `elapsedMs` were connected before.
        case connected(elapsedMs: Int)
        /// End politely: hang up once everything said has been heard.
        case end(EndReason)
        /// Everything said has been heard.
        case allHeard
        /// Nobody is there any more.
        case gone(EndReason)
        case deadline
    }

    package enum Effect: Hashable, Sendable {
        /// The length limit is reached: say so, then `end(.timeLimit)`.
        case timeIsUp
        /// No further input changes anything.
        case hangUp(EndReason)
    }

    package enum State: Hashable, Sendable {
        case waiting
        case talking(until: CallTime)
        /// The goodbye is being heard.
        case closing(EndReason, until: CallTime)
        case ended(EndReason)
    }

    private let policy: Policy
    package private(set) var state = State.waiting

    package init(policy: Policy) { self.policy = policy }

    package var isOver: Bool { if case .ended = state { true } else { false } }
    /// The reason of an end that is under way or done.
    package var ending: EndReason? {
        switch state {
        case .waiting, .talking: nil
        case .closing(let reason, _), .ended(let reason): reason
        }
    }

    package var deadline: CallTime? {
        switch state {
        case .waiting, .ended: nil
        case .talking(let until), .closing(_, let until): until
        }
    }

    package mutating func handle(_ input: Input, at now: CallTime) -> [Effect] {
        switch (state, input) {
        case (.ended, _): return []
        case (.waiting, .connected(let elapsedMs)):
            state = .talking(until: now + .milliseconds(policy.maxMs - elapsedMs))
            return []
        case (_, .gone(let reason)): return hangUp(reason)
        // Nobody has heard anything yet: there is nothing to wait for.
        case (.waiting, .end(let reason)): return hangUp(reason)
        case (.talking, .end(let reason)):
            state = .closing(reason, until: now + .milliseconds(policy.goodbyeLimitMs))
            return []
        case (.closing(let reason, _), .allHeard): return hangUp(reason)
        case (.closing(let reason, let until), .deadline) where now >= until: return hangUp(reason)
        case (.talking(let until), .deadline) where now >= until: return [.timeIsUp]
        default: return []
        }
    }

    private mutating func hangUp(_ reason: EndReason) -> [Effect] {
        state = .ended(reason)
        return [.hangUp(reason)]
    }
}
