import Base
package import Dispatch

/// How long to wait before connecting again.
package enum Backoff {
    /// After the first failure; doubles up to `pauseMax`.
    package static let pauseMin: Duration = .milliseconds(50)
    package static let pauseMax: Duration = .seconds(2)

    /// From half of it to all of it, at random, so that replicas do not come back in step.
    ///
    /// - Parameter failures: in a row, 1 or more.
    package static func pause(after failures: Int) -> Duration {
        let doublings = min(max(failures - 1, 0), 16)
        return min(pauseMin * (1 << doublings), pauseMax) * Double.random(in: 0.5...1)
    }
}

extension DispatchTime {
    package static func + (time: DispatchTime, wait: Duration) -> DispatchTime {
        time + DispatchTimeInterval.nanoseconds(Int(wait.nanoseconds))
    }
}
