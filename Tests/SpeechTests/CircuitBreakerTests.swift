import Base
import Testing

@testable import Speech

/// A breaker in a box, as `#expect` calls nothing that mutates.
private final class Box {
    private var breaker = CircuitBreaker()
    var state: CircuitBreaker.State { breaker.state }
    func admit(at now: Duration) -> Bool { breaker.admit(at: now) }
    func record(hasFailed: Bool, at now: Duration) { breaker.record(hasFailed: hasFailed, at: now) }
    func abandon() { breaker.abandon() }
}

struct CircuitBreakerTests {
    private func opened() -> Box {
        let breaker = Box()
        for _ in 0..<5 { breaker.record(hasFailed: true, at: .zero) }
        return breaker
    }

    @Test(arguments: [
        ("https://api.openai.com/v1", "api.openai.com/v1"),
        ("http://me:secret@gpu-1:8000/v1?k=x", "gpu-1:8000/v1"),
        ("https://h/a@b", "h/a@b"), ("", ""),
    ])
    func aBreakersPlaceIsShownWithoutSecrets(host: String, place: String) {
        #expect(
            CircuitBreakers.Key(stage: "llm", vendor: "compatible", product: "m", host: host).place == place)
    }

    @Test func fiveFailuresOpenIt() {
        let breaker = Box()
        for _ in 0..<4 { breaker.record(hasFailed: true, at: .zero) }
        #expect(breaker.admit(at: .zero))
        breaker.record(hasFailed: true, at: .zero)
        #expect(!breaker.admit(at: .seconds(4)))
        #expect(breaker.state == .open(until: .seconds(5)))
    }

    @Test func failuresAmongMoreSuccessesDoNot() {
        let breaker = Box()
        for number in 0..<40 { breaker.record(hasFailed: number % 3 == 0, at: .milliseconds(number)) }
        #expect(breaker.state == .closed)
    }

    @Test func oldFailuresAreForgotten() {
        let breaker = Box()
        for number in 0..<20 { breaker.record(hasFailed: true, at: .seconds(number * 10)) }
        #expect(breaker.state == .closed)
    }

    @Test func oneProbeAtATimeTriesWhetherItIsBack() {
        let breaker = opened()
        #expect(breaker.admit(at: .seconds(5)))
        #expect(!breaker.admit(at: .seconds(6)))
        breaker.record(hasFailed: false, at: .seconds(6))
        #expect(breaker.state == .closed && breaker.admit(at: .seconds(6)))
    }

    @Test func aFailedProbeKeepsItOpenTwiceAsLong() {
        let breaker = opened()
        var now = Duration.seconds(5)
        for seconds in [10, 20, 40, 60, 60] {
            #expect(breaker.admit(at: now))
            breaker.record(hasFailed: true, at: now)
            #expect(breaker.state == .open(until: now + .seconds(seconds)))
            now += .seconds(seconds)
        }
    }

    @Test func aProbeThatIsGivenUpOrForgottenMakesRoomForTheNext() {
        let breaker = opened()
        #expect(breaker.admit(at: .seconds(5)))
        breaker.abandon()
        #expect(breaker.admit(at: .seconds(6)))
        #expect(!breaker.admit(at: .seconds(7)))
        #expect(breaker.admit(at: .seconds(16)))
    }

    @Test func whatOneCallLearnsOfAVendorAllKnow() {
        let breakers = CircuitBreakers()
        let bad = CircuitBreakers.Key(stage: "llm", vendor: "a", product: "m")
        for _ in 0..<5 { breakers.record(bad, hasFailed: true, at: .zero) }
        #expect(!breakers.admit(bad, at: .seconds(1)))
        #expect(breakers.admit(.init(stage: "llm", vendor: "a", product: "n"), at: .seconds(1)))
    }

    @Test(arguments: 0..<UInt64(200))
    func anOpenBreakerAlwaysLetsAProbeThroughInTheEnd(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let breaker = Box()
        var now = Duration.zero
        for step in 0..<500 {
            now += .milliseconds(Int(random.next() % 3000))
            let isAdmitted = breaker.admit(at: now)
            if case .open(let until) = breaker.state {
                #expect(until - now <= CircuitBreaker.Policy().openMax, "seed \(seed) step \(step)")
            }
            switch random.next() % 3 {
            case 0 where isAdmitted: breaker.record(hasFailed: true, at: now)
            case 1 where isAdmitted: breaker.record(hasFailed: false, at: now)
            default: breaker.abandon()
            }
        }
        #expect(breaker.admit(at: now + CircuitBreaker.Policy().openMax), "seed \(seed)")
    }
}
