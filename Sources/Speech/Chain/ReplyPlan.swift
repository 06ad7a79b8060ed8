/// What may be done to answer one turn of the caller: with how many requests. Pure.
///
/// Preemption, hedging, fallback and the choice of the model all draw on the one budget of a turn, so that together
/// they cannot cost more than it says. The request that answers the turn is never refused.
package struct ReplyPlan: Hashable, Sendable {
    /// Requests of one turn beside those that answer it, if nothing else is said.
    package static let requestsMax = 6
    /// Of them, how many may be drafts: a turn that was guessed at twice in vain, each time going on after tools that only read,
    /// can still fall back.
    package static let draftsMax = 4

    package enum Purpose: Hashable, Sendable, CaseIterable {
        /// Answers the turn, or goes on after a tool.
        case reply
        /// Begun before the turn is over.
        case draft
        /// A second model, because the first is slow.
        case hedge
        /// Another model, or the same again, because one failed; also in the middle of a reply.
        case fallback
    }

    /// The caller's turn, from 1.
    package let turn: Int
    package let requestsMax: Int
    private var made: [Purpose: Int] = [:]

    package init(turn: Int, requestsMax: Int = ReplyPlan.requestsMax) {
        self.turn = turn
        self.requestsMax = requestsMax
    }

    package func made(_ purpose: Purpose) -> Int { made[purpose] ?? 0 }

    /// Requests that drew on the budget so far.
    package var spent: Int { made(.draft) + made(.hedge) + made(.fallback) }

    /// May a request of this purpose be made? A yes counts it.
    package mutating func take(_ purpose: Purpose) -> Bool {
        switch purpose {
        case .reply: break
        case .draft:
            guard made(.draft) < Self.draftsMax, spent < requestsMax else { return false }
        case .hedge, .fallback:
            guard spent < requestsMax else { return false }
        }
        made[purpose, default: 0] += 1
        return true
    }

    /// A request that was counted was not made after all.
    package mutating func giveBack(_ purpose: Purpose) {
        made[purpose] = max(0, made(purpose) - 1)
    }
}
