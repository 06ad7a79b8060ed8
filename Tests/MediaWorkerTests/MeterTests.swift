import Base
import Testing

@testable import MediaWorker

struct MeterTests {
    private static func heard(_ source: String, _ milliseconds: Int64) -> Usage {
        Usage(component: .stt, source: source, unit: .milliseconds, quantity: milliseconds)
    }

    @Test func onlyWhatARecogniserTellsIsBilled() {
        var meter = Meter()
        let speech = { meter.usage(connectedMs: 9_000, carrier: "twilio").filter { $0.component == .stt } }
        // Nobody was reached: what the caller said went nowhere.
        #expect(speech().isEmpty)
        meter.setRecognised(Self.heard("deepgram/nova-3", 1_000))
        meter.setRecognised(Self.heard("deepgram/nova-3", 4_000))
        meter.setRecognised(Self.heard("deepgram/flux-general-en", 2_000))
        #expect(
            speech() == [Self.heard("deepgram/flux-general-en", 2_000), Self.heard("deepgram/nova-3", 4_000)])
    }
}
