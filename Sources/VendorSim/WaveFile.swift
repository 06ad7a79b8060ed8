/// RIFF WAVE files in memory: 16-bit PCM out, 16-bit PCM or µ-law in.
package enum WaveFile {
    package struct Unreadable: Error, Hashable, Sendable {
        package var reason: String
    }

    /// Stereo 8 kHz: left channel the caller, right channel the agent; the shorter track is padded with
    /// silence.
    package static func stereo(caller: [UInt8], agent: [UInt8]) -> [UInt8] {
        let frames = max(caller.count, agent.count)
        var file = header(channels: 2, sampleRate: MuLaw.sampleRateHz, bytes: frames * 4)
        file.reserveCapacity(file.count + frames * 4)
        for at in 0..<frames {
            append16(MuLaw.linear[Int(at < caller.count ? caller[at] : MuLaw.silence)], to: &file)
            append16(MuLaw.linear[Int(at < agent.count ? agent[at] : MuLaw.silence)], to: &file)
        }
        return file
    }

    package static func mono(_ samples: [Int16], sampleRate: Int) -> [UInt8] {
        var file = header(channels: 1, sampleRate: sampleRate, bytes: samples.count * 2)
        for sample in samples { append16(sample, to: &file) }
        return file
    }

    /// First channel of a file as 8 kHz µ-law.
    /// - Throws: `Unreadable` for anything but PCM 16 (format 1) or µ-law (format 7).
    package static func telephoneAudio(_ file: [UInt8]) throws -> [UInt8] {
        guard file.count >= 12, Array(file[0..<4]) == Array("RIFF".utf8),
            Array(file[8..<12]) == Array("WAVE".utf8)
        else { throw Unreadable(reason: "not a WAVE file") }
        var format: (tag: Int, channels: Int, rate: Int, bits: Int)?
        var at = 12
        while at + 8 <= file.count {
            let size = little(file, at + 4, 4)
            let body = at + 8
            let end = min(file.count, body + size)
            if file[at..<at + 4].elementsEqual("fmt ".utf8), end - body >= 16 {
                format = (
                    little(file, body, 2), little(file, body + 2, 2), little(file, body + 4, 4),
                    little(file, body + 14, 2)
                )
            } else if file[at..<at + 4].elementsEqual("data".utf8), let format, format.channels > 0 {
                return try audio(file[body..<end], format: format)
            }
            at = end + size % 2
        }
        throw Unreadable(reason: "no data")
    }

    private static func audio(
        _ bytes: ArraySlice<UInt8>, format: (tag: Int, channels: Int, rate: Int, bits: Int)
    ) throws -> [UInt8] {
        let samples: [Int16]
        switch (format.tag, format.bits) {
        case (1, 16):
            samples = stride(from: bytes.startIndex, to: bytes.endIndex - 1, by: 2 * format.channels).map {
                Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8)
            }
        case (7, 8):
            samples = stride(from: bytes.startIndex, to: bytes.endIndex, by: format.channels).map {
                MuLaw.linear[Int(bytes[$0])]
            }
        default: throw Unreadable(reason: "format \(format.tag), \(format.bits) bits")
        }
        return MuLaw.encode(Resample.toTelephone(samples, sampleRate: format.rate))
    }

    private static func header(channels: Int, sampleRate: Int, bytes: Int) -> [UInt8] {
        var file: [UInt8] = Array("RIFF".utf8)
        append32(36 + bytes, to: &file)
        file += Array("WAVEfmt ".utf8)
        append32(16, to: &file)
        append16(1, to: &file)
        append16(Int16(channels), to: &file)
        append32(sampleRate, to: &file)
        append32(sampleRate * channels * 2, to: &file)
        append16(Int16(channels * 2), to: &file)
        append16(16, to: &file)
        file += Array("data".utf8)
        append32(bytes, to: &file)
        return file
    }

    private static func append16(_ value: Int16, to file: inout [UInt8]) {
        let bits = UInt16(bitPattern: value)
        file.append(UInt8(bits & 0xFF))
        file.append(UInt8(bits >> 8))
    }

    private static func append32(_ value: Int, to file: inout [UInt8]) {
        for shift in [0, 8, 16, 24] { file.append(UInt8(value >> shift & 0xFF)) }
    }

    private static func little(_ file: [UInt8], _ at: Int, _ count: Int) -> Int {
        (0..<count).reduce(0) { $0 | Int(file[at + $1]) << (8 * $1) }
    }
}
