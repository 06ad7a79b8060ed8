/// µ-law companding: one byte a sample, 8 kHz on telephone lines.
///
/// Owns: exact conversion both ways. Linear samples are 16 bit, of which G.711 keeps the upper 14.
/// Source: ITU-T G.711, table 2; negative values are taken in one's complement as in ITU-T G.191.
package enum MuLaw {
    /// The byte of silence (+0).
    package static let silence: UInt8 = 0xFF

    /// 256 linear values, by byte.
    package static let decoded: [Int16] = (0..<256).map { expand(UInt8($0)) }

    @inline(__always)
    package static func decode(_ byte: UInt8) -> Int16 { expand(byte) }

    @inline(__always)
    package static func encode(_ sample: Int16) -> UInt8 {
        // One's complement keeps -32768 in range and makes the two halves mirror each other.
        let isNegative = sample < 0
        let magnitude = min((isNegative ? ~Int32(sample) : Int32(sample)) >> 2 + 33, 0x1FFF)
        let segment = 26 - Int32(UInt32(magnitude).leadingZeroBitCount)
        let step = (magnitude >> (segment + 1)) & 0x0F
        let code = UInt8(truncatingIfNeeded: ~(segment << 4 | step) & 0x7F)
        return isNegative ? code : code | 0x80
    }

    /// Writes as many samples as both have room for and returns how many.
    @discardableResult
    package static func decode(
        _ bytes: UnsafeBufferPointer<UInt8>, into samples: UnsafeMutableBufferPointer<Int16>
    ) -> Int {
        let count = min(bytes.count, samples.count)
        decoded.withUnsafeBufferPointer { table in
            for index in 0..<count { samples[index] = table[Int(bytes[index])] }
        }
        return count
    }

    /// Writes as many bytes as both have room for and returns how many.
    @discardableResult
    package static func encode(
        _ samples: UnsafeBufferPointer<Int16>, into bytes: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        let count = min(bytes.count, samples.count)
        for index in 0..<count { bytes[index] = encode(samples[index]) }
        return count
    }

    package static func decode(_ bytes: [UInt8]) -> [Int16] {
        [Int16](unsafeUninitializedCapacity: bytes.count) { samples, count in
            count = bytes.withUnsafeBufferPointer { decode($0, into: samples) }
        }
    }

    package static func encode(_ samples: [Int16]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: samples.count) { bytes, count in
            count = samples.withUnsafeBufferPointer { encode($0, into: bytes) }
        }
    }

    @inline(__always)
    private static func expand(_ byte: UInt8) -> Int16 {
        let code = Int32(~byte)
        let segment = (code >> 4) & 0x07
        let magnitude = (((code & 0x0F) << 3) + 132) << segment - 132
        return Int16(truncatingIfNeeded: code & 0x80 != 0 ? -magnitude : magnitude)
    }
}
