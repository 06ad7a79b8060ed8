/// Where utterances start and end: as the detector's speech, but short gaps between words are bridged.
///
/// For whoever needs an utterance whole, such as a recogniser. Whether the caller is done is not decided here (Turns).
package struct UtteranceEdges: Sendable {
    package enum Edge: Hashable, Sendable { case started, ended }

    /// Quiet that ends an utterance: the gaps inside words and between them are shorter.
    package static let hangoverMs = 200

    package private(set) var isOpen = false
    /// Quiet still to come before the end; nil while the voice sounds.
    private var leftMs: Int?
    /// Perhaps it goes on: the end waits for what it was.
    private var isStirred = false

    package init() {}

    /// So much audio has been heard since the last call.
    package mutating func advance(milliseconds: Int) -> Edge? {
        guard let left = leftMs else { return nil }
        leftMs = left - milliseconds
        guard left <= milliseconds, !isStirred else { return nil }
        leftMs = nil
        isOpen = false
        return .ended
    }

    /// Takes the detector's next event: after `advance` for the audio that brought it.
    package mutating func take(_ event: SpeechDetector.Event) -> Edge? {
        isStirred = event == .stirred
        switch event {
        case .stirred, .settled, .speechFading: return nil
        case .speechStarted:
            leftMs = nil
            defer { isOpen = true }
            return isOpen ? nil : .started
        case .speechEnded(let agoMs):
            leftMs = Self.hangoverMs - agoMs
            return nil
        }
    }
}
