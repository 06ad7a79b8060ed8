import Foundation
import Testing

@testable import Audio

/// Files of the tests and of the set-up.
enum Clips {
    struct Missing: Error, CustomStringConvertible { let description: String }

    static func file(_ name: String) throws -> Data {
        let url = Bundle.module.url(forResource: "Resources", withExtension: nil)
        guard let data = url.flatMap({ try? Data(contentsOf: $0.appending(path: name)) }) else {
            throw Missing(description: "no test resource \(name)")
        }
        return data
    }

    static func speech(rateHz: Int) throws -> [Int16] {
        MuLaw.decode([UInt8](try file("speech-\(rateHz).ulaw")))
    }

    static func probabilities(rateHz: Int) throws -> [Float] {
        String(decoding: try file("speech-\(rateHz).probabilities"), as: UTF8.self)
            .split(separator: "\n").compactMap { Float($0) }
    }

    static func weightsFile() throws -> [UInt8] {
        let folder =
            ProcessInfo.processInfo.environment["PARLEY_MODELS"].flatMap { $0.isEmpty ? nil : $0 }
            ?? URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../.parley/models")
            .path
        guard let data = FileManager.default.contents(atPath: folder + "/silero-vad.bin") else {
            throw Missing(description: "no \(folder)/silero-vad.bin: run `make setup`")
        }
        return [UInt8](data)
    }

    static let weights = Result { try SileroVAD.Weights(file: try weightsFile()) }
}

struct SileroTests {
    @Test(arguments: [8000, 16_000], [false, true])
    func itsProbabilitiesAreTheReferences(rateHz: Int, isPortable: Bool) throws {
        let weights = try SileroVAD.Weights(file: try Clips.weightsFile(), isPortable: isPortable)
        let expected = try Clips.probabilities(rateHz: rateHz)
        var policy = SileroVAD.Policy()
        policy.gateDecibels = 0
        policy.resetMs = .max
        var vad = SileroVAD(weights, rateHz: rateHz, policy: policy)
        var heard: [Float] = []
        for sample in try Clips.speech(rateHz: rateHz) where vad.take(sample) {
            heard.append(vad.probability)
        }
        #expect(heard.count == 125 && expected.count == 125)
        let worst = zip(heard, expected).map { abs($0 - $1) }.max() ?? 1
        #expect(worst < 1e-4, "off by \(worst)")
    }

    @Test func callsDoNotHearEachOther() throws {
        let speech = try Clips.speech(rateHz: 8000)
        let weights = try Clips.weights.get()
        var alone = SileroVAD(weights)
        var one = SileroVAD(weights)
        var other = SileroVAD(weights)
        for (index, sample) in speech.enumerated() {
            _ = other.take(speech[speech.count - 1 - index])
            #expect(alone.take(sample) == one.take(sample))
        }
        #expect(alone.probability == one.probability)
    }

    @Test func afterSilenceItHearsAsAtTheStart() throws {
        let speech = try Clips.speech(rateHz: 8000)
        var vad = SileroVAD(try Clips.weights.get())
        func heard(_ samples: [Int16]) -> [Float] {
            samples.compactMap { vad.take($0) ? vad.probability : nil }
        }
        let first = heard(speech)
        // 320 ms: the network has settled, and is not asked; nor is it about the quiet that the clip begins with.
        #expect(heard([Int16](repeating: 0, count: 256 * 10)).last == 0)
        let again = heard(speech)
        #expect(again.prefix(12).allSatisfy { $0 == 0 } && again.dropFirst(12) == first.dropFirst(12))
    }

    @Test func longNoiseDoesNotNumbIt() throws {
        let speech = try Clips.speech(rateHz: 8000)
        var vad = SileroVAD(try Clips.weights.get())
        for sample in tone(50, amplitude: 40, samples: 8000 * 60) { _ = vad.take(sample) }
        let peak = speech[..<16_000].reduce(Float(0)) { vad.take($1) ? max($0, vad.probability) : $0 }
        #expect(peak > 0.9)
    }

    @Test func aFileThatIsNotTheWeightsIsRefused() throws {
        let file = try Clips.weightsFile()
        var damaged = file
        damaged.replaceSubrange(1000..<1004, with: [0, 0, 0xC0, 0x7F])
        let bad: [(String, [UInt8])] = [
            ("empty", []), ("another file", Array("RIFF".utf8) + file), ("cut short", Array(file.dropLast())),
            ("too long", file + [0]), ("NaN", damaged),
        ]
        for (name, bytes) in bad {
            #expect(throws: SileroVAD.Weights.Failure.self, "\(name)") { try SileroVAD.Weights(file: bytes) }
        }
    }
}

extension SileroVAD {
    fileprivate mutating func take(_ sample: Int16) -> Bool {
        withUnsafePointer(to: sample) { take(UnsafeBufferPointer(start: $0, count: 1)) }
    }
}
