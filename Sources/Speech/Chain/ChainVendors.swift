import Base

/// The vendors of one call's recognition or synthesis: which may be asked now, and what other calls learn from them.
struct ChainVendors: Sendable {
    let keys: [CircuitBreakers.Key]
    let credentials: [Redacted<String>]
    let tenant: ID<Tenant>
    let breakers: CircuitBreakers
    let accounts: AccountLimits

    private func account(_ index: Int) -> AccountLimits.Account {
        AccountLimits.Account(tenant: tenant, asked: keys[index], credential: credentials[index])
    }

    /// Why the tenant's account there is not to be asked now, with the time left; nil when it may.
    func block(_ index: Int, at now: Duration) -> Fault? { accounts.block(account(index), at: now) }

    /// Why another is asked in its place, unasked.
    func passedOver(_ index: Int, at now: Duration) -> Fault {
        block(index, at: now)
            ?? VendorFaults(stage: keys[index].stage).after(.zero, "unavailable", "it has failed of late")
    }

    /// As `admits`, but the question changes nothing.
    func isWell(_ index: Int, at now: Duration) -> Bool {
        !breakers.isOpen(keys[index], at: now) && block(index, at: now) == nil
    }

    func admits(_ index: Int, at now: Duration) -> Bool {
        block(index, at: now) == nil && breakers.admit(keys[index], at: now)
    }

    func worked(_ index: Int, at now: Duration) { breakers.record(keys[index], hasFailed: false, at: now) }

    /// What it does says nothing of it: it was left before it was done.
    func abandon(_ index: Int) { breakers.abandon(keys[index]) }

    /// `wasAsked`: false where its account was known to be at its limit.
    func failed(_ fault: Fault, _ index: Int, wasAsked: Bool, at now: Duration) {
        if wasAsked { accounts.note(fault, of: account(index), at: now) }
        if wasAsked, fault.retry != .never, AccountLimits.accusesVendor(fault) {
            breakers.record(keys[index], hasFailed: true, at: now)
        } else {
            abandon(index)
        }
    }
}
