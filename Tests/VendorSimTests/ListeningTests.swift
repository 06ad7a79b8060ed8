import Base
import NIOCore
import Testing

@testable import VendorSim

extension OverSockets {
    /// The caller's ear and voice over a real stream: nothing but µ-law passes.
    struct ListeningTests {
        @Test func theCallerUnderstandsTheAgentAndAnswers() async throws {
            let voices = PersonaVoices()
            let question = try await voices.speak("What is your phone number, please?", voice: "slt")
            let persona = Persona(
                .talks(
                    .init(
                        cues: [
                            Cue(
                                ["phone number"],
                                [
                                    .words("four one five"), .pause(.milliseconds(300)),
                                    .words("two two seven"),
                                ],
                                hangsUp: true),
                            .hear("your name", say: "my name is anna"),
                        ],
                        grammar: HeardGrammar([
                            "what is your phone number please", "what is your name", "goodbye",
                        ]))))
            try await withLine { app, carrier in
                app.twiml(at: "/voice", "<Connect><Stream url=\"\(app.mediaURL)\"/></Connect>")
                app.whenStarted { $0.play(question) }
                let seen = try await carrier.placeInbound(from: callerNumber, to: number, persona: persona)
                    .ended()
                #expect(seen.heard.count == 1)
                #expect(seen.heard.first?.text.hasPrefix("what is your phone number") == true)
                #expect(seen.said.map(\.text) == ["four one five two two seven"])
                #expect(seen.endedBy == "caller")
                // The answer follows the 400 ms that end a line, and little more.
                let pause = (seen.said.first?.startMs ?? 0) - (seen.heard.first?.endMs ?? 0)
                #expect((300...1200).contains(pause))
                #expect(seen.callerAudio.contains { $0 != MuLaw.silence })
            }
        }

        @Test func theCallerCutsIntoALongLine() async throws {
            let desk = AppointmentDesk()
            let notice = try await PersonaVoices().speak(desk.notice, voice: "slt")
            let names = CallerNames.all
            let persona = Persona(
                .talks(
                    .init(
                        cues: [
                            Cue(
                                ["please note"], [.words("yes go on please")],
                                timing: .bargeIn(after: .seconds(2)), hangsUp: true)
                        ],
                        grammar: desk.grammar(names: names))))
            try await withLine { app, carrier in
                app.twiml(at: "/voice", "<Connect><Stream url=\"\(app.mediaURL)\"/></Connect>")
                app.whenStarted { $0.play(notice) }
                let seen = try await carrier.placeInbound(from: callerNumber, to: number, persona: persona)
                    .ended()
                let said = try #require(seen.said.first)
                let line = try #require(seen.heard.first)
                #expect((1900...4500).contains(said.startMs - line.startMs))
            }
        }

        /// An agent that knows its lines by heart plays the appointment desk to several callers at once.
        @Test func theAppointmentIsTalkedThrough() async throws {
            let seed: UInt64 = 7
            let appointment = Persona.appointment(seed: seed)
            let desk = AppointmentDesk()
            let voices = PersonaVoices()
            let spoken = HeardGrammar.spoken(appointment.expected.phone)
            var lines: [[UInt8]] = []
            for line in desk.lines.dropLast(desk.repeats.count + desk.interludes.count) {
                let text = line.replacing("{name}", with: appointment.expected.name)
                    .replacing("{day}", with: appointment.expected.day.spoken).replacing(
                        "{phone}", with: spoken)
                lines.append(try await voices.speak(text, voice: "slt"))
            }
            let script = lines
            try await withLine { app, carrier in
                app.twiml(at: "/voice", "<Connect><Stream url=\"\(app.mediaURL)\"/></Connect>")
                let call = try await carrier.placeInbound(
                    from: callerNumber, to: number, persona: appointment.persona)
                let far = await app.streams.next()
                let agent = Task {
                    for line in script {
                        far.play(line)
                        await far.callerSpokeAndStopped()
                    }
                }
                let seen = await call.ended()
                agent.cancel()
                far.media.put(ByteBuffer())
                #expect(seen.endedBy == "caller", "seed \(seed): \(seen.heard.map(\.text))")
                #expect(seen.said.count >= 5, "seed \(seed): \(seen.said.map(\.text))")
                let story = (seen.heard + seen.said).sorted { $0.startMs < $1.startMs }.map {
                    "\($0.startMs) \($0.text)"
                }
                #expect(
                    seen.said.first?.text == "my name is \(appointment.expected.name)",
                    "seed \(seed): \(story)")
                #expect(
                    seen.said.filter { $0.text.hasPrefix("sorry") }.count <= 1, "seed \(seed): \(story)")
            }
        }
    }
}

extension FarEnd {
    /// Waits for sound and then 900 ms of none: longer than the caller's pauses inside a number.
    fileprivate func callerSpokeAndStopped() async {
        var hasSpoken = false
        var quiet = 0
        while quiet < 45, !Task.isCancelled {
            let frame = FarEnd.audio(await media.next())
            if MuLaw.loudness(frame[...]) > 100 {
                // An agent that listens stops at once.
                if !hasSpoken { clear() }
                (hasSpoken, quiet) = (true, 0)
            } else if hasSpoken {
                quiet += 1
            }
        }
    }
}
