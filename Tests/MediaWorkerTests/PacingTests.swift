import Base
import Conversation
import MediaWorker
import NIOCore
import Testing

/// A carrier in virtual time: plays what it is sent without gaps, echoes marks after `delayMs`.
private struct Line {
    var pacing = Pacing()
    var delayMs = 0
    var now = 0
    /// Audio byte values in the order sent, with the time.
    var sent: [(at: Int, bytes: [UInt8])] = []
    var heard: [(at: Int, id: Int, samples: Int, isFinished: Bool)] = []
    var heardBytes: [UInt8] = []
    private var playEndMs = 0.0
    private var echoes: [(at: Double, mark: Int)] = []

    init(delayMs: Int = 0) { self.delayMs = delayMs }

    /// What the carrier still has to play.
    var leadMs: Double { max(0, playEndMs - Double(now)) }

    mutating func run(ms: Int, step: Int = 20) {
        let end = now + ms
        while now < end {
            for echo in echoes where echo.at <= Double(now) {
                pacing.echoed(echo.mark, at: .milliseconds(now))
            }
            echoes.removeAll { $0.at <= Double(now) }
            pump()
            hear()
            now += step
        }
    }

    mutating func pump() {
        while let order = pacing.next(at: .milliseconds(now)) {
            switch order {
            case .play(let view):
                sent.append((now, Array(view)))
                playEndMs = max(playEndMs, Double(now)) + Double(view.count) / 8
            case .mark(let number): echoes.append((max(playEndMs, Double(now)) + Double(delayMs), number))
            }
        }
    }

    mutating func hear() {
        for piece in pacing.hear(at: .milliseconds(now)) {
            heard.append((now, piece.id.number, piece.samples, piece.isFinished))
            heardBytes += Array(piece.audio.readableBytesView)
        }
    }

    /// The carrier drops what it has and answers all marks at once.
    mutating func carrierClears() {
        for echo in echoes { pacing.echoed(echo.mark, at: .milliseconds(now)) }
        echoes = []
        playEndMs = Double(now)
    }

    mutating func speak(_ id: Int, ms: Int, byte: UInt8? = nil) {
        let utterance = Dialogue.UtteranceID(id)
        pacing.enqueue(utterance)
        let audio = (0..<(ms * 8)).map { byte ?? UInt8(truncatingIfNeeded: $0 / 8) }
        same(pacing.append(ByteBuffer(bytes: audio), to: utterance), ms)
        same(pacing.complete(utterance), ms)
    }
}

@Suite struct PacingTests {
    @Test func framesGoOutAtTheirTimeWithASmallLead() {
        var line = Line()
        line.speak(1, ms: 3000)
        line.run(ms: 20)
        #expect(line.sent.count == 9)
        var leads: [Double] = []
        for _ in 0..<100 {
            line.run(ms: 20)
            leads.append(line.leadMs)
        }
        #expect(leads.allSatisfy { $0 >= 100 && $0 <= 180 })
        // Three frames at every third tick.
        let later = line.sent.dropFirst(9)
        #expect(later.count >= 90 && Set(later.map(\.at)).count * 3 == later.count)
        line.run(ms: 1500)
        #expect(line.sent.reduce(0) { $0 + $1.bytes.count } == 24_000)
        let counts = line.pacing.counts
        #expect((counts.frames, counts.late, counts.underruns) == (150, 0, 0))
    }

    @Test func anUtteranceIsFinishedWhenItsLastMarkIsEchoed() throws {
        var line = Line(delayMs: 60)
        line.speak(1, ms: 1000)
        line.run(ms: 1500)
        let finished = try #require(line.heard.last)
        #expect(finished.isFinished && finished.samples == 8000)
        #expect((1060...1080).contains(finished.at))
        #expect(line.heard.filter(\.isFinished).count == 1)
        #expect(!line.pacing.isBusy)
    }

    @Test func withoutMarksAnUtteranceIsFinishedAfterTheGrace() throws {
        var line = Line(delayMs: 60_000)
        line.speak(1, ms: 500)
        line.run(ms: 3000)
        let finished = try #require(line.heard.last)
        #expect(finished.isFinished && (1500...1600).contains(finished.at))
    }

    @Test func whatIsHeardIsNeverMoreThanWasSentAndNeverFalls() {
        var line = Line(delayMs: 40)
        line.speak(1, ms: 2000)
        for _ in 0..<120 {
            line.run(ms: 20)
            let sent = line.sent.reduce(0) { $0 + $1.bytes.count }
            #expect(line.heardBytes.count <= sent)
        }
        let samples = line.heard.map(\.samples)
        #expect(samples == samples.sorted())
        #expect(line.heardBytes.count == 16_000)
    }

    @Test func aPauseResumesFromTheVerySample() {
        var line = Line()
        line.speak(1, ms: 2000)
        line.run(ms: 500)
        line.hear()
        let before = line.heardBytes.count
        same(line.pacing.pause(at: .milliseconds(line.now)), true)
        line.carrierClears()
        line.run(ms: 400)
        #expect(line.heardBytes.count == before)
        let sentBefore = line.sent.count
        line.pacing.resume(fromStart: false)
        line.run(ms: 2500)
        #expect(line.sent[sentBefore].bytes.first == UInt8(truncatingIfNeeded: before / 8))
        #expect(line.heardBytes == (0..<16_000).map { UInt8(truncatingIfNeeded: $0 / 8) })
        #expect(line.pacing.counts.underruns == 0)
    }

