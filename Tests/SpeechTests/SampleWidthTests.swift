import Audio
import Foundation
import Testing

@testable import Speech

struct SampleWidthTests {
    /// A voice-like sum of tones, `loudness` of full scale, with silence before.
    private static func sound(_ loudness: Double) -> [Int16] {
        (0..<1600).map { index in
            guard index > 200 else { return 0 }
            let t = Double(index) / 8000
            let wave = sin(2 * .pi * 140 * t) + 0.6 * sin(2 * .pi * 430 * t) + 0.3 * sin(2 * .pi * 1900 * t)
            return Int16(wave / 1.9 * loudness * 32_000)
        }
    }

    @Test(arguments: [0.02, 0.05, 0.2, 0.5, 0.9]) func samplesOfSixteenBitsAreNotPlayedAsMuLaw(
        loudness: Double
    ) {
        let samples = Self.sound(loudness)
        let little = samples.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        let big = samples.flatMap { [UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0)] }
        #expect(Array(little[800..<2400]).isSixteenBit)
        #expect(Array(big[800..<2400]).isSixteenBit)
        let muLaw = MuLaw.encode(samples)
        for start in stride(from: 0, to: 1440, by: 80) {
            #expect(!Array(muLaw[start..<start + 160]).isSixteenBit, "at \(start)")
        }
    }

    @Test func littleSaysNothing() {
        #expect(!Array(repeating: UInt8(0), count: 400).isSixteenBit)
        #expect(!(0..<100).map { $0 % 2 == 0 ? UInt8(0) : 99 }.isSixteenBit)
    }
}
