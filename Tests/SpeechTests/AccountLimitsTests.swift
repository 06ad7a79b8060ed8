import Base
import Testing

@testable import Speech

struct AccountLimitsTests {
    private func account(
        _ product: String, stage: String = "llm", host: String = "a", credential: String = "k"
    ) -> AccountLimits.Account {
        AccountLimits.Account(
            tenant: ID(high: 1, low: 1),
            asked: CircuitBreakers.Key(stage: stage, vendor: "openai", product: product, host: host),
            credential: Redacted(credential))
    }

    private func blocked(_ fault: Fault, at product: AccountLimits.Account) -> (AccountLimits.Account) -> Bool
    {
        let limits = AccountLimits()
        limits.note(fault, of: product, at: .zero)
        return { limits.block($0, at: .milliseconds(500)) != nil }
    }

    /// What says nothing of the account leaves its other models to be asked.
    @Test(arguments: [(403, "llm.forbidden"), (429, "llm.rate_limited")])
    func aModelThatMayNotBeAskedIsNoOtherModel(status: Int, code: String) {
        let fault = ModelFaults.status(status, VendorAnswer(["retry-after": "5"]), name: nil, now: .wall)
        #expect(fault.code == code)
        let isBlocked = blocked(fault, at: account("luna"))
        #expect(isBlocked(account("luna")))
        #expect(!isBlocked(account("sol")))
    }

    @Test(arguments: [401, 402])
    func anAccountThatIsRefusedIsRefusedForAllModelsUntilItHasAnotherKey(status: Int) {
        let isBlocked = blocked(
            ModelFaults.status(status, VendorAnswer(), name: nil, now: .wall), at: account("luna"))
        #expect(isBlocked(account("luna")) && isBlocked(account("sol")))
        #expect(!isBlocked(account("luna", credential: "new")))
        #expect(!isBlocked(account("luna", host: "b")))
        #expect(!isBlocked(account("luna", stage: "stt")))
    }

    @Test func aSpeechVendorsRateLimitIsTheWholeAccounts() {
        let isBlocked = blocked(VendorFaults(stage: "tts").status(429), at: account("one", stage: "tts"))
        #expect(isBlocked(account("one", stage: "tts")) && isBlocked(account("two", stage: "tts")))
    }
}
