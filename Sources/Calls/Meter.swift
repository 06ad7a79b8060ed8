package import Base

/// May this call go on? Pure.
///
/// Owns: the time until which the call is funded, and asking for more. Does not own: money (Billing), what
/// is said when it runs out. Times are connected milliseconds of the whole call, over takeovers.
package struct Meter: Sendable {
    package struct Policy: Hashable, Sendable {
        /// An extension is asked for when less than this is left.
        package var askBeforeMs = 20_000
        /// A call whose ledger does not answer goes on for this long beyond its funds.
        package var creditGraceMs = 120_000
        /// Between two questions that were not answered.
        package var retryMs = 5000
        /// A question without any answer counts as unanswered after this.
        package var answerLimitMs = 10_000
        package init() {}
    }

    package enum Input: Hashable, Sendable {
        /// Media flows; `elapsedMs` were connected before.
        case connected(elapsedMs: Int)
        case extended(number: Int, fundedMs: Int)
        case refused(number: Int)
        case unanswered(number: Int)
        case deadline
    }

    package enum Effect: Hashable, Sendable {
        /// Ask the ledger. The same number again is the same question.
        case extend(number: Int)
        /// The call must end.
        case outOfFunds
    }

    private enum State: Hashable {
        /// Not connected: nothing runs out.
        case waiting
        case funded
        case asked(until: CallTime)
        /// The ledger did not answer; asked again at `retryAt`.
        case unreachable(retryAt: CallTime)
        /// Told to end; final.
        case spent
    }

    private let policy: Policy
    private var state = State.waiting
    private var fundedMs: Int
    private var connectedAt = CallTime.zero
    /// Extensions asked for so far, in the whole call.
    package private(set) var number: Int

    package init(fundedMs: Int, number: Int, policy: Policy = Policy()) {
        self.policy = policy
        self.fundedMs = Self.clamped(fundedMs)
        self.number = number
    }

    package var deadline: CallTime? {
        switch state {
        case .waiting, .spent: nil
        case .funded: time(ofConnected: fundedMs - policy.askBeforeMs)
        case .asked(let until): min(until, graceEnd)
        case .unreachable(let retryAt): min(retryAt, graceEnd)
        }
    }

    package mutating func handle(_ input: Input, at now: CallTime) -> [Effect] {
        switch (state, input) {
        case (.waiting, .connected(let elapsedMs)):
            connectedAt = CallTime(nanoseconds: now.nanoseconds - Int64(Self.clamped(elapsedMs)) * 1_000_000)
            state = .funded
            return check(at: now)
        case (.asked, .extended(number, let until)), (.unreachable, .extended(number, let until)):
            // Never shortened: an answer that comes late may be older than what is known.
            fundedMs = max(fundedMs, Self.clamped(until))
            state = .funded
            // An answer that buys nothing is not asked for again at once.
            guard time(ofConnected: fundedMs - policy.askBeforeMs) > now else {
                state = .unreachable(retryAt: now + .milliseconds(policy.retryMs))
                number += 1
                return []
            }
            return []
        case (.asked, .refused(number)), (.unreachable, .refused(number)):
            state = .spent
            return [.outOfFunds]
        case (.asked, .unanswered(number)):
            state = .unreachable(retryAt: now + .milliseconds(policy.retryMs))
            return []
        case (_, .deadline): return check(at: now)
        default: return []  // Late, repeated or foreign answers.
        }
    }

    private mutating func check(at now: CallTime) -> [Effect] {
        switch state {
        case .funded where now >= time(ofConnected: fundedMs - policy.askBeforeMs):
            number += 1
            return ask(at: now)
        case .asked where now >= graceEnd, .unreachable where now >= graceEnd:
            state = .spent
            return [.outOfFunds]
        case .asked(let until) where now >= until:
            state = .unreachable(retryAt: now + .milliseconds(policy.retryMs))
            return []
        case .unreachable(let retryAt) where now >= retryAt: return ask(at: now)
        default: return []
        }
    }

    private mutating func ask(at now: CallTime) -> [Effect] {
        state = .asked(until: now + .milliseconds(policy.answerLimitMs))
        return [.extend(number: number)]
    }

    /// A year: beyond any call, far from overflow.
    private static func clamped(_ milliseconds: Int) -> Int { min(max(0, milliseconds), 31_536_000_000) }

    private func time(ofConnected milliseconds: Int) -> CallTime { connectedAt + .milliseconds(milliseconds) }
    private var graceEnd: CallTime { time(ofConnected: fundedMs + policy.creditGraceMs) }
}
