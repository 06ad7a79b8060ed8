package import Base

/// Which keys were pressed, when both the carrier tells of them and their tones are heard? Pure.
///
/// Whichever comes first counts, the other telling of the same press does not. A carrier that has told of one press tells
/// of all: from then on tones are not taken.
package struct Keypad: Sendable {
    /// Between a press that was heard and the carrier's telling of it, at most.
    package static let twinMs = 2000
    /// Heard presses that the carrier may yet tell of.
    package static let heardMax = 32

    private var heard: [(key: String, at: CallTime)] = []
    private var doesCarrierTell = false

    package init() {}

    /// By the carrier. False when the same press was heard before.
    package mutating func told(_ key: String, at now: CallTime) -> Bool {
        doesCarrierTell = true
        heard.removeAll { now - $0.at > .milliseconds(Self.twinMs) }
        guard let index = heard.firstIndex(where: { $0.key == key }) else { return true }
        heard.removeSubrange(...index)
        return false
    }

    /// As tones. False when they do not count.
    package mutating func heard(_ key: String, at now: CallTime) -> Bool {
        guard !doesCarrierTell else { return false }
        heard.removeAll { now - $0.at > .milliseconds(Self.twinMs) }
        guard heard.count < Self.heardMax else { return false }
        heard.append((key, now))
        return true
    }
}
