package import Base

/// Funds set aside for one live call: *open → captured or released*. The decision; `Ledger` says which
/// money moves.
package struct Hold: Hashable, Sendable {
    /// Connected time one extension pays for.
    package static let interval: Duration = .seconds(60)

    package enum State: Hashable, Sendable {
        /// The call is waiting or live.
        case open
        /// The call ended and cost this much of the hold.
        case captured(Money)
        /// The call ended free.
        case released
    }

    package struct Failure: Error, Hashable, Sendable {
        package enum Code: String, Hashable, Sendable {
            case captureExceedsHold, holdAlreadyClosed
        }
        package var code: Code
        package init(code: Code) { self.code = code }
    }

    package private(set) var amount: Money
    /// Extensions made so far.
    package private(set) var number: Int
    package private(set) var state: State

    package init(amount: Money, number: Int = 0, state: State = .open) {
        self.amount = amount
        self.number = number
        self.state = state
    }

    /// Connected time this hold pays for at the worst-case rate, milliseconds.
    package var fundedMs: Int { (number + 1) * Int(Hold.interval.milliseconds) }

    /// Adds the next interval. The caller has checked that the money is there.
    ///
    /// - Throws: `holdAlreadyClosed`.
    package mutating func extend(by more: Money) throws(Failure) {
        guard case .open = state else { throw Failure(code: .holdAlreadyClosed) }
        amount += more
        number += 1
    }

    /// Closes the hold for `charge`; nothing to pay releases it. Repeating the same capture changes nothing.
    ///
    /// - Throws: `captureExceedsHold`; `holdAlreadyClosed` when closed for another amount.
    package mutating func capture(_ charge: Money) throws(Failure) {
        switch state {
        case .open:
            guard charge <= amount else { throw Failure(code: .captureExceedsHold) }
            state = charge == .zero ? .released : .captured(charge)
        case .captured(let earlier) where earlier == charge:
            break  // The same settlement, delivered again.
        case .released where charge == .zero:
            break
        case .captured, .released:
            throw Failure(code: .holdAlreadyClosed)
        }
    }
}

extension PriceBook {
    /// Units a minute of talk is taken to use at most, where a book prices by something else than time.
    package static let charactersPerMinute: Int64 = 1200
    package static let inputTokensPerMinute: Int64 = 40_000
    package static let outputTokensPerMinute: Int64 = 1500

    /// What `connectedMs` can cost at most: of each component its dearest source, with the rates' own
    /// rounding, so that a hold covers what settlement will charge.
    package func worstCase(connectedMs: Int64, components: Set<Usage.Component>) -> Money {
        components.reduce(.zero) { sum, component in
            let ofComponent = rates.filter { $0.component == component }
            let perSource = Set(ofComponent.map(\.source)).map { source in
                ofComponent.filter { $0.source == source }
                    .reduce(Money.zero) { $0 + $1.charge(for: Self.worstQuantity($1.unit, connectedMs)) }
            }
            return sum + (perSource.max() ?? .zero)
        }
    }

    private static func worstQuantity(_ unit: Usage.Unit, _ connectedMs: Int64) -> Int64 {
        let minutes = { (perMinute: Int64) in (connectedMs * perMinute + 59_999) / 60_000 }
        return switch unit {
        case .milliseconds: connectedMs
        case .characters: minutes(charactersPerMinute)
        case .inputTokens: minutes(inputTokensPerMinute)
        case .outputTokens: minutes(outputTokensPerMinute)
        // Input tokens are counted in full: reading them from a cache is never dearer, and writing them there, a
        // quarter dearer, happens once while they are read many times.
        case .cachedTokens, .cacheWriteTokens: 0
        }
    }

    /// What the hold must have in all to pay for the interval after `hold`: the worst case, and no less
    /// than what has been used already plus the worst case of one interval.
    package func required(for hold: Hold, used: Money, components: Set<Usage.Component>) -> Money {
        let interval = Int64(Hold.interval.milliseconds)
        let planned = worstCase(connectedMs: Int64(hold.fundedMs) + interval, components: components)
        return max(planned, used + worstCase(connectedMs: interval, components: components))
    }
}
