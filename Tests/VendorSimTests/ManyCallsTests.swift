import Glibc
import Testing

@testable import VendorSim

extension OverSockets {
    struct ManyCallsTests {
        /// 100 keypad callers on one clock, each led through two lines.
        @Test func aHundredKeypadCallsRunOnOneLoop() async throws {
            var configuration = SimulatedCarrier.Configuration()
            configuration.keepsAudio = false
            try await withLine(configuration) { app, carrier in
                app.twiml(at: "/voice", "<Connect><Stream url=\"\(app.mediaURL)\"/></Connect>")
                app.whenStarted { far in
                    far.play(tone(ms: 1000))
                    far.whenDigit = { if $0 == "2" { far.play(tone(ms: 200)) } }
                }
                let began = ProcessorTime.now
                var calls: [PlacedCall] = []
                for index in 0..<100 {
                    calls.append(
                        try await carrier.placeInbound(
                            from: "+1415555\(1000 + index)", to: number,
                            persona: .keypad(["12"], hangsUpAfterLast: true)))
                }
                var seconds = 0.0
                for call in calls {
                    let seen = await call.ended()
                    #expect(seen.endedBy == "caller")
                    #expect(seen.pressed == "12")
                    #expect(seen.framesPlayed == 60)
                    seconds += Double(seen.durationMs) / 1000
                }
                // Both ends together, in a debug build: the carrier's own share is a fraction of it.
                let cost = (ProcessorTime.now - began) / seconds * 1000
                #expect(cost < 20, "\(cost) ms of CPU a call-second")
            }
        }
    }
}

enum ProcessorTime {
    /// Seconds of CPU the process has used.
    static var now: Double { Double(clock()) / Double(CLOCKS_PER_SEC) }
}
