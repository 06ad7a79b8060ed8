/// G.711 µ-law as the outside world computes it; one byte is one sample at 8 kHz.
/// Source: ITU-T G.711 (11/88), table 2.
package enum MuLaw {
    package static let sampleRateHz = 8000
    /// 20 ms.
    package static let frameBytes = 160
    package static let silence: UInt8 = 0xFF

    /// Linear value of each code word, ±32124.
    package static let linear: [Int16] = (0...255).map { code in
        let bits = ~UInt8(code)
        let magnitude = ((Int(bits & 0x0F) << 3) + bias) << Int((bits >> 4) & 7)
        return Int16(bits & 0x80 != 0 ? bias - magnitude : magnitude - bias)
    }

    package static func encode(_ sample: Int16) -> UInt8 {
        let magnitude = min(Int(sample.magnitude), clip) + bias
        let exponent = (Int.bitWidth - 1 - magnitude.leadingZeroBitCount) - 7
        let mantissa = (magnitude >> (exponent + 3)) & 0x0F
        return ~UInt8((sample < 0 ? 0x80 : 0) | exponent << 4 | mantissa)
    }

    package static func encode(_ samples: some Sequence<Int16>) -> [UInt8] { samples.map(encode) }
    package static func decode(_ bytes: some Sequence<UInt8>) -> [Int16] { bytes.map { linear[Int($0)] } }

    /// Mean magnitude of every fourth sample, 0...32124: enough to tell speech from quiet, cheap enough for
    /// 100 calls.
    static func loudness(_ frame: ArraySlice<UInt8>) -> Int {
        guard !frame.isEmpty else { return 0 }
        var sum = 0
        var count = 0
        for at in stride(from: frame.startIndex, to: frame.endIndex, by: 4) {
            sum += Int(linear[Int(frame[at])].magnitude)
            count += 1
        }
        return sum / count
    }

    private static let bias = 0x84
    private static let clip = 32_635
}
