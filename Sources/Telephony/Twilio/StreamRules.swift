package import Base

/// The order rules of one media stream: what may come when, and how fast. Pure.
package struct StreamRules: Sendable {
    package struct Policy: Sendable {
        /// Messages a second over a long time; a carrier sends 50, and a network may double each.
        package var messagesPerSecond = 125
        /// Messages that may come at once after the network stalled: five seconds of audio.
        package var burst = 250
        package init() {}
    }

    package enum State: Hashable, Sendable { case waiting, streaming, stopped }

    package private(set) var state = State.waiting
    private let policy: Policy
    /// Messages that may still come at once, in thousandths.
    private var credit: Int
    private var creditAt = CallTime.zero

    package init(_ policy: Policy = Policy()) {
        self.policy = policy
        credit = policy.burst * 1000
    }

    /// Counts one message of any kind. - Throws: flood
    package mutating func count(at now: CallTime) throws(MediaViolation) {
        let elapsed = min(max(0, (now - creditAt).milliseconds), 60_000)
        if elapsed > 0 {
            credit = min(policy.burst * 1000, credit + Int(elapsed) * policy.messagesPerSecond)
            creditAt = now
        }
        credit -= 1000
        if credit < 0 { throw MediaViolation(.policy, "flood") }
    }

    /// - Throws: second_start, message_after_stop
    package mutating func start() throws(MediaViolation) {
        switch state {
        case .waiting: state = .streaming
        case .streaming: throw MediaViolation(.protocolError, "second_start")
        case .stopped: throw MediaViolation(.protocolError, "message_after_stop")
        }
    }

    /// A message that needs a running stream. - Throws: `<what>_before_start`, wrong_stream
    package func check(_ what: StaticString, isOurStream: Bool) throws(MediaViolation) {
        guard state != .waiting else { throw MediaViolation(.protocolError, "\(what)_before_start") }
        guard isOurStream else { throw MediaViolation(.protocolError, "wrong_stream") }
    }

    package mutating func stop() { state = .stopped }
}
