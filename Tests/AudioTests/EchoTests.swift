import Base
import Testing

@testable import Audio

/// The agent's own voice, come back from the caller's end.
struct EchoTests {
    /// Eight sentences of the agent's; the caller's comes over the last.
    private static func agent() throws -> [Int16] {
        let sentence = try SpeechDetectorTests.sentence()
        return (0..<8).flatMap { _ in sentence }
    }

    private static func starts(_ told: [String]) -> [Int] {
        told.filter { $0.contains("speechStarted") }.compactMap { Int($0.prefix { $0 != " " }) }
    }

    /// From the first word on, however late it comes.
    @Test(arguments: [(lateMs: 120, weaker: 32), (40, 8), (350, 16), (123, 6)])
    func itIsNotTheCaller(lateMs: Int, weaker: Int16) throws {
        let agent = try Self.agent()
        let echo = silence(ms: lateMs) + agent.map { $0 / weaker }
        let told = events(Array(echo.prefix(agent.count)), try Clips.weights.get(), agent: agent)
        #expect(Self.starts(told).isEmpty, "\(told)")
    }

    /// A caller six times as loud as the echo is told as soon as one on a quiet line, though the agent speaks on.
    @Test(arguments: [(lateMs: 120, weaker: 16), (45, 6), (350, 6)])
    func aCallerIsHeardOverIt(lateMs: Int, weaker: Int16) throws {
        let weights = try Clips.weights.get()
        let sentence = try SpeechDetectorTests.sentence()
        let agent = try Self.agent()
        let echo = silence(ms: lateMs) + agent.map { $0 / weaker }
        let caller = silence(ms: agent.count / 8 - 2000) + sentence + silence(ms: 1000)
        let alone = try #require(Self.starts(events(caller, weights)).first)
        let told = events(mixed(echo, caller), weights, agent: agent)
        let over = try #require(Self.starts(told).first)
        #expect((alone...alone + 60).contains(over), "alone \(alone), \(told)")
    }

    /// What is played is told by the worker's clock, what is heard as the network lets it; each of the agent's lines comes back a
    /// little sooner or later than the last.
    @Test(arguments: 1...40)
    func noJitterMakesItACaller(seed: UInt64) throws {
        let weights = try Clips.weights.get()
        let sentence = try SpeechDetectorTests.sentence()
        var random = SeededGenerator(seed: seed)
        var detector = SpeechDetector(weights)
        var told: [String] = []
        for run in 0..<6 {
            let late = Int.random(in: 840...1160, using: &random)
            let line = silence(ms: late / 8) + (sentence + sentence).map { $0 / 8 } + silence(ms: 700)
            var (played, heard) = (0, 0)
            let all = sentence + sentence
            for ms in stride(from: 20, through: line.count / 8, by: 20) {
                // A tick may be some milliseconds late, and frames come in twos and threes.
                let upTo = min(all.count, (ms - Int.random(in: 0...9, using: &random)) * 8)
                if upTo > played {
                    all[played..<upTo].withUnsafeBufferPointer { detector.agentSounds($0) }
                    played = upTo
                }
                guard Int.random(in: 0..<4, using: &random) > 0 else { continue }
                while heard + 160 <= min(line.count, ms * 8) {
                    line[heard..<heard + 160].withUnsafeBufferPointer {
                        detector.hear($0) { told.append("run \(run) \(heard / 8) \($0)") }
                    }
                    heard += 160
                }
            }
        }
        #expect(!told.contains { $0.contains("speechStarted") }, "\(told)")
    }
}

struct AgentVoiceTests {
    private static func sound(_ voice: inout AgentVoice, ms: Int, amplitude: Double = 1414) {
        tone(500, amplitude: amplitude, samples: ms * 8).withUnsafeBufferPointer { voice.add($0) }
    }

    @Test func itIsAskedForByHalvesOfTenMilliseconds() {
        var voice = AgentVoice()
        #expect(voice.next() == nil)
        Self.sound(&voice, ms: 7)
        Self.sound(&voice, ms: 7)
        Self.sound(&voice, ms: 6, amplitude: 14_140)
        let halves = [voice.next(), voice.next()].map { $0.map { Int($0.rounded()) } }
        #expect(halves == [60, 78])
    }

    /// A tick that is late shifts what follows, once; the end is told a moment late.
    @Test func itGoesOnForAMomentWhereMoreIsToCome() {
        var voice = AgentVoice()
        Self.sound(&voice, ms: 10)
        var told = (0..<3).map { _ in voice.next() != nil }
        Self.sound(&voice, ms: 20)
        told += (0..<7).map { _ in voice.next() != nil }
        #expect(told == [true, true, true, true, true, true, true, true, false, false])
    }

    @Test func aLineThatStoodStillKeepsWhatWasPlayedLast() {
        var voice = AgentVoice()
        Self.sound(&voice, ms: 5000, amplitude: 100)
        Self.sound(&voice, ms: 1000, amplitude: 10_000)
        let halves = (0..<100).compactMap { _ in voice.next() }
        #expect(halves.count == 100 && halves.allSatisfy { $0 > 70 })
        #expect((0..<10).contains { _ in voice.next() == nil })
    }
}
