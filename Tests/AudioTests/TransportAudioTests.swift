import Base
import Glibc
import Testing

@testable import Audio

struct ALawTests {
    @Test func theTableIsThatOfG711() {
        // Both ends of segments, from ITU-T G.711 table 1a (13 bit, times 8).
        let known: [(UInt8, Int16)] = [
            (0xD5, 8), (0x55, -8), (0xD4, 24), (0xC5, 264), (0xF5, 528), (0xAA, 32256), (0x2A, -32256),
        ]
        for (byte, sample) in known { #expect(ALaw.decode(byte) == sample, "\(byte)") }
    }

    @Test func everyCodeSurvivesARoundTripAndEverySampleItsNeighbour() {
        for byte in UInt8.min...UInt8.max { #expect(ALaw.encode(ALaw.decode(byte)) == byte) }
        for value in Int16.min...Int16.max {
            let error = abs(Int(ALaw.decode(ALaw.encode(value))) - max(-32256, min(32256, Int(value))))
            guard error > max(16, Int(value.magnitude) / 32 + 1) + 512 * (value.magnitude > 32256 ? 1 : 0)
            else {
                continue
            }
            Issue.record("\(value) is off by \(error)")
            return
        }
    }
}

struct ResamplerQualityTests {
    /// Level of the best fit of a sine, and how many dB what is left is under it.
    private func purity(_ samples: ArraySlice<Int16>, hertz: Double, rateHz: Double) -> (
        level: Double, noise: Double
    ) {
        var (cosine, sine, energy) = (0.0, 0.0, 0.0)
        for (index, sample) in samples.enumerated() {
            let angle = 2 * Double.pi * hertz * Double(index) / rateHz
            cosine += Double(sample) * cos(angle)
            sine += Double(sample) * sin(angle)
            energy += Double(sample) * Double(sample)
        }
        let power = 2 * (cosine * cosine + sine * sine) / Double(samples.count)
        return (10 * log10(power / Double(samples.count)), 10 * log10(max(1, energy - power) / power))
    }

    @Test(arguments: [(8000, 16_000), (16_000, 8000), (8000, 24_000), (24_000, 8000)])
    func aSineStaysOne(from: Int, to: Int) {
        for hertz in [400.0, 1000, 2000, 3000] {
            let sine = tone(hertz, amplitude: 8000, samples: from, rate: Double(from))
            var resampler = Resampler(from: from, to: to)
            let output = Array((resampler.process(sine) + resampler.finish()).prefix(to))
            // A whole number of periods, without the ends.
            let (level, noise) = purity(output[(to / 20)..<(to - to / 20)], hertz: hertz, rateHz: Double(to))
            #expect(abs(level - 75.05) < 0.3, "\(hertz) Hz comes out at \(level) dB")
            #expect(noise < -50, "\(hertz) Hz: \(noise) dB of something else")
        }
    }

    @Test func whatANarrowLineCannotCarryIsGone() {
        for from in [16_000, 24_000] {
            var resampler = Resampler(from: from, to: 8000)
            let output = resampler.process(tone(5500, amplitude: 8000, samples: from, rate: Double(from)))
            #expect(Level(of: Array(output.dropFirst(400))).decibels < 20)
        }
    }
}

struct LossConcealmentTests {
    /// A voice-like sound: five harmonics of 125 Hz.
    private let voice: [Int16] = (0..<8000).map { (index: Int) -> Int16 in
        var sum = 0.0
        for harmonic in 1...5 {
            let turns = 125 * Double(harmonic) * Double(index) / 8000
            sum += 2500 / Double(harmonic) * sin(2 * Double.pi * turns)
        }
        return Int16(sum)
    }

    private func error(_ one: ArraySlice<Int16>, _ other: ArraySlice<Int16>) -> Double {
        Level(of: zip(one, other).map { Int16(clamping: Int($0) - Int($1)) }).decibels
    }

    @Test func soundWithoutGapsIsUnchanged() {
        var concealment = LossConcealment()
        let out = stride(from: 0, to: 8000, by: 160).flatMap {
            concealment.received(Array(voice[$0..<$0 + 160]))
        }
        #expect(out == voice)
    }

    @Test func aLostFrameOfAVoiceIsHardlyMissed() {
        var concealment = LossConcealment()
        var out: [Int16] = []
        for start in stride(from: 0, to: 8000, by: 160) {
            let isLost = start > 0 && start / 160 % 10 == 5
            out += isLost ? concealment.lost(160) : concealment.received(Array(voice[start..<start + 160]))
        }
        let level = Level(of: voice).decibels
        #expect(error(out[...], voice[...]) < level - 20)
        // Nowhere a jump that the voice itself does not make.
        func jump(_ samples: [Int16]) -> Int {
            zip(samples, samples.dropFirst()).map { abs(Int($0) - Int($1)) }.max() ?? 0
        }
        #expect(jump(out) < jump(voice) * 5 / 4)
    }

    @Test func aLongGapFadesToSilence() {
        var concealment = LossConcealment()
        _ = concealment.received(Array(voice[..<1600]))
        let filled = concealment.lost(800)
        let level = Level(of: voice).decibels
        #expect(Level(of: Array(filled[..<80])).decibels > level - 2)
        #expect(filled[480...].allSatisfy { $0 == 0 })
        #expect(concealment.lost(160).allSatisfy { $0 == 0 })
        let back = concealment.received(Array(voice[..<160]))
        #expect(abs(Int(back[0])) < 500, "audio comes back softly")
    }

    @Test func aGapInSilenceIsSilence() {
        var concealment = LossConcealment()
        #expect(concealment.lost(160).allSatisfy { $0 == 0 })
        _ = concealment.received([Int16](repeating: 0, count: 160))
        #expect(concealment.lost(160).allSatisfy { $0 == 0 })
        #expect(concealment.received([]).isEmpty && concealment.lost(0).isEmpty)
    }
}

struct JitterBufferTests {
    private func packet(_ number: Int) -> JitterBuffer.Packet {
        JitterBuffer.Packet(
            sequence: UInt16(truncatingIfNeeded: number), payload: [UInt8(truncatingIfNeeded: number)])
    }

    /// Packets by the 20 ms in which they come; what is played, one character each 20 ms.
    private func played(_ arrivals: [[Int]]) -> (String, JitterBuffer) {
        var buffer = JitterBuffer()
        var out = ""
        for numbers in arrivals {
            for number in numbers { buffer.insert(packet(number)) }
            switch buffer.next() {
            case .packet(let payload): out += String(payload[0], radix: 36)
            case .lost: out += "!"
            case .waiting: out += "."
            }
        }
        return (out, buffer)
    }

    @Test func packetsInOrderArePlayedInOrder() {
        #expect(played([[1], [2], [3], [4], [5], []]).0 == ".12345")
    }

    @Test func reorderedAndDuplicatedPacketsAreSetRight() {
        let (out, buffer) = played([[1], [3], [2, 2], [4], [4, 5], [6]])
        #expect(out == ".12345")
        #expect(buffer.counts.duplicated == 2 && buffer.counts.lost == 0)
    }

    @Test func aLostPacketIsToldAndALatePacketForgotten() {
        let (out, buffer) = played([[1], [2], [4], [5], [6], [3, 7]])
        #expect(out == ".12!45")
        #expect(buffer.counts.lost == 1 && buffer.counts.late == 1)
    }

    @Test func aStallMakesTheWaitLongerAndTimeShortensIt() {
        // 100 ms without a packet, then all at once.
        var arrivals: [[Int]] = (1...20).map { [$0] } + [[], [], [], []] + [[21, 22, 23, 24, 25]]
        arrivals += (26...900).map { [$0] }
        let (_, buffer) = played(arrivals)
        #expect(buffer.counts.lost == 0 && buffer.counts.late == 0)
        #expect(buffer.counts.dropped > 0 && buffer.depth <= 2)
    }

    @Test func numbersWrapAndStreamsStartAnew() {
        let wrapping = (65_530...65_545).map { [$0] }
        let (out, buffer) = played(wrapping)
        #expect(buffer.counts.lost == 0 && !out.dropFirst().contains("."))
        let (anew, _) = played([[1], [2], [3], [30_000], [30_001], [30_002], []])
        #expect(anew.filter { $0 != "." }.count >= 4 && !anew.contains("!"))
    }

    @Test func aFloodIsBounded() {
        let (_, buffer) = played([Array(1...200)])
        #expect(buffer.depth <= JitterBuffer.depthMax)
    }

    @Test(arguments: 0..<UInt64(50))
    func whateverComesIsPlayedOnceAndInOrder(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var buffer = JitterBuffer()
        var last = -1
        var inFlight: [(at: Int, number: Int)] = []
        for now in 0..<2000 {
            if random.next() % 10 > 0 {
                for _ in 0..<(random.next() % 20 == 0 ? 2 : 1) {
                    inFlight.append((now + Int(random.next() % 6), now))
                }
            }
            for arrived in inFlight where arrived.at == now {
                buffer.insert(
                    .init(
                        sequence: UInt16(truncatingIfNeeded: arrived.number + 65_000),
                        payload: [UInt8(arrived.number >> 8), UInt8(arrived.number & 255)]))
            }
            inFlight.removeAll { $0.at <= now }
            #expect(buffer.depth <= JitterBuffer.depthMax)
            guard case .packet(let payload) = buffer.next() else { continue }
            let number = Int(payload[0]) << 8 | Int(payload[1])
            #expect(number > last, "seed \(seed) at \(now)")
            last = number
        }
        #expect(last > 1900, "seed \(seed)")
    }
}
