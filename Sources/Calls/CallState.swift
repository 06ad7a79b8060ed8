/// Where a call is in its life, as the platform stores it. Forward only; a call ends from anywhere, once.
package enum CallState: String, Hashable, Sendable, Codable, CaseIterable {
    /// Admitted and funded, waiting for a worker.
    case queued
    /// A worker holds it.
    case claimed
    /// Outbound: the carrier is about to be told to dial. From here on it is never dialled again.
    case dialing
    /// The other side rings.
    case ringing
    /// Media has started.
    case inProgress = "in_progress"
    /// Has its `EndReason`. Nothing follows.
    case ended

    private var order: Int {
        switch self {
        case .queued: 0
        case .claimed: 1
        case .dialing: 2
        case .ringing: 3
        case .inProgress: 4
        case .ended: 5
        }
    }

    /// Steps may be skipped (an inbound call never dials), never taken back. A state does not follow
    /// itself.
    package func canBecome(_ next: CallState) -> Bool { order < next.order }

    /// States from which `self` may be reached, for `UPDATE … WHERE state IN (…)`.
    package var predecessors: [CallState] { Self.allCases.filter { $0.canBecome(self) } }

    package var hasEnded: Bool { self == .ended }
}
