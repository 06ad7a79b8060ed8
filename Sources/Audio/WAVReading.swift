extension WAV {
    /// What a file holds: one array of samples a channel, all of the same length.
    package struct Sound: Hashable, Sendable {
        package var rateHz: Int
        package var channels: [[Int16]]
        /// Bytes of sound that the header tells of and the file does not have: it was cut off. 0 where a pipe wrote the header
        /// before it knew (`unknownLength`).
        package var missingBytes = 0
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
    /// Programs that write to a pipe tell this length or more.
    private static let unknownLength = 0x7FFF_0000

    /// Where the parts of a file are.
    package struct Layout: Hashable, Sendable {
        /// The body of its `fmt ` chunk: 16 bytes or more.
        package var format: Range<Int>
        /// The first byte of sound.
        package var start: Int
        /// Bytes of sound as the file says: it may have fewer, as one that is still being written.
        package var length: Int
    }

    /// `head`: the file, or enough of its beginning.
    ///
    /// - Throws: `Unreadable`, saying what is wrong.
    package static func layout(_ head: [UInt8]) throws(Unreadable) -> Layout {
        guard head.count >= 12, head[0..<4].elementsEqual("RIFF".utf8),
            head[8..<12].elementsEqual("WAVE".utf8)
        else { throw Unreadable(description: "not a WAVE file") }
        var format: Range<Int>?
        var at = 12
        while at + 8 <= head.count {
            let body = at + 8
            let length = number(head, at + 4, 4)
            if head[at..<at + 4].elementsEqual("data".utf8) {
                guard let format else { throw Unreadable(description: "no format before the data") }
                return Layout(format: format, start: body, length: length)
            }
            if head[at..<at + 4].elementsEqual("fmt ".utf8), length >= 16, body + length <= head.count {
                format = body..<body + length
            }
            at = body + length + length % 2
        }
        throw Unreadable(description: "no data")
    }

    /// Reads 16-bit PCM, µ-law and A-law. A length the file does not have, as of one still being written, means all that is
    /// there.
    ///
    /// - Throws: `Unreadable`, saying what is wrong.
    package static func read(_ file: [UInt8]) throws(Unreadable) -> Sound {
        let layout = try layout(file)
        let format = layout.format.lowerBound
        let channels = number(file, format + 2, 2)
        guard (1...channelsMax).contains(channels) else {
            throw Unreadable(description: "\(channels) channels")
        }
        // The extended format names the real one in the first two bytes of its GUID.
        let isExtended = number(file, format, 2) == Format.extensible && layout.format.count >= 26
        let samples = try samples(
            file[layout.start..<min(file.count, layout.start + layout.length)],
            number(file, isExtended ? format + 24 : format, 2), bits: number(file, format + 14, 2))
        return Sound(
            rateHz: number(file, format + 4, 4), channels: split(samples, channels),
            missingBytes: layout.length < unknownLength
                ? max(0, layout.start + layout.length - file.count) : 0)
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
