import Base

/// Whether a vendor is worth asking now: *closed → open → half-open → closed or open again*. Pure.
///
/// Ask `admit` before each request and tell `record` how it went. `now` is any monotonic time that all users of one
/// breaker share. Only what says something of the vendor belongs here: a wrong key or a spent quota is the account's.
package struct CircuitBreaker: Hashable, Sendable {
    package struct Policy: Hashable, Sendable {
        /// Newest results that are looked at. 1...64.
        package var window = 20
        /// Results older than this say nothing any more.
        package var memory: Duration = .seconds(30)
        /// Failures in the window that open it, if they are at least `failedPercent` of the results.
        package var failuresMin = 5
        package var failedPercent = 50
        /// How long it stays open the first time; doubled each time a probe fails, up to `openMax`.
        package var openFor: Duration = .seconds(5)
        package var openMax: Duration = .seconds(60)
        /// A probe that nobody tells the end of is forgotten after this.
        package var probeMax: Duration = .seconds(10)
        package init() {}
    }

    package enum State: Hashable, Sendable {
        /// Requests go through.
        case closed
        /// Nothing goes through before `until`; then half-open.
        case open(until: Duration)
        /// One request at a time tries whether the vendor is back: since `probedAt`, nil while none is under way.
        case halfOpen(probedAt: Duration?)
    }

    private struct Result: Hashable {
        var at: Duration
        var hasFailed: Bool
    }

    package let policy: Policy
    package private(set) var state = State.closed
    private var results: [Result] = []
    /// Times it has opened since it was last closed.
    private var openings = 0

    package init(policy: Policy = Policy()) { self.policy = policy }

    /// May a request be made now? In half-open state a yes makes it the probe.
    package mutating func admit(at now: Duration) -> Bool {
        switch state {
        case .closed: return true
        case .open(let until) where now < until: return false
        case .halfOpen(let probedAt?) where now - probedAt < policy.probeMax: return false
        case .open, .halfOpen:
            state = .halfOpen(probedAt: now)
            return true
        }
    }

    /// How a request went. One that was given up for reasons of ours is no result: see `abandon`.
    package mutating func record(hasFailed: Bool, at now: Duration) {
        switch state {
        case .closed:
            results.append(Result(at: now, hasFailed: hasFailed))
            results.removeAll { now - $0.at > policy.memory }
            if results.count > policy.window { results.removeFirst(results.count - policy.window) }
            let failures = results.count { $0.hasFailed }
            if failures >= policy.failuresMin, failures * 100 >= results.count * policy.failedPercent {
                open(at: now)
            }
        case .halfOpen:
            if hasFailed {
                open(at: now)
            } else {
                self = CircuitBreaker(policy: policy)
            }
        case .open: break  // Asked before it opened.
        }
    }

    /// A request ended without saying anything of the vendor: the next may be the probe.
    package mutating func abandon() {
        if case .halfOpen = state { state = .halfOpen(probedAt: nil) }
    }

    private mutating func open(at now: Duration) {
        let doublings = min(openings, 16)
        state = .open(until: now + min(policy.openFor * (1 << doublings), policy.openMax))
        openings += 1
        results = []
    }
}
