/// A-law companding: one byte a sample, 8 kHz on telephone lines outside North America and Japan.
///
/// Owns: exact conversion both ways. Linear samples are 16 bit, of which G.711 keeps the upper 13.
/// Source: ITU-T G.711, table 1; negative values are taken in one's complement as in ITU-T G.191.
package enum ALaw {
    /// The byte of silence (the smallest positive value: A-law has no zero).
    package static let silence: UInt8 = 0xD5
    /// Every other bit is sent inverted.
    private static let alternate: UInt8 = 0x55

    @inline(__always)
    package static func decode(_ byte: UInt8) -> Int16 {
        let code = byte ^ alternate
        let segment = Int16(code >> 4 & 7)
        let step = Int16(code & 15) << 4
        let magnitude = segment == 0 ? step + 8 : (step + 0x108) << (segment - 1)
        return code & 0x80 == 0 ? -magnitude : magnitude
    }

    @inline(__always)
    package static func encode(_ sample: Int16) -> UInt8 {
        let magnitude = UInt16(bitPattern: sample < 0 ? ~sample : sample) >> 4
        // The highest bit above the step's four tells the segment.
        let segment = magnitude < 16 ? 0 : UInt16(12 - magnitude.leadingZeroBitCount)
        let step = magnitude >> (segment <= 1 ? 0 : segment - 1) & 15
        let code = UInt8(segment << 4 | step)
        return (sample < 0 ? code : code | 0x80) ^ alternate
    }

    package static func decode(_ bytes: [UInt8]) -> [Int16] { bytes.map { decode($0) } }

    package static func encode(_ samples: [Int16]) -> [UInt8] { samples.map { encode($0) } }
}
