import ArgumentParser
import Audio
import Base
import Foundation

/// What hearing costs: the network for one chunk, and the whole ear for a second of a call.
struct BenchVAD: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vad", abstract: "Cost of the speech detector, on one thread.")

    @Option(help: "Directory of the speech detector's weights.") var models = ".parley/models"

    /// The best of so many rounds: the machine has other work.
    static let rounds = 5
    static let callSeconds = 120
    /// Sounding and quiet, as people talk in turns.
    static let soundingSeconds = 2
    static let quietSeconds = 3

    func run() throws {
        let path = models + "/\(SileroVAD.Weights.fileName)"
        guard let file = FileManager.default.contents(atPath: path) else {
            throw ValidationError("\(path) is not there: run `deploy/models`")
        }
        let bytes = [UInt8](file)
        let weights = try SileroVAD.Weights(file: bytes)
        let portable = try SileroVAD.Weights(file: bytes, isPortable: true)
        let figures: [(String, Double)] = [
            ("vad_us_per_chunk", chunkMicroseconds(weights, rateHz: 8000)),
            ("vad_us_per_chunk_16k", chunkMicroseconds(weights, rateHz: 16_000)),
            ("vad_us_per_chunk_portable", chunkMicroseconds(portable, rateHz: 8000)),
            ("ear_ms_per_call_second", callMilliseconds(weights)),
            ("ear_ms_per_call_second_loudness", callMilliseconds(nil)),
        ]
        let text = figures.map { "\"\($0.0)\": \(($0.1 * 1000).rounded() / 1000)" }
        print("{\(text.joined(separator: ", "))}")
    }

    private func chunkMicroseconds(_ weights: SileroVAD.Weights, rateHz: Int) -> Double {
        let chunks = 1000
        let samples = Self.noise(seconds: 1, rateHz: rateHz)
        var vad = SileroVAD(weights, rateHz: rateHz)
        let size = vad.chunkSamples
        return Self.best {
            samples.withUnsafeBufferPointer { samples in
                for chunk in 0..<chunks {
                    let start = chunk % (samples.count / size) * size
                    _ = vad.take(UnsafeBufferPointer(rebasing: samples[start..<start + size]))
                }
            }
        } * 1_000_000 / Double(chunks)
    }

    /// Two seconds of noise like a voice's, three of a quiet line, over and over.
    private func callMilliseconds(_ weights: SileroVAD.Weights?) -> Double {
        let loud = MuLaw.encode(Self.noise(seconds: Self.soundingSeconds, rateHz: 8000))
        let quiet = MuLaw.encode(Self.noise(seconds: Self.quietSeconds, rateHz: 8000).map { $0 / 256 })
        var call: [UInt8] = []
        while call.count < Self.callSeconds * 8000 { call += loud + quiet }
        return Self.best {
            var ear = LineEar(weights)
            for start in stride(from: 0, to: call.count - 159, by: 160) {
                call[start..<start + 160].withUnsafeBufferPointer { ear.hear(mulaw: $0) { _ in } }
            }
        } * 1000 / (Double(call.count) / 8000)
    }

    private static func noise(seconds: Int, rateHz: Int) -> [Int16] {
        var random = SeededGenerator(seed: 7)
        return (0..<seconds * rateHz).map { _ in Int16.random(in: -4000...4000, using: &random) }
    }

    private static func best(_ work: () -> Void) -> Double {
        (0..<rounds).map { _ in
            let start = ContinuousClock.now
            work()
            return (ContinuousClock.now - start) / .seconds(1)
        }.min() ?? 0
    }
}
