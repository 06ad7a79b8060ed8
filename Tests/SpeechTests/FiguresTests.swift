import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import Speech

/// Figures for `docs/benchmarks.md`: only with PARLEY_FIGURES set, because they take a minute and judge nothing.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["PARLEY_FIGURES"] != nil), .serialized)
struct FiguresTests {
    static let loop = MultiThreadedEventLoopGroup.singleton.next()

    private static func report(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }
    private static func ms(_ duration: Duration) -> Double {
        Double(duration.components.attoseconds / 1_000_000_000_000) / 1_000 + Double(
            duration.components.seconds) * 1_000
    }
    private static func spread(_ values: [Double]) -> String {
        let sorted = values.sorted()
        func at(_ part: Double) -> Double { sorted[Int(Double(sorted.count - 1) * part)] }
        return String(format: "median %.1f, 95 %% %.1f, most %.1f ms", at(0.5), at(0.95), at(1))
    }

    @Test(arguments: ["rms", "slt"], ["names", "dates", "numbers"])
    func accuracy(voice: String, kind: String) async throws {
        let score = try await OfflineTests.measure(kind, voice: voice, seed: 99)
        Self.report(
            String(format: "%@ %@: %.1f %% right; final after the end: ", voice, kind, score.percent)
                + Self.spread(score.latencies.map(Self.ms)))
    }

    @Test(arguments: [1, 20])
    func firstAudio(calls: Int) async throws {
        for round in 0..<3 {
            let begun = ContinuousClock.now
            let times = try await withThrowingTaskGroup(of: (Double, Double).self) { group in
                for _ in 0..<calls {
                    group.addTask {
                        let recorder = Recorder<SynthesisEvent>()
                        let loop = MultiThreadedEventLoopGroup.singleton.next()
                        _ = try await on(loop) {
                            _ = Phone.synthesizer.speak(SynthesisTests.line, voice: "slt", on: loop) {
                                recorder.record($0)
                            }
                        }
                        _ = await recorder.first(SynthesisTests.ended)
                        let times = recorder.times.map { Self.ms($0 - begun) }
                        return (times.first ?? 0, times.last ?? 0)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            Self.report(
                "\(calls) speak at once, round \(round): first audio \(Self.spread(times.map(\.0))); "
                    + "all audio \(Self.spread(times.map(\.1)))")
        }
    }
}
