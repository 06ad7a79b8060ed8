extension WAV {
    /// What a file holds: one array of samples a channel, all of the same length.
    package struct Sound: Hashable, Sendable {
        package var rateHz: Int
        package var channels: [[Int16]]
    }

    package struct Unreadable: Error, Hashable, Sendable, CustomStringConvertible {
        package var description: String
    }

    private enum Format {
        static let pcm = 1
        static let aLaw = 6
        static let muLaw = 7
        static let extensible = 0xFFFE
    }
    private static let channelsMax = 8

    /// Reads 16-bit PCM, µ-law and A-law. A length the file does not have, as of one still being written, means all that is
    /// there.
    ///
    /// - Throws: `Unreadable`, saying what is wrong.
    package static func read(_ file: [UInt8]) throws(Unreadable) -> Sound {
        guard file.count >= 12, file[0..<4].elementsEqual("RIFF".utf8),
            file[8..<12].elementsEqual("WAVE".utf8)
        else { throw Unreadable(description: "not a WAVE file") }
        var format: (tag: Int, channels: Int, rate: Int, bits: Int)?
        var at = 12
        while at + 8 <= file.count {
            let body = at + 8
            let end = min(file.count, body + number(file, at + 4, 4))
            if file[at..<at + 4].elementsEqual("fmt ".utf8), end - body >= 16 {
                let tag = number(file, body, 2)
                // The extended format names the real one in the first two bytes of its GUID.
                let isExtended = tag == Format.extensible && end - body >= 26
                format = (
                    isExtended ? number(file, body + 24, 2) : tag, number(file, body + 2, 2),
                    number(file, body + 4, 4), number(file, body + 14, 2)
                )
            } else if file[at..<at + 4].elementsEqual("data".utf8) {
                guard let format else { throw Unreadable(description: "no format before the data") }
                guard (1...channelsMax).contains(format.channels) else {
                    throw Unreadable(description: "\(format.channels) channels")
                }
                let samples = try samples(file[body..<end], format.tag, bits: format.bits)
                return Sound(rateHz: format.rate, channels: split(samples, format.channels))
            }
            at = end + (end - body) % 2
        }
        throw Unreadable(description: "no data")
    }

    private static func samples(
        _ bytes: ArraySlice<UInt8>, _ tag: Int, bits: Int
    ) throws(Unreadable) -> [Int16] {
        switch (tag, bits) {
        case (Format.pcm, 16):
            stride(from: bytes.startIndex, to: bytes.endIndex - 1, by: 2).map {
                Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8)
            }
        case (Format.muLaw, 8): bytes.map { MuLaw.decode($0) }
        case (Format.aLaw, 8): bytes.map { ALaw.decode($0) }
        default:
            throw Unreadable(description: "format \(tag) with \(bits) bits; known: 16-bit PCM, µ-law, A-law")
        }
    }

    private static func split(_ samples: [Int16], _ channels: Int) -> [[Int16]] {
        guard channels > 1 else { return [samples] }
        let frames = samples.count / channels
        return (0..<channels).map { channel in (0..<frames).map { samples[$0 * channels + channel] } }
    }

    private static func number(_ file: [UInt8], _ at: Int, _ count: Int) -> Int {
        (0..<count).reduce(0) { $0 | Int(file[at + $1]) << (8 * $1) }
    }
}
