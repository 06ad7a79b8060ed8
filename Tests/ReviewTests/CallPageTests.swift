import Audio
import Base
import Conversation
import Foundation
import MediaWorker
import Review
import Testing

@Suite struct CallPageTests {
    private func talk() throws -> RecordedCall {
        var tape = try Tape(desk)
        tape.caller(2000, "my <script>alert(1)</script> router is broken", lasting: 1500)
        tape.at(5000, .stirred)
        tape.at(5060, .speechStarted(agoMs: 60))
        tape.at(5260, .speechEnded(agoMs: 100))
        tape.caller(9000, "since yesterday evening", lasting: 1000)
        tape.run(until: 20_000)
        return tape.call
    }

    private let call: JSON = [
        "from": "+12025550100", "to": "+12025550101", "state": "ended", "end_reason": "agent_hung_up",
        "connected_ms": 14_250, "cost": "0.0123",
        "cost_lines": [
            [
                "component": "telephony", "source": "twilio", "unit": "milliseconds", "quantity": 14_250,
                "billed": 60_000,
                "price": "0.0085", "per": 60_000, "amount": "0.0085",
            ]
        ],
    ]

    /// A stereo recording at 8 kHz; without a second side the agent is silent.
    private func recording(_ caller: [Int16], _ agent: [Int16]? = nil) throws -> WAV.Sound {
        let agent = agent ?? [Int16](repeating: 0, count: caller.count)
        let samples = zip(caller, agent).flatMap { [$0, $1] }
        let bytes = samples.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        return try WAV.read(WAV.header(dataBytes: bytes.count) + bytes)
    }

    private func page(_ story: CallStory?, waveform: Waveform? = nil, missing: [String] = []) -> String {
        CallPage(
            sheet: CallSheet(call, id: "call_1"), story: story, waveform: waveform,
            sound: waveform == nil ? nil : "UklGRg==", missing: missing
        ).html
    }

    @Test func decisionsCarryTheirReasons() throws {
        let story = CallStory(try talk())
        let told = story.decisions.map { "\($0.kind.rawValue): \($0.why)" }
        #expect(told.contains("duck: first sign of the caller's voice"), "\(told)")
        #expect(told.contains { $0.hasPrefix("pause: speech over the agent has lasted ") }, "\(told)")
        #expect(told.contains("resume: speech ended before it counted as an interruption"), "\(told)")
        #expect(told.count { $0.hasPrefix("turn: waited ") } == 2, "\(told)")
        #expect(story.decisions.map(\.atMs) == story.decisions.map(\.atMs).sorted())
        #expect(story.turns.map(\.fact.speaker) == [.agent, .caller, .agent, .caller, .agent])
        #expect(story.turns[3].words.map(\.text) == ["since", "yesterday", "evening"])
        #expect(story.turns[3].reason?.hasPrefix("waited ") == true)
        #expect(story.recordingMs == 0)
    }

    @Test func aLaterLegFollowsTheOneBefore() throws {
        let one = try talk()
        let alone = CallStory(one)
        let story = CallStory(RecordedCall(legs: one.legs + one.legs))
        #expect(story.legs == [0, alone.lengthMs])
        #expect(story.lengthMs == 2 * alone.lengthMs)
        #expect(story.turns[5].startMs == alone.turns[0].startMs + alone.lengthMs)
        #expect(story.turns[8].words.first?.startMs == 9000 + alone.lengthMs)
    }

    @Test func noWordOfACallBecomesMarkup() throws {
        let html = page(CallStory(try talk()))
        #expect(!html.contains("<script>alert"))
        #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
        #expect(!html.contains("<b>"))
        #expect(html.contains("&lt;b&gt;&amp; goodbye&lt;/b&gt;"))
    }

