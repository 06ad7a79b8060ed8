import Base

/// What a seed decides, in order.
struct Dice {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    /// True with this probability, 0...1.
    mutating func chance(_ probability: Double) -> Bool {
        guard probability > 0 else { return false }
        return Double(random.next() >> 11) * 0x1p-53 < probability
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(random.next() % UInt64(range.count))
    }

    mutating func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
}

/// A hash of effects that is the same in every process. Source: FNV-1a, eight bytes at a time.
struct EffectsHash: Hashable, Sendable {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func mix(_ number: UInt64) {
        value = (value ^ number) &* 0x0000_0100_0000_01B3
        value ^= value >> 29
    }

    mutating func mix(_ number: Int) { mix(UInt64(bitPattern: Int64(number))) }

    mutating func mix(_ text: String) {
        var chunk: UInt64 = 0
        var count = 0
        for byte in text.utf8 {
            chunk = chunk << 8 | UInt64(byte)
            count += 1
            if count & 7 == 0 { mix(chunk) }
        }
        mix(chunk)
        mix(count)
    }
}
