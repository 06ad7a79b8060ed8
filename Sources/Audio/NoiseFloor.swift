/// How loud a line is when nobody speaks: the least level of the last `windowMs`.
///
/// Steady noise becomes floor within that time and speech, which always dips between words, does not.
/// Source: minimum statistics after R. Martin, "Spectral subtraction based on minimum statistics", 1994.
struct NoiseFloor: Sendable {
    static let windowMs = 3200
    private static let slots = 8
    /// The floor is taken to be at least this loud, in dB of a 16-bit step: digital silence is no reference.
    static let decibelsMin = 26.0
    /// And at most this loud: speech over louder noise is beyond energy alone.
    static let decibelsMax = 62.0

    private(set) var decibels = decibelsMin
    private var elapsedMs = 0
    private var slotLeast = Double.infinity
    /// The least of each earlier slot, oldest overwritten first.
    private var least = SIMD8<Double>(repeating: .infinity)
    private var slot = 0

    mutating func add(_ level: Double, ms: Int) {
        slotLeast = min(slotLeast, level)
        elapsedMs += ms
        if elapsedMs >= Self.windowMs / Self.slots {
            least[slot] = slotLeast
            slot = (slot + 1) % Self.slots
            slotLeast = .infinity
            elapsedMs = 0
        }
        decibels = max(Self.decibelsMin, min(Self.decibelsMax, min(least.min(), slotLeast)))
    }
}
