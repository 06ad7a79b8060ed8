import Base
import Billing
import Testing

private func rate(nanos: Int64, per: Int64 = 60_000, increment: Int64 = 1, minimum: Int64 = 0) -> Rate {
    Rate(
        component: .telephony, unit: .milliseconds, price: Money(nanos: nanos), per: per,
        increment: increment,
        minimum: minimum)
}

/// price of a minute, increment, minimum, connected ms → units charged, nano-dollars
@Test(arguments: [
    (14_000_000, 1, 0, 0, 0, 0),
    (14_000_000, 1, 0, 60_000, 60_000, 14_000_000),
    (14_000_000, 1, 0, 1, 1, 234),  // 233.3 rounds up
    (14_000_000, 1000, 0, 1, 1000, 233_334),
    (14_000_000, 1000, 0, 61_001, 62_000, 14_466_667),
    (14_000_000, 60_000, 60_000, 1, 60_000, 14_000_000),
    (14_000_000, 60_000, 60_000, 60_001, 120_000, 28_000_000),
    (14_000_000, 6000, 30_000, 7000, 30_000, 7_000_000),
    (14_000_000, 6000, 30_000, 30_001, 36_000, 8_400_000),
    (0, 1000, 0, 61_001, 62_000, 0),
    (1, 1, 0, 1, 1, 1),
])
func chargesInWholeIncrements(
    nanos: Int64, increment: Int64, minimum: Int64, ms: Int64, units: Int64, charge: Int64
) {
    let rate = rate(nanos: nanos, increment: increment, minimum: minimum)
    #expect(rate.billable(ms) == units)
    #expect(rate.charge(for: ms).nanos == charge)
}

@Test func aBrokenMeterIsCappedAndDoesNotTrap() {
    let dear = rate(nanos: 1_000_000_000_000, per: 1)
    #expect(dear.charge(for: .max) == Rate.chargeMax)
    #expect(rate(nanos: 1, per: 1, increment: 86_400_000, minimum: 86_400_000).billable(.max) > 0)
    #expect(dear.charge(for: -5) == .zero)
}

@Test(arguments: 0..<UInt64(200))
func moreIsNeverCheaperAndSplittingNeverSaves(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let rate = rate(
        nanos: .random(in: 0...100_000_000, using: &random), per: .random(in: 1...1_000_000, using: &random),
        increment: .random(in: 1...60_000, using: &random), minimum: .random(in: 0...60_000, using: &random))
    for step in 0..<50 {
        let first = Int64.random(in: 0...10_000_000, using: &random)
        let second = Int64.random(in: 0...10_000_000, using: &random)
        #expect(rate.charge(for: first) <= rate.charge(for: first + second), "seed \(seed) step \(step)")
        #expect(
            rate.charge(for: first + second) <= rate.charge(for: first) + rate.charge(for: second),
            "seed \(seed) step \(step)")
    }
}

@Test func aSourcesOwnRateBeatsTheOneForAny() {
    let book = PriceBook(
        id: PriceBook.standard.id,
        rates: [
            Rate(component: .stt, unit: .milliseconds, price: Money(nanos: 1), per: 1),
            Rate(component: .stt, source: "offline", unit: .milliseconds, price: Money(nanos: 2), per: 1),
        ])
    #expect(book.rate(.stt, source: "offline", unit: .milliseconds)?.price.nanos == 2)
    #expect(book.rate(.stt, source: "other", unit: .milliseconds)?.price.nanos == 1)
    #expect(book.rate(.stt, source: "other", unit: .characters) == nil)
    #expect(book.rate(.tts, source: "offline", unit: .milliseconds) == nil)
}

@Test func everyComponentHasAStandardPricePerMinute() {
    for component in Usage.Component.allCases {
        #expect(PriceBook.standard.rate(component, source: "any", unit: .milliseconds)?.per == 60_000)
    }
    #expect(PriceBook.standard.rates.flatMap(\.problems).isEmpty)
}
