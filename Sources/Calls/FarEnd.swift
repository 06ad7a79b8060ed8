package import Base

/// Is there anybody at the other end of a call we placed? Pure.
///
/// Owns: what a tone means for the call. Does not own: hearing it (`LineTones`).
/// A tone ends only a call that we placed, in its first `watchedMs` and before a word was heard: chords of music on hold
/// are taken for tones now and then.
package struct FarEnd: Sendable {
    /// Connected time after which no tone ends the call.
    package static let watchedMs = 60_000

    private let isOutbound: Bool
    private var watchedUntil: CallTime?

    package init(isOutbound: Bool) { self.isOutbound = isOutbound }

    /// Media flows; `elapsedMs` were connected before.
    package mutating func connected(elapsedMs: Int, at now: CallTime) {
        guard isOutbound else { return }
        watchedUntil = now + .milliseconds(Self.watchedMs - elapsedMs)
    }

    /// Somebody speaks.
    package mutating func heardWords() { watchedUntil = nil }

    /// Why the call is over; nil when it goes on.
    package func heard(_ tone: LineTone, at now: CallTime) -> EndReason? {
        guard let watchedUntil, now < watchedUntil else { return nil }
        return switch tone {
        case .busy, .reorder: .busy
        case .faxCalling, .faxAnswering: .fax
        case .ringback, .beep: nil
        }
    }
}
