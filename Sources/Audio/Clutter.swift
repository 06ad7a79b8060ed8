/// What is loud on a line and no voice: music on hold, a television, the waves of line noise.
///
/// Owns: how much of the time without voice is loud, and how loud that is. Does not own: what follows from it.
struct Clutter {
    /// The share is a mean over about so much time without voice.
    static let windowMs = 2000
    /// Shares of the way that the loudness goes up and down in 20 ms.
    static let rise = 0.05
    static let fall = 0.01

    /// Share of time without voice that is loud all the same, 0...1.
    private(set) var share: Float = 0
    /// How loud that usually is, dB over floor and echo; rather the louder part of it.
    private(set) var decibels = 0.0

    /// Takes `ms` without voice, `over` dB over floor and echo; nil where it is not loud.
    mutating func learn(_ over: Double?, ms: Int) {
        share += ((over == nil ? 0 : 1) - share) * Float(ms) / Float(Self.windowMs)
        guard let over else { return }
        decibels += (over - decibels) * (over > decibels ? Self.rise : Self.fall)
    }
}
