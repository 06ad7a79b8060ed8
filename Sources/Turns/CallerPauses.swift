import Base
import Glibc

/// How long does this caller pause within a turn? Pure.
///
/// Learned in the call: from pauses after which the caller went on, and from ends of turn that the caller at
/// once talked over, which were pauses, too.
struct CallerPauses: Hashable, Sendable {
    /// Pauses remembered; the oldest goes first.
    private static let kept = 16
    /// Shorter ones are part of speaking, longer ones of thinking about something else.
    private static let countedMs = 100...3000
    /// What an unknown caller counts as: so many pauses of this length.
    private static let usualMs = 400.0
    private static let usualWeight = 3.0
    /// The wait is never changed by more than this.
    private static let factors = 0.75...2.0

    private var ms = SIMD16<Int32>(repeating: 0)
    private var count = 0
    /// Three quarters of the caller's pauses are no longer than this; nil before the first.
    private(set) var typicalMs: Int?
    /// How much longer (over 1) or shorter this caller is waited for.
    private(set) var factor = 1.0

    /// `weight`: how many observations it stands for.
    mutating func add(_ pause: Duration, weight: Int = 1) {
        let pauseMs = Int(pause.milliseconds)
        guard Self.countedMs.contains(pauseMs) else { return }
        for _ in 0..<weight {
            ms[count % Self.kept] = Int32(pauseMs)
            count += 1
        }
        learn()
    }

    private mutating func learn() {
        let known = min(count, Self.kept)
        var sorted = ms
        for index in 1..<max(2, known) {
            var at = index
            while at > 0, at < known, sorted[at - 1] > sorted[at] {
                let earlier = sorted[at - 1]
                sorted[at - 1] = sorted[at]
                sorted[at] = earlier
                at -= 1
            }
        }
        let typical = Double(sorted[(known - 1) * 3 / 4])
        typicalMs = Int(typical)
        let trust = Double(known) / (Double(known) + Self.usualWeight)
        factor = min(
            max(exp(log(typical / Self.usualMs) * trust), Self.factors.lowerBound), Self.factors.upperBound)
    }
}
