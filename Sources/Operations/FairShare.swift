package import Base

/// Shares free slots among tenants that wait: deficit round robin by weight. Pure.
///
/// A tenant's turn is worth its weight in slots; what it cannot use is lost, so nobody saves up, and a turn
/// cut short for want of slots goes on with the next ones. One tenant's 100,000 calls do not delay
/// another's one.
package struct FairShare: Sendable {
    package struct Claim: Hashable, Sendable {
        package var tenant: ID<Tenant>
        /// 1...1000
        package var weight: Int
        /// Most it can take: the smaller of its waiting calls and its free slots.
        package var most: Int
        package init(tenant: ID<Tenant>, weight: Int, most: Int) {
            self.tenant = tenant
            self.weight = weight
            self.most = most
        }
    }

    /// A turn that ran out of slots: it goes on with what is left of it.
    private var unfinished: (tenant: ID<Tenant>, credit: Int)?
    /// Whose turn was last: the next round begins behind it.
    private var last: ID<Tenant>?
    package init() {}

    /// How many slots each tenant gets, none more than its `most`, together at most `slots`.
    package mutating func share(_ slots: Int, among claims: [Claim]) -> [ID<Tenant>: Int] {
        var waiting = inTurn(claims.filter { $0.most > 0 })
        var left = slots
        var granted: [ID<Tenant>: Int] = [:]
        while left > 0, !waiting.isEmpty {
            for claim in waiting where left > 0 {
                let credit =
                    unfinished?.tenant == claim.tenant ? unfinished?.credit ?? 0 : max(1, claim.weight)
                let room = claim.most - granted[claim.tenant, default: 0]
                let taken = min(credit, room, left)
                granted[claim.tenant, default: 0] += taken
                left -= taken
                last = claim.tenant
                unfinished = taken < credit && taken < room ? (claim.tenant, credit - taken) : nil
            }
            waiting.removeAll { granted[$0.tenant, default: 0] >= $0.most }
        }
        return granted
    }

    /// By id, beginning with the unfinished turn, or behind the last one.
    private func inTurn(_ claims: [Claim]) -> [Claim] {
        let sorted = claims.sorted { $0.tenant < $1.tenant }
        let start = sorted.firstIndex { claim in
            if let unfinished, claim.tenant == unfinished.tenant { return true }
            return unfinished == nil && last.map { claim.tenant > $0 } ?? false
        }
        guard let start else { return sorted }
        return Array(sorted[start...] + sorted[..<start])
    }
}
