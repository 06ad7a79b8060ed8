package import Base
import Metrics
import NIOCore
import Synchronization

/// What a worker's calls have learned of the models they ask: pace, breakers, and whose account is to be left alone.
package final class ModelHealth: Sendable {
    /// An account whose key is refused or whose money is spent is asked again after this.
    package static let accountPause: Duration = .seconds(30)
    /// A model that has been silent for so long when another began in its place counts as failed.
    package static let stuckMin = FirstTokenPace.patienceMax
    /// A connection that has not been used for so long may be gone: libcurl lets go of it after 118 s, servers often
    /// after 60.
    package static let connectionMax: Duration = .seconds(50)
    /// Entries beyond these are not kept.
    package static let pacesMax = 1000
    package static let accountsMax = 100_000

    /// One tenant's account at one vendor: a limit that it has reached is nobody else's.
    package struct Account: Hashable, Sendable {
        package var tenant: ID<Tenant>
        package var vendor: String
        package init(tenant: ID<Tenant>, vendor: String) {
            self.tenant = tenant
            self.vendor = vendor
        }
    }

    private struct State {
        var paces: [CircuitBreakers.Key: FirstTokenPace] = [:]
        /// When a connection to a host was last asked for.
        var connected: [String: Duration] = [:]
        var blocked: [Account: (until: Duration, fault: Fault)] = [:]
    }

    package let breakers: CircuitBreakers
    private let state = Mutex(State())

    package init(breakers: CircuitBreakers = CircuitBreakers()) { self.breakers = breakers }

    package func patience(_ key: CircuitBreakers.Key) -> Duration {
        state.withLock { $0.paces[key]?.patience ?? FirstTokenPace.patienceMax }
    }

    /// Why the account is not to be asked now, with the time left; nil when it may.
    package func block(_ account: Account, at now: Duration) -> Fault? {
        state.withLock { state in
            guard let block = state.blocked[account] else { return nil }
            guard now < block.until else {
                state.blocked[account] = nil
                return nil
            }
            var fault = block.fault
            if fault.retry != .never { fault.retry = .after(block.until - now) }
            return fault
        }
    }

    /// Should a call that begins now see to it that there is a connection to `host`? A yes counts as done.
    package func isConnectionDue(_ host: String, at now: Duration) -> Bool {
        state.withLock { state in
            if let last = state.connected[host], now - last < Self.connectionMax { return false }
            guard state.connected[host] != nil || state.connected.count < Self.pacesMax else { return false }
            state.connected[host] = now
            return true
        }
    }

    /// The first token came `time` after the request.
    package func began(_ key: CircuitBreakers.Key, after time: Duration, at now: Duration) {
        breakers.record(key, hasFailed: false, at: now)
        note(key, time)
        Metrics.Timer(
            label: "parley_model_first_token_seconds",
            dimensions: [("vendor", key.vendor), ("model", key.product)]
        ).recordNanoseconds(time.nanoseconds)
    }

    /// Another model began first, `time` after this one was asked.
    package func lost(_ key: CircuitBreakers.Key, after time: Duration, at now: Duration) {
        note(key, time)
        if time >= Self.stuckMin {
            breakers.record(key, hasFailed: true, at: now)
        } else {
            breakers.abandon(key)
        }
    }

    package func failed(
        _ key: CircuitBreakers.Key, _ account: Account, _ fault: Fault, at now: Duration
    ) {
        switch fault.code {
        case "llm.rate_limited":
            guard case .after(let pause) = fault.retry else { break }
            block(account, fault, until: now + pause, at: now)
        case "llm.unauthorized", "llm.quota":
            block(account, fault, until: now + Self.accountPause, at: now)
        default: break
        }
        if Self.accuses(fault) {
            breakers.record(key, hasFailed: true, at: now)
        } else {
            breakers.abandon(key)
        }
    }

    /// Does it say something of the vendor, rather than of the account or of what was asked?
    private static func accuses(_ fault: Fault) -> Bool {
        switch fault.code {
        case "llm.rate_limited", "llm.unauthorized", "llm.quota", "llm.not_found", "llm.bad_request",
            "llm.too_long", "llm.refused", "llm.bad_tool_call", "llm.unknown_tool":
            false
        default: true
        }
    }

    private func note(_ key: CircuitBreakers.Key, _ time: Duration) {
        state.withLock { state in
            guard state.paces[key] != nil || state.paces.count < Self.pacesMax else { return }
            state.paces[key, default: FirstTokenPace()].add(time)
        }
    }

    private func block(_ account: Account, _ fault: Fault, until: Duration, at now: Duration) {
        state.withLock { state in
            if state.blocked.count >= Self.accountsMax {
                state.blocked = state.blocked.filter { $0.value.until > now }
            }
            guard state.blocked.count < Self.accountsMax else { return }
            let before = state.blocked[account]?.until ?? .zero
            if until > before { state.blocked[account] = (until, fault) }
        }
    }
}

extension NIODeadline {
    /// The monotonic time that breakers and chains are told.
    var sinceBoot: Duration { .nanoseconds(Int64(clamping: uptimeNanoseconds)) }
}
