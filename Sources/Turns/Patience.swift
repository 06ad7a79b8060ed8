import Base

/// Has the caller been silent for too long? Pure. Counts only while an answer is awaited and nobody has
/// the floor.
package struct Patience: Sendable {
    /// After speech in which no word was recognised, the agent asks again this soon.
    package static let hurriedMs = 2500

    var silenceMs: Int
    private var since: CallTime?
    private(set) var isAwaiting = false
    private var isHurried = false

    init(silenceMs: Int) { self.silenceMs = silenceMs }

    var deadline: CallTime? {
        since.map { $0 + .milliseconds(isHurried ? min(Self.hurriedMs, silenceMs) : silenceMs) }
    }

    mutating func expectAnswer() {
        isAwaiting = true
        isHurried = false
        since = nil
    }

    mutating func stop() {
        isAwaiting = false
        since = nil
    }

    /// Something was said that nobody understood.
    mutating func hurry() { isHurried = true }

    /// Told after every input whether nobody has the floor.
    mutating func update(isQuiet: Bool, at now: CallTime) {
        if !isQuiet || !isAwaiting {
            since = nil
        } else if since == nil {
            since = now
        }
    }

    /// True when the wait is over; then it must be awaited anew.
    mutating func handleDeadline(at now: CallTime) -> Bool {
        guard let deadline, deadline <= now else { return false }
        stop()
        return true
    }
}
