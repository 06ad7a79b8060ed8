import Base
import Metrics
import Synchronization

/// The breakers of one worker, by vendor and product: what one call learns of a vendor, all know.
///
/// `/metrics` shows `parley_breaker_state` (0 closed, 1 half-open, 2 open) and `parley_breaker_opened_total` of each.
package final class CircuitBreakers: Sendable {
    /// Breakers beyond this are not kept: requests go through.
    package static let breakersMax = 1000

    /// What a breaker is about. `stage`: stt, llm or tts; `product`: the model; `host`: where it was asked.
    package struct Key: Hashable, Sendable {
        package var stage: String
        package var vendor: String
        package var product: String
        package var host: String
        package init(stage: String, vendor: String, product: String, host: String = "") {
            self.stage = stage
            self.vendor = vendor
            self.product = product
            self.host = host
        }

        /// `host` as it may be shown: without scheme, and without a name and password in it.
        var place: String {
            let rest = host.firstRange(of: "://").map { host[$0.upperBound...] } ?? host[...]
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            let shown = authority.lastIndex(of: "@").map { rest[rest.index(after: $0)...] } ?? rest
            return String(shown.prefix { $0 != "?" })
        }
        var choice: ModelChoice { ModelChoice(vendor: vendor, model: product) }
    }

    private let policy: CircuitBreaker.Policy
    private let breakers = Mutex<[Key: CircuitBreaker]>([:])

    package init(policy: CircuitBreaker.Policy = .init()) { self.policy = policy }

    package func admit(_ key: Key, at now: Duration) -> Bool {
        var isAdmitted = true
        change(key) { isAdmitted = $0.admit(at: now) }
        return isAdmitted
    }

    package func record(_ key: Key, hasFailed: Bool, at now: Duration) {
        change(key) { $0.record(hasFailed: hasFailed, at: now) }
    }

    package func abandon(_ key: Key) { change(key) { $0.abandon() } }

    /// Is nobody to ask there now? Unlike `admit` the question changes nothing.
    package func isOpen(_ key: Key, at now: Duration) -> Bool {
        if case .open(let until) = state(key) { now < until } else { false }
    }

    package func state(_ key: Key) -> CircuitBreaker.State { breakers.withLock { $0[key]?.state ?? .closed } }

    private func change(_ key: Key, _ body: (inout CircuitBreaker) -> Void) {
        let states = breakers.withLock { breakers -> (CircuitBreaker.State, CircuitBreaker.State)? in
            guard breakers[key] != nil || breakers.count < Self.breakersMax else { return nil }
            var breaker = breakers[key] ?? CircuitBreaker(policy: policy)
            let before = breaker.state
            body(&breaker)
            breakers[key] = breaker
            return (before, breaker.state)
        }
        if let states, states.0.number != states.1.number { show(key, states.1) }
    }

    private func show(_ key: Key, _ state: CircuitBreaker.State) {
        let labels = [
            ("stage", key.stage), ("vendor", key.vendor), ("product", key.product), ("host", key.place),
        ]
        Gauge(label: "parley_breaker_state", dimensions: labels).record(state.number)
        if state.number == 2 {
            Counter(label: "parley_breaker_opened_total", dimensions: labels).increment()
        }
    }
}

extension CircuitBreaker.State {
    /// As `/metrics` shows it.
    fileprivate var number: Int {
        switch self {
        case .closed: 0
        case .halfOpen: 1
        case .open: 2
        }
    }
}
