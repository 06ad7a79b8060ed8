/// A tone that is no voice: of the telephone network, of a fax machine, of an answering machine.
package enum LineTone: String, Hashable, Sendable, Codable, CaseIterable {
    case ringback, busy
    /// As busy, twice as fast: no way through.
    case reorder
    /// A fax machine calls (CNG), or answers (CED).
    case faxCalling = "fax_calling"
    case faxAnswering = "fax_answering"
    /// An answering machine's: speak now. Told when it is over.
    case beep
}
