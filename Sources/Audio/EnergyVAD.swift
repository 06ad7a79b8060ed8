/// Hears where speech starts and ends by energy over an adaptive noise floor.
///
/// Owns: the two edges. Does not own: what the edges mean (Turns), words (the recogniser).
/// The floor is the least energy of the last `floorWindowMs`, so steady noise becomes floor within that
/// time and speech, which always dips between words, does not. A DC offset is taken out per frame.
/// Source: minimum statistics after R. Martin, "Spectral subtraction based on minimum statistics", 1994.
package struct EnergyVAD: Sendable {
    package struct Policy: Hashable, Sendable {
        /// dB over the floor that counts as speech while listening for a start. 3...30.
        package var onsetDecibels = 12.0
        /// dB over the floor that still counts as speech once it has started. Below `onsetDecibels`.
        package var holdDecibels = 7.0
        /// The floor is taken to be at least this loud, in dB of a 16-bit step: digital silence is no
        /// reference.
        package var floorMinimumDecibels = 26.0
        /// And at most this loud: speech over noise louder than this is beyond energy alone.
        package var floorMaximumDecibels = 62.0
        /// Loud frames before speech is told to have started. 1...20, 20 ms each.
        package var onsetFrames = 3
        /// Quiet time before speech is told to have ended: what `speechEnded` lags the last sound by.
        package var hangoverMs = 200
        /// Memory of the floor.
        package var floorWindowMs = 3200
        package init() {}
    }

    package enum Edge: Hashable, Sendable { case speechStarted, speechEnded }

    /// 20 ms at 8 kHz.
    package static let frameSamples = 160
    package static let frameMs = 20
    private static let floorSlots = 8

    package let policy: Policy
    package private(set) var isSpeech = false
    /// Loudness of the last whole frame, see `Level.decibels`.
    package private(set) var decibels = 0.0
    package private(set) var floorDecibels: Double
    private var sums = LevelSums()
    private var loudFrames = 0
    private var quietFrames = 0
    private var framesInSlot = 0
    private var slotMinimum = Double.infinity
    /// The minima of earlier slots, oldest overwritten first.
    private var minima = Minima()

    package init(policy: Policy = Policy()) {
        self.policy = policy
        floorDecibels = policy.floorMinimumDecibels
    }

    /// Takes one frame of 160 samples (or any part of one) and tells at most one edge.
    ///
    /// A longer run may hold several edges: use `push`, or the last is returned.
    package mutating func process(_ samples: UnsafeBufferPointer<Int16>) -> Edge? {
        var edge: Edge?
        push(samples) { edge = $0 }
        return edge
    }

    /// As `process`, for µ-law bytes.
    package mutating func process(mulaw bytes: UnsafeBufferPointer<UInt8>) -> Edge? {
        var edge: Edge?
        for byte in bytes {
            sums.add(MuLaw.decode(byte))
            if sums.count == Self.frameSamples, let found = endFrame() { edge = found }
        }
        return edge
    }

    package mutating func process(_ samples: [Int16]) -> Edge? {
        samples.withUnsafeBufferPointer { process($0) }
    }

    /// Takes any number of samples; `tell` is called for each edge in order.
    package mutating func push(_ samples: UnsafeBufferPointer<Int16>, tell: (Edge) -> Void) {
        for sample in samples {
            sums.add(sample)
            if sums.count == Self.frameSamples, let edge = endFrame() { tell(edge) }
        }
    }

    private mutating func endFrame() -> Edge? {
        decibels = sums.decibels
        sums = LevelSums()
        let over = decibels - floorDecibels
        trackFloor()
        return isSpeech ? listenForEnd(over) : listenForStart(over)
    }

    private mutating func listenForStart(_ over: Double) -> Edge? {
        // One quiet frame inside a plosive does not undo an onset; two do.
        loudFrames = over >= policy.onsetDecibels ? loudFrames + 1 : max(0, loudFrames - 2)
        guard loudFrames >= policy.onsetFrames else { return nil }
        isSpeech = true
        loudFrames = 0
        quietFrames = 0
        return .speechStarted
    }

    private mutating func listenForEnd(_ over: Double) -> Edge? {
        quietFrames = over < policy.holdDecibels ? quietFrames + 1 : 0
        guard quietFrames * Self.frameMs >= policy.hangoverMs else { return nil }
        isSpeech = false
        quietFrames = 0
        return .speechEnded
    }

    private mutating func trackFloor() {
        slotMinimum = min(slotMinimum, decibels)
        framesInSlot += 1
        let slotFrames = max(1, policy.floorWindowMs / Self.frameMs / Self.floorSlots)
        if framesInSlot >= slotFrames {
            minima.push(slotMinimum)
            slotMinimum = .infinity
            framesInSlot = 0
        }
        let least = min(minima.least, slotMinimum)
        floorDecibels = min(max(least, policy.floorMinimumDecibels), policy.floorMaximumDecibels)
    }

    /// A ring of eight in one SIMD register: no allocation.
    private struct Minima {
        private var values = SIMD8<Double>(repeating: .infinity)
        private var count = 0
        var least: Double { values.min() }
        mutating func push(_ value: Double) {
            values[count % EnergyVAD.floorSlots] = value
            count += 1
        }
    }
}
