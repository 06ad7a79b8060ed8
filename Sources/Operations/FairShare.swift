package import Base

/// Shares free slots among tenants that wait: deficit round robin by weight. Pure.
///
/// A tenant's turn adds its weight to what it may take; what it cannot use is forgotten when it stops waiting, so
/// nobody saves up. One tenant's 100,000 calls do not delay another's one.
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

    private var deficits: [ID<Tenant>: Int] = [:]
    /// Whose turn was last: the next round begins behind it.
    private var last: ID<Tenant>?
    package init() {}

    /// How many slots each tenant gets, none more than its `most`, together at most `slots`.
    package mutating func share(_ slots: Int, among claims: [Claim]) -> [ID<Tenant>: Int] {
        var waiting = claims.filter { $0.most > 0 }.sorted { $0.tenant < $1.tenant }
        if let last, let start = waiting.firstIndex(where: { $0.tenant > last }) {
            waiting = Array(waiting[start...] + waiting[..<start])
        }
        let present = Set(waiting.map(\.tenant))
        deficits = deficits.filter { present.contains($0.key) }
        var left = slots
        var granted: [ID<Tenant>: Int] = [:]
        while left > 0, !waiting.isEmpty {
            for index in waiting.indices where left > 0 {
                let claim = waiting[index]
                let credit = deficits[claim.tenant, default: 0] + max(1, claim.weight)
                let taken = min(credit, claim.most - granted[claim.tenant, default: 0], left)
                granted[claim.tenant, default: 0] += taken
                // Cut short by the slots, not by its own calls: the rest of its turn is still its own.
                deficits[claim.tenant] = taken == left ? max(0, credit - taken - claim.weight) : credit - taken
                left -= taken
                last = claim.tenant
            }
            waiting.removeAll { granted[$0.tenant, default: 0] >= $0.most }
        }
        for (tenant, count) in granted where claims.contains(where: { $0.tenant == tenant && $0.most == count }) {
            deficits[tenant] = nil
        }
        return granted
    }
}
