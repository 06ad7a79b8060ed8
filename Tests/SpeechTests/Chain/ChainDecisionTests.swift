import Base
import NIOCore
import Testing

@testable import Speech

struct VendorRotationTests {
    static let lost = Fault(code: "x", retry: .after(.zero), cause: "")
    static let refused = Fault(code: "x", retry: .never, cause: "")

    @Test func theNextInOrderTakesOverAndStays() {
        var rotation = VendorRotation(count: 3)
        #expect(rotation.first { _ in true } == 0)
        #expect(rotation.failed(Self.lost, tried: [0]) { _ in true } == 1)
        #expect(rotation.first { _ in true } == 1)
        #expect(rotation.failed(Self.lost, tried: [1]) { _ in true } == 2)
        #expect(rotation.failed(Self.lost, tried: [2]) { _ in true } == 0)
    }

    @Test func openBreakersAndSpentAccountsArePassedOver() {
        var rotation = VendorRotation(count: 3)
        #expect(rotation.failed(Self.refused, tried: [0]) { $0 != 1 } == 2)
        #expect(rotation.failed(Self.lost, tried: [2]) { $0 == 0 } == nil)
        #expect(rotation.first { $0 == 0 } == 2)
        #expect(rotation.mayRepeat)
    }

    @Test func anAccountThatIsRefusedIsNotAskedAgain() {
        var rotation = VendorRotation(count: 1)
        #expect(rotation.failed(Self.refused, tried: [0]) { _ in true } == nil)
        #expect(!rotation.mayRepeat)
    }
}

struct SpokenProgressTests {
    static let text = "Your table is booked for Tuesday."

    private func words(_ ends: [Int]) -> [Word] {
        zip(Self.text.split(separator: " "), ends).map {
            Word(text: String($0), startMs: $1 - 100, endMs: $1)
        }
    }

    @Test func theRestBeginsAtTheFirstWordNotGivenOnWhole() {
        var progress = SpokenProgress(Self.text)
        progress.heard(words([200, 500, 700, 1_000, 1_200, 1_700]))
        progress.heard(bytes: 8 * 720)
        #expect(progress.resume() == "booked for Tuesday.")
        // The next voice has times of its own.
        progress.heard(bytes: 8 * 300)
        progress.heard([Word(text: "booked", startMs: 0, endMs: 290)])
        #expect(progress.resume() == "for Tuesday.")
    }

    @Test func nothingHeardBeginsAnewAndAllHeardLeavesNothing() {
        var progress = SpokenProgress(Self.text)
        #expect(progress.resume() == Self.text)
        progress.heard(words([200, 500, 700, 1_000, 1_200, 1_700]))
        progress.heard(bytes: 8 * 1_700)
        #expect(progress.resume() == "")
    }

    @Test func withoutTimesTheLengthOfTheWordsTells() {
        var progress = SpokenProgress(Self.text, msPerCharacter: 50)
        progress.heard(bytes: 8 * 700)  // "Your table is" and its spaces: 14 characters.
        #expect(progress.resume() == "booked for Tuesday.")
    }

    @Test func timesThatCameForSomeWordsAreGoneOnFrom() {
        var progress = SpokenProgress(Self.text, msPerCharacter: 50)
        progress.heard(words([250, 550]))
        progress.heard(bytes: 8 * 710)  // 160 ms behind "table": "is " fits in.
        #expect(progress.resume() == "booked for Tuesday.")
    }

    @Test(arguments: 0..<UInt64(300))
    func noWordIsLostAndNoneComesTwice(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var progress = SpokenProgress(Self.text)
        var said: [String] = []
        for _ in 0..<4 {
            let part = progress.part.split(separator: " ").map(String.init)
            var ends: [Int] = []
            for _ in part { ends.append((ends.last ?? 0) + Int.random(in: 80...400, using: &random)) }
            let isTold = Bool.random(using: &random)
            if isTold { progress.heard(zip(part, ends).map { Word(text: $0, startMs: $1, endMs: $1) }) }
            let heardMs = Int.random(in: 0...(ends.last ?? 0) + 50, using: &random)
            progress.heard(bytes: heardMs * 8)
            let rest = progress.resume().split(separator: " ").map(String.init)
            #expect(part.suffix(rest.count) == rest[...], "seed \(seed)")
            let whole = part.prefix(part.count - rest.count)
            if isTold { #expect(whole.count == ends.count { $0 <= heardMs }, "seed \(seed)") }
            said += whole
        }
        said += progress.part.split(separator: " ").map(String.init)
        #expect(said.joined(separator: " ") == Self.text, "seed \(seed)")
    }
}

struct HeardAudioTests {
    private func audio(_ from: Int, _ count: Int) -> ByteBuffer {
        ByteBuffer(bytes: (from..<from + count).map { UInt8($0 / 160 % 251) })
    }
    private func bytes(_ from: Int, _ count: Int) -> [UInt8] { Array(audio(from, count).readableBytesView) }

    private func hear(_ heard: inout HeardAudio, milliseconds: Int) {
        for _ in 0..<milliseconds / 20 { heard.add(audio(heard.position, 160)) }
    }

    @Test func anOpenUtteranceIsPlayedFromALittleBeforeItsEdge() {
        var heard = HeardAudio()
        hear(&heard, milliseconds: 2_000)
        heard.utteranceStarted()
        hear(&heard, milliseconds: 1_000)
        let (from, audio) = heard.replay
        #expect(from == 1_600 * 8)
        #expect(Array(audio.readableBytesView) == bytes(from, 1_400 * 8))
    }

    @Test func whatHasItsWordsIsNotPlayedAgain() {
        var heard = HeardAudio()
        hear(&heard, milliseconds: 500)
        heard.utteranceStarted()
        hear(&heard, milliseconds: 1_500)
        heard.finalCame(endMs: 1_200, isInUtterance: true)
        #expect(heard.replay.from == 1_200 * 8)
        heard.finalCame(endMs: 1_900, isInUtterance: false)
        #expect(heard.openAt == nil && heard.replay.from == 1_900 * 8)
        // The next begins so soon that its lead would reach into it.
        hear(&heard, milliseconds: 100)
        heard.utteranceStarted()
        #expect(heard.replay.from == 1_900 * 8)
    }

    @Test func noMoreIsKeptThanItsLimit() {
        var heard = HeardAudio()
        heard.utteranceStarted()
        hear(&heard, milliseconds: 20_000)
        let (from, audio) = heard.replay
        #expect(from == 12_000 * 8 && audio.readableBytes == HeardAudio.bytesMax)
        #expect(Array(audio.readableBytesView) == bytes(from, HeardAudio.bytesMax))
    }

    @Test func wordsThatTheEarTookForNoSpeechCountToo() {
        var heard = HeardAudio()
        hear(&heard, milliseconds: 3_000)
        heard.partialCame()
        hear(&heard, milliseconds: 100)
        #expect(heard.replay.from == 2_600 * 8)
    }
}
