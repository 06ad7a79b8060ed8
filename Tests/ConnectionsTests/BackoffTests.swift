import Connections
import Testing

struct BackoffTests {
    @Test func pausesDoubleUpToTheLongest() {
        let longest = [50, 100, 200, 400, 800, 1600, 2000, 2000].map { Duration.milliseconds($0) }
        for (failures, most) in zip(1..., longest) {
            for _ in 0..<50 { #expect((most / 2...most).contains(Backoff.pause(after: failures))) }
        }
        #expect((Backoff.pauseMax / 2...Backoff.pauseMax).contains(Backoff.pause(after: .max)))
    }

    @Test func thoseWhoFailTogetherComeBackApart() {
        #expect(Set((0..<50).map { _ in Backoff.pause(after: 5) }).count > 1)
    }
}
