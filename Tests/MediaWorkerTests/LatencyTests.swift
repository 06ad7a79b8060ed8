import Agents
import Base
import CallDispatch
import Conversation
import HTTPClient
import TestKit
import Testing

@testable import MediaWorker

/// An answer as it was measured, milliseconds from the end of the caller's speech.
private func stages(_ final: Int?, _ end: Int?, _ token: Int?, _ audio: Int?, _ heard: Int?)
    -> Dialogue.Stages
{
    var stages = Dialogue.Stages()
    stages.finalTextMs = final
    stages.endOfTurnMs = end
    stages.firstTokenMs = token
    stages.firstAudioMs = audio
    stages.heardMs = heard
    return stages
}

struct LatencyTests {
    @Test func eachStageIsWhatItTook() {
        let latency = TurnLatency(stages(150, 400, 620, 730, 760))
        #expect(
            latency.stages == [
                .stt: 150, .endpointing: 400, .llm: 220, .tts: 110, .playout: 30, .total: 760,
            ])
    }

    @Test func anAnswerBegunAheadTookNothingOfTheTurn() {
        let latency = TurnLatency(stages(150, 400, 300, 390, 420))
        #expect(latency.stages[.llm] == 0 && latency.stages[.tts] == 90 && latency.stages[.playout] == 20)
    }

    @Test func aLineWithoutAModelHasNoModelStage() {
        let latency = TurnLatency(stages(nil, 300, nil, 340, 360))
        #expect(latency.stages == [.endpointing: 300, .tts: 40, .playout: 20, .total: 360])
    }

    @Test func whatTakesLongerThanItMayIsTold() {
        let budgets = LatencyBudgets()
        #expect(TurnLatency(stages(300, 300, 600, 800, 800)).breaches(of: budgets).isEmpty)
        let breaches = TurnLatency(stages(301, 500, 900, 1000, 1300)).breaches(of: budgets)
        #expect(
            breaches.map { "\($0.stage) \($0.milliseconds)/\($0.budgetMs)" } == [
                "stt 301/300", "llm 400/300", "total 1300/800", "total 1300/1200",
            ])
        #expect(breaches.map(\.isCeiling) == [false, false, false, true])
        var patient = budgets
        patient.llmMs = 400
        #expect(TurnLatency(stages(0, 500, 900, 1000, 700)).breaches(of: patient).isEmpty)
    }
}

struct TurnVoiceTests {
    private static let nova = ModelChoice(vendor: "deepgram", model: "nova-3")
    private static let flux = ModelChoice(vendor: "deepgram", model: "flux-general-en")
    private static let sonic = ModelChoice(vendor: "cartesia", model: "sonic-3.5")
    private static let flash = ModelChoice(vendor: "elevenlabs", model: "eleven_flash_v2_5")
    private static let line = ModelChoice(vendor: "cache", model: "")
    private typealias ID = Dialogue.UtteranceID

    @Test func aTurnNamesWhoHeardAndSpokeItAndTheNextWhoTookOver() {
        var voices = TurnVoices(prepared: "cache")
        voices.understood(by: Self.nova)
        voices.sounds(ID(1), by: Self.sonic)
        voices.heard(ID(1))
        // While it sounds: the next recogniser takes over, and the next voice for the rest of the turn.
        voices.understood(by: Self.flux)
        voices.sounds(ID(2), by: Self.flash)
        voices.heard(ID(2))
        #expect(voices.take(model: nil) == StageVendors(stt: Self.nova, llm: nil, tts: Self.sonic))
        voices.sounds(ID(3), by: Self.flash)
        voices.heard(ID(3))
        let next = voices.take(model: nil)
        #expect(next == StageVendors(stt: Self.flux, llm: nil, tts: Self.flash))
        #expect(next.labels(.tts).map(\.1) == ["tts", "elevenlabs", "eleven_flash_v2_5"])
        #expect(next.labels(.stt).map(\.1) == ["stt", "deepgram", "flux-general-en"])
        #expect(next.labels(.total).map(\.1) == ["total", "", ""])
    }

    @Test func aFillerMadeAheadIsNotWhoAnswered() {
        var voices = TurnVoices(prepared: "cache")
        voices.sounds(ID(1), by: Self.line)
        voices.heard(ID(1))
        voices.sounds(ID(2), by: Self.sonic)
        voices.heard(ID(2))
        #expect(voices.take(model: nil).tts == Self.sonic)
        voices.sounds(ID(3), by: Self.line)
        voices.heard(ID(3))
        #expect(voices.take(model: nil).tts == Self.line)
        // What was made ahead for the turn that follows is not forgotten.
        voices.sounds(ID(4), by: Self.sonic)
        _ = voices.take(model: nil)
        voices.heard(ID(4))
        #expect(voices.take(model: nil).tts == Self.sonic)
    }
}

