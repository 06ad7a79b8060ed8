import Base
import Glibc
import Testing

@testable import Audio

/// Two sines, `decibels` the level of the first and `twist` what the second is over it.
private func pair(_ low: Double, _ high: Double, ms: Int, amplitude: Double = 4000, twist: Double = 0)
    -> [Int16]
{
    mixed(
        tone(low, amplitude: amplitude, samples: ms * 8),
        tone(high, amplitude: amplitude * pow(10, twist / 20), samples: ms * 8))
}

struct DTMFTests {
    private func digits(_ samples: [Int16]) -> String {
        var detector = DTMFDetector()
        var heard = ""
        // As a line brings it: µ-law.
        MuLaw.decode(MuLaw.encode(samples)).withUnsafeBufferPointer { detector.hear($0) { heard.append($0) } }
        return heard
    }

    private func key(
        _ digit: Character, ms: Int, off: Double = 0, amplitude: Double = 4000, twist: Double = 0
    ) -> [Int16] {
        let index = DTMFDetector.digits.firstIndex(of: digit) ?? 0
        return pair(
            DTMFDetector.rows[index / 4] * (1 + off), DTMFDetector.columns[index % 4] * (1 + off), ms: ms,
            amplitude: amplitude, twist: twist)
    }

    @Test func allSixteenDigitsOf40Milliseconds() {
        let all = "123A456B789C*0#D"
        for shift in [0, 3, 7, 9] {
            let line = all.reduce(into: silence(ms: 50 + shift)) { $0 += key($1, ms: 40) + silence(ms: 40) }
            #expect(digits(line) == all, "starting \(shift) ms later")
        }
    }

    @Test func aLongPressIsOneDigitAndTwoPressesAreTwo() {
        #expect(digits(silence(ms: 30) + key("5", ms: 2000) + silence(ms: 100)) == "5")
        #expect(digits(key("5", ms: 80) + silence(ms: 40) + key("5", ms: 80) + silence(ms: 50)) == "55")
        // A break of 10 ms does not split a press.
        #expect(digits(key("5", ms: 60) + silence(ms: 10) + key("5", ms: 60) + silence(ms: 50)) == "5")
        #expect(digits(silence(ms: 30) + key("5", ms: 20) + silence(ms: 100)) == "")
    }

    @Test func tolerancesAreThoseOfQ24() {
        for digit in "123A456B789C*0#D" {
            for off in [-0.015, 0.015] {
                #expect(
                    digits(silence(ms: 33) + key(digit, ms: 60, off: off)) == String(digit), "\(digit) \(off)"
                )
            }
            for off in [-0.035, 0.035] {
                #expect(digits(silence(ms: 33) + key(digit, ms: 100, off: off)) == "", "\(digit) \(off)")
            }
            for twist in [-6.0, 6] {
                #expect(digits(key(digit, ms: 60, twist: twist)) == String(digit), "\(digit) \(twist) dB")
            }
        }
        // -25 dBm0 a tone, and one that nobody sent on purpose.
        #expect(digits(key("7", ms: 60, amplitude: 1260)) == "7")
        #expect(digits(key("7", ms: 60, amplitude: 60)) == "")
        #expect(digits(mixed(key("3", ms: 60), noise(1200, samples: 480))) == "3", "15 dB over noise")
    }

    /// Tones at the limit come and go with the noise of their coding.
    @Test(arguments: "123A456B789C*0#D") func aKeyAtTheLimitOfTwistIsNotPressedTwice(digit: Character) {
        for twist in stride(from: 7.0, through: 9, by: 0.1) {
            let line = key(digit, ms: 400, twist: twist) + silence(ms: 60)
            #expect(digits(line).count <= 1, "\(twist) dB")
        }
    }

    @Test func voicesAndNoiseAreNoDigits() throws {
        let speech = try Clips.speech(rateHz: 8000)
        #expect(digits(speech) == "")
        #expect(digits(noise(8000, samples: 80_000)) == "")
        #expect(digits(tone(770, amplitude: 8000, samples: 8000)) == "")
    }

    @Test func eventsOfRTPAreToldOncePerPress() {
        var events = TelephoneEvents()
        // Event 11 is "#": began, went on, ended three times over; a straggler of the press before.
        let packets: [([UInt8], UInt32)] = [
            ([5, 10, 0, 160], 1000), ([5, 10, 1, 64], 1000), ([5, 0x8A, 3, 32], 1000),
            ([5, 0x8A, 3, 32], 1000),
            ([11, 10, 0, 160], 5000), ([5, 0x8A, 3, 32], 1000), ([11, 0x8A, 2, 0], 5000),
            ([16, 10, 0, 160], 9000), ([1, 2], 9500), ([], 9600),
        ]
        #expect(String(packets.compactMap { events.take($0.0, timestamp: $0.1) }) == "5#")
        var wrapping = TelephoneEvents()
        #expect(wrapping.take([1, 10, 0, 160], timestamp: .max - 10) == "1")
        #expect(wrapping.take([2, 10, 0, 160], timestamp: 400) == "2")
    }
}

