/// The header of a RIFF WAVE file with 16-bit PCM, little endian. Source: Microsoft/IBM RIFF MCI 1.0,
/// chapter 3.
package enum WAV {
    package static let headerBytes = 44
    /// Most that 32 bits of a header hold.
    package static let dataBytesMax = 0xFFFF_FFFF - headerBytes

    /// 44 bytes. `dataBytes` counts the samples that follow, clamped to what 32 bits hold.
    package static func header(dataBytes: Int, channels: Int = 2, sampleRateHz: Int = 8000) -> [UInt8] {
        let length = UInt32(min(max(0, dataBytes), dataBytesMax))
        let blockBytes = channels * 2
        var out: [UInt8] = []
        out.reserveCapacity(headerBytes)
        out += Array("RIFF".utf8) + little(length + UInt32(headerBytes - 8)) + Array("WAVE".utf8)
        out += Array("fmt ".utf8) + little(UInt32(16)) + little(UInt16(1)) + little(UInt16(channels))
        out += little(UInt32(sampleRateHz)) + little(UInt32(sampleRateHz * blockBytes))
        out += little(UInt16(blockBytes)) + little(UInt16(16))
        out += Array("data".utf8) + little(length)
        return out
    }

    private static func little<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}
