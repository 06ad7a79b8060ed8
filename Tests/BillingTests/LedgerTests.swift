import Base
import Billing
import Testing

private let dollar = Money.dollars(1)

@Test func aHoldIsCapturedOnceAndRepeatsChangeNothing() throws {
    var hold = Hold(amount: dollar)
    try hold.capture(Money(nanos: 400))
    try hold.capture(Money(nanos: 400))
    #expect(hold.state == .captured(Money(nanos: 400)))
    #expect(throws: Hold.Failure(code: .holdAlreadyClosed)) { try hold.capture(Money(nanos: 401)) }
    #expect(throws: Hold.Failure(code: .holdAlreadyClosed)) { try hold.extend(by: dollar) }
}

@Test func aHoldIsNotCapturedBeyondItsAmountAndAFreeCallReleasesIt() throws {
    var hold = Hold(amount: dollar)
    #expect(throws: Hold.Failure(code: .captureExceedsHold)) { try hold.capture(dollar + dollar) }
    try hold.capture(.zero)
    try hold.capture(.zero)
    #expect(hold.state == .released)
}

@Test func everyExtensionPaysForOneMoreMinute() throws {
    var hold = Hold(amount: dollar)
    #expect(hold.fundedMs == 60_000)
    try hold.extend(by: dollar)
    #expect(hold.fundedMs == 120_000)
    #expect(hold.amount == .dollars(2))
}

/// available, debt, held, charge → available, debt after settlement (dollars)
@Test(arguments: [
    (10, 0, 3, 2, 11, 0),
    (10, 0, 3, 3, 10, 0),
    (10, 0, 3, 0, 13, 0),
    (10, 0, 3, 5, 8, 0),
    (1, 0, 3, 5, 0, -1),
    (0, -2, 3, 5, 0, -4),
    (0, 0, 0, 5, 0, -5),
])
func settlementPaysFromTheHoldThenTheWalletThenDebt(
    available: Int64, debt: Int64, held: Int64, charge: Int64, availableAfter: Int64, debtAfter: Int64
) {
    var balances = Ledger.Balances(available: .dollars(available), held: .dollars(held), debt: .dollars(debt))
    let postings = Ledger.settlement(of: .dollars(held), charge: .dollars(charge), balances: balances)
    balances.apply(postings)
    #expect(Ledger.isBalanced(postings))
    #expect(balances == Ledger.Balances(available: .dollars(availableAfter), debt: .dollars(debtAfter)))
}

@Test func aTopUpPaysDebtFirst() {
    var balances = Ledger.Balances(debt: .dollars(-3))
    balances.apply(Ledger.topUp(.dollars(2), balances: balances))
    #expect(balances == Ledger.Balances(debt: .dollars(-1)))
    balances.apply(Ledger.topUp(.dollars(5), balances: balances))
    #expect(balances == Ledger.Balances(available: .dollars(4)))
}

@Test func nothingIsHeldThatIsNotThere() {
    #expect(Ledger.hold(dollar, from: Ledger.Balances(available: Money(nanos: 999_999_999))) == nil)
    #expect(Ledger.hold(dollar, from: Ledger.Balances(available: .dollars(5), debt: Money(nanos: -1))) == nil)
    #expect(Ledger.hold(dollar, from: Ledger.Balances(available: dollar))?.count == 2)
}

@Test(arguments: 0..<UInt64(200))
func moneyIsNeverMadeNorLost(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var balances = Ledger.Balances()
    var others = Money.zero
    var holds: [Money] = []
    for step in 0..<300 {
        var postings: [Ledger.Posting] = []
        let amount = Money(nanos: .random(in: 1...3_000_000_000, using: &random))
        switch Int.random(in: 0..<4, using: &random) {
        case 0: postings = Ledger.topUp(amount, balances: balances)
        case 1:
            guard let placed = Ledger.hold(amount, from: balances) else { continue }
            postings = placed
            holds.append(amount)
        default:
            guard let held = holds.popLast() else { continue }
            postings = Ledger.settlement(of: held, charge: amount, balances: balances)
        }
        #expect(Ledger.isBalanced(postings), "seed \(seed) step \(step)")
        balances.apply(postings)
        others += postings.filter { $0.account == .revenue || $0.account == .funding }.reduce(.zero) {
            $0 + $1.amount
        }
        #expect(balances.total + others == .zero, "seed \(seed) step \(step)")
        #expect(balances.held == holds.reduce(.zero, +), "seed \(seed) step \(step)")
        #expect(balances.available >= .zero && balances.debt <= .zero, "seed \(seed) step \(step)")
    }
}
