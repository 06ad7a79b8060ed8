import Glibc
import Testing

@testable import VendorSim

@Suite(.serialized) struct ManyCallsTests {
    /// 100 keypad callers on one clock, each led through two lines.
    @Test func aHundredKeypadCallsRunOnOneLoop() async throws {
        var configuration = SimulatedCarrier.Configuration()
        configuration.keepsAudio = false
        try await withLine(configuration) { app, carrier in
            app.twiml(at: "/voice", "<Connect><Stream url=\"\(app.mediaURL)\"/></Connect>")
            app.whenStarted { $0.play(tone(ms: 1000)) }
            var calls: [PlacedCall] = []
            for index in 0..<100 {
                let persona = Persona.keypad(["12"], hangsUpAfterLast: false)
                var timed = persona
                timed.hangsUpAfter = .seconds(3)
                calls.append(
                    try await carrier.placeInbound(from: "+1415555\(1000 + index)", to: number, persona: timed))
            }
            for call in calls {
                let seen = await call.ended()
                #expect(seen.endedBy == "caller")
                #expect(seen.pressed == "12")
                #expect(seen.framesPlayed == 50)
            }
        }
    }
}
