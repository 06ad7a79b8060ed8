import CSilero

/// The probability that a chunk of 32 ms holds speech, by the Silero network: 8 or 16 kHz, mono.
///
/// Owns: one call's place in the stream (recurrent state, context, the chunk in the making). Does not own: what a
/// probability means (`SpeechDetector`), where the weights come from (`deploy/models`).
/// Near silence is shown to the network until it has settled, then no more: silence costs nothing. Seconds without
/// speech numb the 8 kHz network, so its state starts anew after both.
package struct SileroVAD: Sendable {
    package struct Policy: Hashable, Sendable {
        /// A chunk quieter than this is silence, in dB of a 16-bit step (`Level.decibels`). The idle noise of a
        /// µ-law line is up to 18, speech over 40.
        package var gateDecibels = 20.0
        /// Silence that the network is still shown: the end of a word takes it about so long.
        package var settleMs = 256
        /// The state starts anew after so long without a likely chunk.
        package var resetMs = 2000
        /// What counts as likely there.
        package var likely: Float = 0.15
        package init() {}
    }

    /// The network's numbers for both rates: made once a process, shared by all calls.
    package final class Weights: Sendable {
        package struct Failure: Error, Hashable, CustomStringConvertible {
            package let description: String
        }
        /// In the directory that `PARLEY_MODELS` names.
        package static let fileName = "silero-vad.bin"
        static let magic = Array("PRLYVAD1".utf8)
        let narrow: Network
        let wide: Network

        /// `file`: what `deploy/models` makes; the layout is described there.
        ///
        /// `isPortable` keeps to instructions that every processor has; else the best this one has are used.
        /// - Throws: `Failure` when it is not that file.
        package init(file: [UInt8], isPortable: Bool = false) throws(Failure) {
            guard file.starts(with: Self.magic) else { throw Failure(description: "not a file of weights") }
            var at = Self.magic.count
            narrow = try Self.network(file, &at, rateHz: 8000, isPortable: isPortable)
            wide = try Self.network(file, &at, rateHz: 16_000, isPortable: isPortable)
            guard at == file.count else { throw Failure(description: "too long") }
        }

        private static func network(
            _ file: [UInt8], _ at: inout Int, rateHz: Int, isPortable: Bool
        ) throws(Failure) -> Network {
            let count = silero_number_count(Int32(rateHz))
            guard file.count >= at + 8 + count * 4 else { throw Failure(description: "too short") }
            guard word(file, at) == rateHz, word(file, at + 4) == count else {
                throw Failure(description: "other weights than those for \(rateHz) Hz")
            }
            let first = at + 8
            let numbers = (0..<count).map { Float(bitPattern: UInt32(word(file, first + $0 * 4))) }
            guard numbers.allSatisfy(\.isFinite), let network = Network(numbers, rateHz, isPortable) else {
                throw Failure(description: "damaged")
            }
            at = first + count * 4
            return network
        }

        private static func word(_ file: [UInt8], _ at: Int) -> Int {
            (0..<4).reduce(0) { $0 | Int(file[at + $1]) << (8 * $1) }
        }
    }

    /// The kernel's own copy of the numbers: written when made, read by any thread.
    final class Network: @unchecked Sendable {
        fileprivate let pointer: OpaquePointer

        fileprivate init?(_ numbers: [Float], _ rateHz: Int, _ isPortable: Bool) {
            guard let made = silero_weights_make(numbers, numbers.count, Int32(rateHz), isPortable) else {
                return nil
            }
            pointer = made
        }

        deinit { silero_weights_free(pointer) }
    }

    package static let chunkMs = 32

    package let rateHz: Int
    /// Samples of a chunk: 256 or 512.
    package var chunkSamples: Int { rateHz / 1000 * Self.chunkMs }
    /// The last whole chunk's, 0...1. 0 before the first and for silence.
    package private(set) var probability: Float = 0
    /// Loudness of the last whole chunk, see `Level.decibels`.
    package private(set) var decibels = 0.0
    private let policy: Policy
    private let network: Network
    private var state = silero_state()
    /// The chunk before, then the one in the making.
    private var recent: [Float]
    private var filled = 0
    private var sums = LevelSums()
    private var silentMs = 0
    private var unlikelyMs = 0

    /// `rateHz`: 8000 or 16000; it comes from code, so another traps.
    package init(_ weights: Weights, rateHz: Int = 8000, policy: Policy = Policy()) {
        precondition(rateHz == 8000 || rateHz == 16_000)
        self.rateHz = rateHz
        self.policy = policy
        network = rateHz == 8000 ? weights.narrow : weights.wide
        recent = [Float](repeating: 0, count: 2 * (rateHz / 1000 * Self.chunkMs))
    }

    /// Samples that the chunk in the making still takes.
    package var room: Int { chunkSamples - filled }

    /// Takes `room` samples at most; true when a chunk is whole and `probability` is its.
    package mutating func take(_ samples: UnsafeBufferPointer<Int16>) -> Bool {
        precondition(samples.count <= room, "more than the chunk has room for")
        let start = chunkSamples + filled
        recent.withUnsafeMutableBufferPointer { recent in
            for (index, sample) in samples.enumerated() {
                recent[start + index] = Float(sample) * (1 / 32768)
            }
        }
        sums.add(samples)
        filled += samples.count
        guard filled == chunkSamples else { return false }
        endChunk()
        return true
    }

    /// The probability for the last 32 ms, wherever the chunk stands: a look ahead of the chunk's end that leaves no
    /// trace. Costs as much as a chunk.
    package func glimpse() -> Float {
        let context = chunkSamples / 8
        guard filled >= context else { return probability }
        var copy = state
        return recent.withUnsafeBufferPointer { recent in
            silero_set_context(network.pointer, &copy, recent.baseAddress.map { $0 + filled - context })
            return silero_run(network.pointer, &copy, recent.baseAddress.map { $0 + filled })
        }
    }

    /// `Voicing.strength` of the last 20 ms, wherever the chunk stands; 8 kHz alone.
    var voicing: Float {
        recent.withUnsafeBufferPointer { recent in
            let end = filled + chunkSamples
            return Voicing.strength(of: UnsafeBufferPointer(rebasing: recent[end - Voicing.samples..<end]))
        }
    }

    private mutating func endChunk() {
        defer {
            recent.withUnsafeMutableBufferPointer { [chunkSamples] recent in
                for index in 0..<chunkSamples { recent[index] = recent[chunkSamples + index] }
            }
            filled = 0
        }
        decibels = sums.decibels
        sums = LevelSums()
        silentMs = decibels < policy.gateDecibels ? silentMs + Self.chunkMs : 0
        guard silentMs <= policy.settleMs else {
            probability = 0
            return state = silero_state()
        }
        probability = recent.withUnsafeBufferPointer {
            silero_run(network.pointer, &state, $0.baseAddress.map { $0 + chunkSamples })
        }
        unlikelyMs = probability < policy.likely ? unlikelyMs + Self.chunkMs : 0
        guard unlikelyMs >= policy.resetMs else { return }
        unlikelyMs = 0
        state = silero_state()
    }
}