    @Test func thePageNeedsNothingElse() throws {
        let sound = try recording([Int16](repeating: 900, count: 160_000))
        let html = page(CallStory(try talk()), waveform: Waveform(sound))
        for outside in ["http://", "https://", "src=\"/", "@import", "url("] {
            #expect(!html.contains(outside), "\(outside)")
        }
        #expect(html.contains("default-src &#39;none&#39;"))
        #expect(html.contains("src=\"data:audio/wav;base64,UklGRg==\""))
        #expect(html.contains("<path class=\"wave caller\" d=\"M0 "))
    }

    @Test func everyPartIsOnThePage() throws {
        let html = page(CallStory(try talk()))
        for part in [
            "<h2>Time line</h2>", "<h2>Words</h2>", "<h2>Cost</h2>", "<h2>Notes</h2>", "<h2>Decisions</h2>",
            "first audio", "telephony", "14250 milliseconds", "0.0085 per 60000 milliseconds", "0.0123",
            "+12025550100", "agent hung up",
        ] {
            #expect(html.contains(part), "\(part)")
        }
        #expect(!html.contains("<audio"), "nothing to hear without a recording")
        #expect(html.components(separatedBy: "<svg class=\"score\"").count - 1 == 1)
    }

    @Test func aPageWithoutJournalSaysSoAndShowsTheRest() {
        let html = page(nil, missing: ["There is no journal <here>."])
        #expect(html.contains("<p class=\"missing\">There is no journal &lt;here&gt;.</p>"))
        #expect(html.contains("<h2>Cost</h2>"))
        #expect(!html.contains("<h2>Decisions</h2>"))
    }

    @Test func everyElementIsClosed() throws {
        let sound = try recording([Int16](repeating: 900, count: 8000))
        let html = page(CallStory(try talk()), waveform: Waveform(sound))
        var open: [String] = []
        for match in html.matches(of: /<(\/?)([a-z0-9]+)(?:\s[^<>]*?)?(\/?)>/) {
            let (name, isEnd) = (String(match.2), !match.1.isEmpty)
            if isEnd { #expect(open.popLast() == name) } else if match.3.isEmpty { open.append(name) }
        }
        #expect(open.isEmpty, "\(open)")
    }

    @Test func loudnessIsOfTheLoudestOfBothSides() throws {
        let quiet = [Int16](repeating: 1024, count: 256)
        let sound = try recording(quiet + quiet, quiet.map { -4 * $0 } + quiet)
        let waveform = Waveform(sound)
        #expect(waveform.caller == [0.25, 0.25])
        #expect(waveform.agent == [1, 0.25])
        #expect(waveform.lengthMs == 64)
        #expect(Waveform(try recording([])).caller.isEmpty)
    }
}

@Suite struct JournalReadingTests {
    private static func recorded() throws -> Data {
        let file = try #require(
            Bundle.module.url(forResource: "version-1", withExtension: "journal", subdirectory: "Recordings"))
        return try Data(contentsOf: file)
    }

    @Test func aJournalOfTheFirstVersionStillReplays() throws {
        let journal = try JournalReading(Self.recorded())
        #expect(journal.headers.map(\.version) == [1])
        let story = CallStory(journal.call)
        #expect(story.turns.count { $0.fact.speaker == .caller } >= 4)
        #expect(story.decisions.last?.kind == .end)
        let result = WhatIf(journal.call, try PolicyChanges(["endpointing_ms": 700]))
        #expect(result.rows.allSatisfy { $0.recorded == $0.other })
    }

    @Test func aLineThatWasCutShortIsLeftOut() throws {
        let whole = try Self.recorded()
        let journal = try JournalReading(whole.dropLast(20))
        #expect(
            journal.call.legs[0].entries.count == (try JournalReading(whole)).call.legs[0].entries.count - 1)
    }

    @Test func whatIsNoJournalIsRefusedByLine() {
        #expect {
            try JournalReading(Data("{\"input\":{\"kind\":\"deadline\"},\"t\":1}\n".utf8))
        } throws: {
            "\($0)".hasPrefix("line 1: ")
        }
        #expect {
            try JournalReading(Data())
        } throws: {
            "\($0)" == "the journal is empty"
        }
    }
}
