package import Base
import Synchronization

/// Which accounts of tenants at vendors are to be left alone, and until when, as a worker's calls have learned: a limit
/// that one has reached is nobody else's, and says nothing of the vendor.
///
/// A key that is refused and money that is spent are the whole account's. A model that the account may not use is one
/// product's, and so is the rate limit of a language model (vendors count them apart); of speech it is the account's.
package final class AccountLimits: Sendable {
    /// One whose key is refused or whose money is spent is asked again after this.
    package static let refusedPause: Duration = .seconds(30)
    /// Entries beyond this are not kept.
    package static let accountsMax = 100_000

    /// What is asked there, by whom: another credential is another account. The stages' quotas are apart.
    package struct Account: Hashable, Sendable {
        package var tenant: ID<Tenant>
        package var asked: CircuitBreakers.Key
        package var credential: Redacted<String>
        package init(tenant: ID<Tenant>, asked: CircuitBreakers.Key, credential: Redacted<String>) {
            self.tenant = tenant
            self.asked = asked
            self.credential = credential
        }

        /// The account itself, whatever is asked there.
        fileprivate var whole: Account {
            var whole = self
            whole.asked.product = ""
            return whole
        }
    }

    private let blocked = Mutex<[Account: (until: Duration, fault: Fault)]>([:])

    package init() {}

    /// Why the account is not to be asked for that now, with the time left; nil when it may.
    package func block(_ account: Account, at now: Duration) -> Fault? {
        standing(account.whole, at: now) ?? standing(account, at: now)
    }

    private func standing(_ account: Account, at now: Duration) -> Fault? {
        blocked.withLock { blocked in
            guard let block = blocked[account] else { return nil }
            guard now < block.until else {
                blocked[account] = nil
                return nil
            }
            var fault = block.fault
            if fault.retry != .never { fault.retry = .after(block.until - now) }
            return fault
        }
    }

    /// The account was asked and failed so: `stage.code`.
    package func note(_ fault: Fault, of account: Account, at now: Duration) {
        switch Self.name(fault) {
        case "rate_limited":
            guard case .after(let pause) = fault.retry else { return }
            let isModel = account.asked.stage == "llm"
            block(isModel ? account : account.whole, fault, until: now + pause, at: now)
        case "forbidden": block(account, fault, until: now + Self.refusedPause, at: now)
        case "unauthorized", "quota":
            block(account.whole, fault, until: now + Self.refusedPause, at: now)
        default: break
        }
    }

    /// Does it say something of the vendor, rather than of the account or of what was asked?
    package static func accusesVendor(_ fault: Fault) -> Bool {
        switch name(fault) {
        case "rate_limited", "unauthorized", "forbidden", "quota", "not_found", "bad_request", "too_long",
            "refused",
            "bad_tool_call", "unknown_tool":
            false
        default: true
        }
    }

    private static func name(_ fault: Fault) -> Substring {
        fault.code.split(separator: ".", maxSplits: 1).last ?? ""
    }

    private func block(_ account: Account, _ fault: Fault, until: Duration, at now: Duration) {
        blocked.withLock { blocked in
            if blocked.count >= Self.accountsMax { blocked = blocked.filter { $0.value.until > now } }
            guard blocked.count < Self.accountsMax else { return }
            let before = blocked[account]?.until ?? .zero
            if until > before { blocked[account] = (until, fault) }
        }
    }
}