struct TraceTests {
    static let trace = CallTrace(
        call: ID(high: 0x7000, low: 0x8001), tenant: ID(high: 1, low: 1), epoch: 1, startedAt: 1_000_000_000)
    static let vendors = StageVendors(
        stt: ModelChoice(vendor: "deepgram", model: "nova-3"),
        llm: ModelChoice(vendor: "openai", model: "luna"),
        tts: ModelChoice(vendor: "cartesia", model: "sonic-3.5"))

    static func turn(_ number: Int) -> [Span] {
        var fact = Dialogue.TurnFact(
            number: number, speaker: .agent, text: "secret words", startedAt: .milliseconds(5000),
            endedAt: .milliseconds(7000))
        let measured = stages(150, 400, 620, 730, 760)
        fact.stages = measured
        return trace.turn(fact, TurnLatency(measured), vendors)
    }

    @Test func aTurnsStagesLieInItAndItInItsCall() throws {
        let spans = Self.turn(4)
        let call = Self.trace.call(endedAt: .milliseconds(9000), reason: .callerHungUp, direction: "inbound")
        let turn = try #require(spans.first)
        #expect(call.trace == "00000000000070000000000000008001" && turn.trace == call.trace)
        #expect(turn.parent == call.id && spans.dropFirst().allSatisfy { $0.parent == turn.id })
        #expect(spans.map(\.name) == ["turn", "stt", "endpointing", "llm", "tts", "playout"])
        // The caller was silent at 4240 ms; the answer was heard at 5000 and ended at 7000.
        #expect((turn.start - call.start) / 1_000_000 == 4240 && (turn.end - call.start) / 1_000_000 == 7000)
        #expect((spans[3].end - spans[3].start) / 1_000_000 == 220)
        #expect(spans[3].attributes["parley.model"] == "luna")
        #expect(spans[1].attributes["parley.vendor"] == "deepgram")
        #expect(spans[1].attributes["parley.model"] == "nova-3")
        #expect(spans[4].attributes["parley.model"] == "sonic-3.5")
        #expect(spans[2].attributes["parley.vendor"] == nil, "our own stage")
        #expect(spans.allSatisfy { turn.start <= $0.start && $0.end <= turn.end })
        #expect(Set(spans.map(\.id) + [call.id]).count == 7)
        #expect(Self.turn(4) == spans, "told twice, it is the same")
    }

    @Test func spansAreWrittenAsACollectorReadsThem() throws {
        let body = OTLP.body(Self.turn(4), resource: ["service.name": "parley"])
        let json = try #require(JSON(parsing: String(decoding: body, as: UTF8.self)))
        let resource = json["resourceSpans"]?.array?.first
        #expect(
            resource?["resource"]?["attributes"]?.array?.first
                == ["key": "service.name", "value": ["stringValue": "parley"]])
        let span = resource?["scopeSpans"]?.array?.first?["spans"]?.array?.first
        #expect(span?["startTimeUnixNano"] == "5240000000")
        #expect(span?["spanId"]?.string?.count == 16 && span?["kind"] == 1)
        #expect(!String(decoding: body, as: UTF8.self).contains("secret"))
    }
}

@Suite(.timeLimit(.minutes(1))) struct SpanExporterTests {
    @Test func aCollectorGetsWhatWaitsInBatches() async throws {
        let collector = try await Collector.start()
        let http = HTTPClient(addresses: .anyAddress, logger: .quiet)
        let exporter = SpanExporter(url: collector.url + "/", http: http, resource: [:])
        for number in 0..<200 { exporter.add(TraceTests.turn(number)) }
        #expect(await exporter.flush())
        let counts = collector.bodies.map { body in
            body["resourceSpans"]?.array?.first?["scopeSpans"]?.array?.first?["spans"]?.array?.count ?? 0
        }
        #expect(counts == [512, 512, 176] && exporter.waitingCount == 0)
        await http.close()
        try await collector.stop()
    }

    @Test func withoutACollectorSpansAreDroppedAndTheRestIsBounded() async throws {
        let http = HTTPClient(addresses: .anyAddress, logger: .quiet)
        let exporter = SpanExporter(url: "http://127.0.0.1:1", http: http, resource: [:])
        for number in 0..<2000 { exporter.add(TraceTests.turn(number)) }
        #expect(exporter.waitingCount == SpanExporter.queueMax)
        #expect(await exporter.flush() == false)
        #expect(exporter.waitingCount == SpanExporter.queueMax - SpanExporter.batchMax)
        await http.close()
    }

    @Test func whatWaitsAtTheEndIsSent() async throws {
        let collector = try await Collector.start()
        let http = HTTPClient(addresses: .anyAddress, logger: .quiet)
        let exporter = SpanExporter(url: collector.url, http: http, resource: [:])
        let running = Task { await exporter.run() }
        running.cancel()
        exporter.add(TraceTests.turn(1))
        await running.value
        _ = await exporter.flush()
        #expect(collector.bodies.count == 1)
        await http.close()
        try await collector.stop()
    }
}
