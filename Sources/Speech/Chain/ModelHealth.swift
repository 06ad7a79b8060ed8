package import Base
import Metrics
import NIOCore
import Synchronization

/// What a worker's calls have learned of the models they ask: pace and connections; beside breakers and accounts.
package final class ModelHealth: Sendable {
    /// A model that has been silent for so long when another began in its place counts as failed.
    package static let stuckMin = FirstTokenPace.patienceMax
    /// A connection that has not been used for so long may be gone: libcurl lets go of it after 118 s, servers often
    /// after 60.
    package static let connectionMax: Duration = .seconds(50)
    /// Entries beyond this are not kept.
    package static let pacesMax = 1000

    private struct State {
        var paces: [CircuitBreakers.Key: FirstTokenPace] = [:]
        /// When a connection to a host was last asked for.
        var connected: [String: Duration] = [:]
    }

    package let breakers: CircuitBreakers
    package let accounts: AccountLimits
    private let state = Mutex(State())

    package init(breakers: CircuitBreakers = CircuitBreakers(), accounts: AccountLimits = AccountLimits()) {
        self.breakers = breakers
        self.accounts = accounts
    }

    /// How long a first token is waited for before another model is asked.
    package func patience(_ key: CircuitBreakers.Key, isDraft: Bool) -> Duration {
        let pace = state.withLock { $0.paces[key] } ?? FirstTokenPace()
        return isDraft ? pace.draftPatience : pace.patience
    }

    /// From request to first token, of late; nil while nothing is known.
    package func firstToken(_ key: CircuitBreakers.Key) -> Duration? {
        state.withLock { $0.paces[key]?.median }
    }

    /// Is the model worth asking now? Unlike `CircuitBreakers.admit` the question changes nothing.
    package func isWell(
        _ key: CircuitBreakers.Key, _ account: AccountLimits.Account, at now: Duration
    ) -> Bool {
        !breakers.isOpen(key, at: now) && accounts.block(account, at: now) == nil
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
        _ key: CircuitBreakers.Key, _ account: AccountLimits.Account, _ fault: Fault, at now: Duration
    ) {
        accounts.note(fault, of: account, at: now)
        if AccountLimits.accusesVendor(fault) {
            breakers.record(key, hasFailed: true, at: now)
        } else {
            breakers.abandon(key)
        }
    }

    private func note(_ key: CircuitBreakers.Key, _ time: Duration) {
        state.withLock { state in
            guard state.paces[key] != nil || state.paces.count < Self.pacesMax else { return }
            state.paces[key, default: FirstTokenPace()].add(time)
        }
    }
}

extension NIODeadline {
    /// The monotonic time that breakers and chains are told.
    var sinceBoot: Duration { .nanoseconds(Int64(clamping: uptimeNanoseconds)) }
}
