package import Base

/// How money moves. Every entry's postings sum to zero; an entry is written once under its key and never
/// changed.
///
/// Owns: which accounts an event touches, and by how much. Does not own: rating (`Settlement`), storage
/// (`LedgerStore`).
package enum Ledger {
    /// A tenant's accounts. What the tenant owns is positive in `available` and `held`; what it owes is
    /// negative in `debt`.
    package enum Account: String, Hashable, Sendable, CaseIterable {
        /// Money that can be held for a call.
        case available
        /// Money set aside for live calls.
        case held
        /// What settlements took beyond the tenant's money; paid first by the next top-up.
        case debt
        /// What the platform earned from the tenant.
        case revenue
        /// Where money comes from: the other side of top-ups.
        case funding
    }

    /// One account's change in an entry.
    package struct Posting: Hashable, Sendable {
        package var account: Account
        package var amount: Money
        package init(_ account: Account, _ amount: Money) {
            self.account = account
            self.amount = amount
        }
    }

    /// What the tenant has: cached beside the postings, always their sums.
    package struct Balances: Hashable, Sendable {
        package var available: Money
        package var held: Money
        /// Zero or negative.
        package var debt: Money
        package init(available: Money = .zero, held: Money = .zero, debt: Money = .zero) {
            self.available = available
            self.held = held
            self.debt = debt
        }
        package var total: Money { available + held + debt }

        package mutating func apply(_ postings: [Posting]) {
            for posting in postings {
                switch posting.account {
                case .available: available += posting.amount
                case .held: held += posting.amount
                case .debt: debt += posting.amount
                case .revenue, .funding: break
                }
            }
        }
    }

    /// Sets funds aside; nil when the tenant does not have them. A tenant in debt has nothing to set aside.
    package static func hold(_ amount: Money, from balances: Balances) -> [Posting]? {
        guard amount >= .zero, balances.debt == .zero, balances.available >= amount else { return nil }
        return clean([Posting(.available, -amount), Posting(.held, amount)])
    }

    /// Pays for a finished call and returns the rest of its hold. Never fails: what the hold does not cover
    /// is taken from the available money, and what that does not cover becomes debt.
    package static func settlement(of held: Money, charge: Money, balances: Balances) -> [Posting] {
        let captured = min(charge, held)
        let excess = charge - captured
        let paid = min(excess, max(.zero, balances.available))
        return clean([
            Posting(.held, -held), Posting(.available, held - captured - paid), Posting(.debt, paid - excess),
            Posting(.revenue, charge),
        ])
    }

    /// Adds money; debt is paid first.
    package static func topUp(_ amount: Money, balances: Balances) -> [Posting] {
        let repaid = min(amount, -balances.debt)
        return clean([
            Posting(.funding, -amount), Posting(.debt, repaid), Posting(.available, amount - repaid),
        ])
    }

    package static func isBalanced(_ postings: [Posting]) -> Bool {
        postings.reduce(Money.zero) { $0 + $1.amount } == .zero
    }

    private static func clean(_ postings: [Posting]) -> [Posting] { postings.filter { $0.amount != .zero } }
}