struct LineTonesTests {
    private func tones(_ samples: [Int16]) -> [LineTone] {
        var detector = LineTones()
        var heard: [LineTone] = []
        MuLaw.decode(MuLaw.encode(samples)).withUnsafeBufferPointer { detector.hear($0) { heard.append($0) } }
        return heard
    }

    private func cadence(_ tone: (Int) -> [Int16], on: Int, off: Int, times: Int) -> [Int16] {
        (0..<times).flatMap { _ in tone(on) + silence(ms: off) }
    }

    @Test func ringingIsTold() {
        let american = cadence({ pair(440, 480, ms: $0) }, on: 2000, off: 4000, times: 2)
        let european = cadence({ tone(425, amplitude: 4000, samples: $0 * 8) }, on: 1000, off: 4000, times: 2)
        let british = cadence(
            { pair(400, 450, ms: $0) + silence(ms: 200) + pair(400, 450, ms: $0) }, on: 400, off: 2000,
            times: 2)
        for line in [american, european, british] { #expect(tones(line) == [.ringback, .ringback]) }
    }

    @Test func busyAndReorderDifferInSpeed() {
        let busy = cadence({ pair(480, 620, ms: $0) }, on: 500, off: 500, times: 4)
        #expect(tones(busy) == [.busy])
        #expect(tones(cadence({ pair(480, 620, ms: $0) }, on: 250, off: 250, times: 6)) == [.reorder])
        let european = cadence({ tone(425, amplitude: 4000, samples: $0 * 8) }, on: 500, off: 500, times: 4)
        #expect(tones(european) == [.busy])
    }

    @Test func faxMachinesAreTold() {
        let calling = cadence({ tone(1100, amplitude: 4000, samples: $0 * 8) }, on: 500, off: 3000, times: 2)
        #expect(tones(calling) == [.faxCalling, .faxCalling])
        #expect(tones(tone(2100, amplitude: 4000, samples: 24_000)) == [.faxAnswering])
    }

    @Test func aBeepIsToldWhenItIsOver() throws {
        let greeting = try Clips.speech(rateHz: 8000)
        for hertz in [700.0, 1000, 1400, 2000] {
            let beep = tone(hertz, amplitude: 6000, samples: 300 * 8)
            #expect(tones(greeting + silence(ms: 500) + beep + silence(ms: 1000)) == [.beep], "\(hertz) Hz")
        }
    }

    @Test func voicesNoiseAndDigitsAreNoTones() throws {
        #expect(tones(try Clips.speech(rateHz: 8000)).isEmpty)
        #expect(tones(noise(8000, samples: 80_000)).isEmpty)
        #expect(tones(cadence({ pair(770, 1336, ms: $0) }, on: 100, off: 200, times: 6)).isEmpty)
        #expect(tones(silence(ms: 3000)).isEmpty)
    }
}