    @Test func aClearDropsWhatWasNotHeardAndItsMarksMeanNothing() {
        var line = Line()
        line.speak(1, ms: 1000)
        line.speak(2, ms: 1000)
        line.run(ms: 300)
        line.hear()
        let heard = line.heardBytes.count
        let cleared = line.pacing.clear(at: .milliseconds(line.now))
        #expect(cleared.needsClear)
        #expect(cleared.dropped == [Dialogue.UtteranceID(1), Dialogue.UtteranceID(2)])
        line.carrierClears()
        line.run(ms: 3000)
        #expect(line.heardBytes.count == heard)
        #expect(!line.heard.contains { $0.isFinished })
        line.speak(3, ms: 200)
        line.run(ms: 400)
        #expect(line.heard.last.map { $0.id == 3 && $0.isFinished } == true)
    }

    @Test func utterancesFollowEachOtherInOrderOfSpeechNotOfSynthesis() {
        var line = Line(delayMs: 30)
        line.pacing.enqueue(Dialogue.UtteranceID(1))
        line.speak(2, ms: 400, byte: 2)
        line.run(ms: 100)
        #expect(line.sent.isEmpty)
        let first = Dialogue.UtteranceID(1)
        same(line.pacing.append(ByteBuffer(repeating: 1, count: 3200), to: first), 400)
        same(line.pacing.complete(first), 400)
        line.run(ms: 1200)
        #expect(line.heardBytes == [UInt8](repeating: 1, count: 3200) + [UInt8](repeating: 2, count: 3200))
        #expect(line.heard.filter(\.isFinished).map(\.id) == [1, 2])
    }

    @Test func aSynthesiserThatFallsBehindIsAnUnderrun() {
        var line = Line()
        let id = Dialogue.UtteranceID(1)
        line.pacing.enqueue(id)
        _ = line.pacing.append(ByteBuffer(repeating: 1, count: 1600), to: id)
        line.run(ms: 600)
        _ = line.pacing.append(ByteBuffer(repeating: 1, count: 1600), to: id)
        _ = line.pacing.complete(id)
        line.run(ms: 600)
        #expect(line.pacing.counts.underruns == 1)
        #expect(line.heardBytes.count == 3200)
    }

    @Test func aLateTickIsCounted() {
        var line = Line()
        line.speak(1, ms: 3000)
        line.run(ms: 200)
        line.now += 80
        line.run(ms: 200)
        #expect(line.pacing.counts.late > 0)
        #expect(line.pacing.counts.underruns == 0)
    }

    @Test func anEmptyUtteranceIsFinishedAtOnce() {
        var line = Line()
        line.pacing.enqueue(Dialogue.UtteranceID(1))
        same(line.pacing.complete(Dialogue.UtteranceID(1)), 0)
        line.run(ms: 100)
        #expect(line.heard.map(\.isFinished) == [true])
    }

    @Test func moreThanTheLimitIsRefused() {
        var policy = Pacing.Policy()
        policy.samplesMax = 1000
        var pacing = Pacing(policy)
        pacing.enqueue(Dialogue.UtteranceID(1))
        same(pacing.append(ByteBuffer(repeating: 1, count: 1000), to: Dialogue.UtteranceID(1)), 125)
        same(pacing.append(ByteBuffer(repeating: 1, count: 1), to: Dialogue.UtteranceID(1)), nil)
    }

    /// Random speech, pauses and clears: heard bytes of an utterance are always a prefix of it, in order.
    @Test(arguments: 0..<UInt64(60))
    func heardIsAlwaysAPrefixOfWhatWasSaid(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var line = Line(delayMs: Int.random(in: 0...120, using: &random))
        var id = 0
        for _ in 0..<80 {
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1:
                id += 1
                line.speak(
                    id, ms: Int.random(in: 0...900, using: &random), byte: UInt8(truncatingIfNeeded: id))
            case 2:
                line.hear()
                if line.pacing.pause(at: .milliseconds(line.now)) { line.carrierClears() }
            case 3: line.pacing.resume(fromStart: false)
            case 4:
                line.hear()
                if line.pacing.clear(at: .milliseconds(line.now)).needsClear { line.carrierClears() }
            default: break
            }
            line.run(ms: Int.random(in: 1...40, using: &random) * 10, step: 10)
        }
        let ids = line.heard.map(\.id)
        #expect(ids == ids.sorted(), "seed \(seed)")
        for (id, pieces) in Dictionary(grouping: line.heard, by: \.id) {
            let samples = pieces.map(\.samples)
            #expect(samples == samples.sorted(), "seed \(seed) utterance \(id)")
            #expect(pieces.dropLast().allSatisfy { !$0.isFinished }, "seed \(seed) utterance \(id)")
            let bytes = line.heardBytes.count { $0 == UInt8(truncatingIfNeeded: id) }
            #expect(bytes == samples.last, "seed \(seed) utterance \(id)")
        }
    }
}

/// `#expect` cannot call what changes its subject.
private func same<Value: Equatable>(_ a: Value, _ b: Value, _ location: SourceLocation = #_sourceLocation) {
    #expect(a == b, sourceLocation: location)
}
