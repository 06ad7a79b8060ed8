import Audio
import Base
import Glibc
import Testing

/// A sine in Int16.
func tone(_ hertz: Double, amplitude: Double, samples: Int, rate: Double = 8000, offset: Double = 0)
    -> [Int16]
{
    (0..<samples).map { Int16(offset + amplitude * sin(2 * Double.pi * hertz * Double($0) / rate)) }
}

struct MuLawTests {
    @Test func theTableIsThatOfG711() {
        // Positive and negative ends of each segment, from ITU-T G.711 table 2a (14 bit, times 4).
        let known: [(UInt8, Int16)] = [
            (0x80, 32124), (0x00, -32124), (0x8F, 16764), (0x90, 15996), (0x9F, 8316), (0xAF, 4092),
            (0xBF, 1980),
            (0xCF, 924), (0xDF, 396), (0xEF, 132), (0xFF, 0), (0x7F, 0), (0xFE, 8), (0x7E, -8),
        ]
        for (byte, sample) in known { #expect(MuLaw.decode(byte) == sample, "\(byte)") }
        #expect(MuLaw.decoded.enumerated().allSatisfy { MuLaw.decode(UInt8($0.offset)) == $0.element })
    }

    @Test func everyCodeSurvivesARoundTrip() {
        for byte in UInt8.min...UInt8.max where byte != 0x7F {
            #expect(MuLaw.encode(MuLaw.decode(byte)) == byte)
        }
        #expect(MuLaw.encode(0) == MuLaw.silence)
    }

    @Test func everySampleIsCodedToItsNeighbour() {
        for value in Int16.min...Int16.max {
            let error = abs(Int(MuLaw.decode(MuLaw.encode(value))) - max(-32124, min(32124, Int(value))))
            // Half a step of the segment, and the two bits G.711 does not see.
            let limit = (Int(value.magnitude) + 132) / 32 + 4
            guard error > limit else { continue }
            Issue.record("\(value) is off by \(error)")
            return
        }
    }

    @Test func bulkEqualsOneByOne() {
        let samples = tone(440, amplitude: 9000, samples: 333)
        #expect(MuLaw.encode(samples) == samples.map { MuLaw.encode($0) })
        let bytes = MuLaw.encode(samples)
        #expect(MuLaw.decode(bytes) == bytes.map { MuLaw.decode($0) })
    }
}

struct ResamplerTests {
    private func amplitude(_ samples: [Int16]) -> Double {
        let middle = samples.dropFirst(200).dropLast(200)
        let power = middle.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(max(1, middle.count))
        return (2 * power).squareRoot()
    }

    @Test(arguments: [16_000, 22_050, 48_000])
    func speechPassesAndWhatCannotBeHeardIsRemoved(rate: Int) {
        for (hertz, range) in [
            (300.0, 9700.0...10_300), (1000, 9700...10_300), (3000, 9000...10_300), (5500, 0...60),
        ] {
            var resampler = Resampler(from: rate, to: 8000)
            let output = resampler.process(tone(hertz, amplitude: 10_000, samples: rate, rate: Double(rate)))
            #expect(abs(output.count - 8000) <= 1)
            #expect(range.contains(amplitude(output)), "\(hertz) Hz from \(rate): \(amplitude(output))")
        }
    }

    @Test func chunksGiveTheSameAsTheWhole() {
        let input = tone(700, amplitude: 8000, samples: 22_050, rate: 22_050)
        var whole = Resampler(from: 22_050, to: 8000)
        let expected = whole.process(input) + whole.finish()
        var streaming = Resampler(from: 22_050, to: 8000)
        var output: [Int16] = []
        var start = 0
        while start < input.count {
            let end = min(start + 441 + start % 97, input.count)
            output += streaming.process(Array(input[start..<end]))
            start = end
        }
        #expect(output + streaming.finish() == expected)
    }

    @Test func clippedInputDoesNotTrap() {
        var resampler = Resampler(from: 16_000, to: 8000)
        let square = (0..<16_000).map { $0 / 40 % 2 == 0 ? Int16.max : Int16.min }
        #expect(resampler.process(square).count == 8000)
        var same = Resampler(from: 8000, to: 8000)
        #expect(same.process([1, 2, 3]) == [1, 2, 3])
        #expect(same.process([]).isEmpty && same.finish().isEmpty)
    }
}

struct WAVTests {
    @Test func theHeaderDescribesWhatFollows() {
        let header = WAV.header(dataBytes: 32_000)
        #expect(header.count == WAV.headerBytes)
        #expect(header[0..<4].elementsEqual("RIFF".utf8) && header[8..<16].elementsEqual("WAVEfmt ".utf8))
        func number(_ at: Int, _ bytes: Int) -> Int {
            (0..<bytes).reduce(0) { $0 | Int(header[at + $1]) << (8 * $1) }
        }
        #expect(number(4, 4) == 32_036 && number(40, 4) == 32_000)
        #expect(number(20, 2) == 1 && number(22, 2) == 2 && number(24, 4) == 8000)
        #expect(number(28, 4) == 32_000 && number(32, 2) == 4 && number(34, 2) == 16)
        #expect(WAV.header(dataBytes: WAV.dataBytesMax)[4..<8].elementsEqual([0xF7, 0xFF, 0xFF, 0xFF]))
    }

    @Test func whatAFileLacksIsCountedWhereItsLengthWasKnown() throws {
        let sound = [UInt8](repeating: 0, count: 320)
        func missing(_ dataBytes: Int) throws -> Int {
            try WAV.read(WAV.header(dataBytes: dataBytes, channels: 1) + sound).missingBytes
        }
        #expect(try missing(320) == 0 && missing(300) == 0 && missing(400) == 80)
        #expect(try missing(WAV.dataBytesMax) == 0, "written to a pipe")
    }

    @Test func levelsIgnoreAConstant() {
        #expect(Level(of: []).peak == 0)
        let level = Level(of: tone(1000, amplitude: 1000, samples: 800, offset: 5000))
        #expect((56...58).contains(level.decibels) && level.peak > 5900)
        #expect(Level(of: [Int16.min]).peak == 32768)
    }
}
