import Base
import HTTPClient
import Synchronization
import Testing
import WebSockets

@testable import VendorSim

extension OverSockets {
    /// Phone calls against an application of a few lines.
    struct CarrierTests {
        @Test func aSignedWebhookStartsACallAndTheVerbsAreRunInOrder() async throws {
            try await withLine { app, carrier in
                app.twiml(at: "/voice", "<Play>/beep.wav</Play><Redirect>/second</Redirect>")
                app.twiml(at: "/second", "<Pause length=\"1\"/><Say>goodbye</Say>")
                app.answer(at: "/beep.wav") { _ in
                    (200, WaveFile.mono([Int16](repeating: 8000, count: 1600), sampleRate: 8000))
                }
                let call = try await carrier.placeInbound(from: callerNumber, to: number, persona: .silent)
                let seen = await call.ended()
                let hits = app.hits.all
                #expect(hits.map(\.path) == ["/voice", "/beep.wav", "/second"])
                let first = try #require(hits.first)
                #expect(first.status == "ringing")
                #expect(first.form[name: "From"] == callerNumber)
                let expected = WebhookSignature.make(
                    url: app.url + "/voice", parameters: first.form.fields, token: carrier.account.authToken)
                #expect(first.signature == expected)
                #expect(hits.last?.status == "in-progress")
                #expect(seen.status == .completed)
                #expect(seen.endedBy == "agent")
                #expect(seen.malformed == [])
                // The beep and the spoken line.
                #expect(seen.heard.count == 2)
                #expect(seen.agentAudio.count == seen.callerAudio.count)
            }
        }

        @Test func rejectEndsTheCallUnanswered() async throws {
            try await withLine { app, carrier in
                app.twiml(at: "/voice", "<Reject reason=\"busy\"/>")
                let seen = try await carrier.placeInbound(from: callerNumber, to: number, persona: .silent)
                    .ended()
                #expect(seen.status == .busy)
                #expect(seen.durationMs == 0)
            }
        }

        @Test(arguments: [(500, "<Response/>"), (200, "not xml"), (200, "<Response><Fly/></Response>")])
        func aBrokenApplicationLosesTheCall(_ status: Int, _ body: String) async throws {
            try await withLine { app, carrier in
                app.answer(at: "/voice") { _ in (status, Array(body.utf8)) }
                let seen = try await carrier.placeInbound(from: callerNumber, to: number, persona: .silent)
                    .ended()
                #expect(seen.status.isOver)
                #expect(seen.streams.isEmpty)
                #expect(seen.endedBy.hasPrefix(status == 500 ? "webhook failed" : "bad TwiML"))
            }
        }

        @Test func marksAreEchoedAfterPlaybackAndAtOnceWhenCleared() async throws {
            try await withLine { app, carrier in
                app.twiml(
                    at: "/voice",
                    "<Connect><Stream url=\"\(app.mediaURL)\"><Parameter name=\"token\" value=\"t1\"/></Stream></Connect>"
                )
                let call = try await carrier.placeInbound(from: callerNumber, to: number, persona: .silent)
                let far = await app.streams.next()
                #expect(far.parameters == ["token": "t1"])
                let start = far.start.with { $0["start"] }
                #expect(start?["mediaFormat"]?["sampleRate"]?.int == 8000)
                let request = await app.sockets.next()
                #expect(
                    request.header("X-Twilio-Signature")
                        == WebhookSignature.make(
                            url: app.mediaURL, parameters: [], token: carrier.account.authToken))
                let clock = ContinuousClock()
                let began = clock.now
                far.play(tone(ms: 400))
                far.mark("a")
                let echo = await far.next("mark")
                #expect(echo["mark"]?["name"]?.string == "a")
                #expect(clock.now - began >= .milliseconds(380))

                far.play(tone(ms: 60_000))
                far.mark("b")
                far.mark("c")
                let cleared = clock.now
                far.clear()
                #expect(await far.next("mark")["mark"]?["name"]?.string == "b")
                #expect(await far.next("mark")["mark"]?["name"]?.string == "c")
                #expect(clock.now - cleared < .seconds(5))
                far.close()
                let seen = await call.ended()
                #expect(seen.marksEchoed == 3)
                #expect(seen.clears == 1)
                #expect(seen.gaps == [])
                let sound = try #require(seen.firstSoundMs)
                #expect(sound <= 200)
                #expect(seen.endedBy == "agent")
            }
        }

        @Test func theCallerIsHeardEveryTwentyMilliseconds() async throws {
            try await withLine { app, carrier in
                app.twiml(at: "/voice", "<Connect><Stream url=\"\(app.mediaURL)\"/></Connect>")
                let call = try await carrier.placeInbound(from: callerNumber, to: number, persona: .silent)
                let far = await app.streams.next()
                far.play(tone(ms: 1000))
                far.mark("end")
                _ = await far.next("mark")
                far.close()
                let seen = await call.ended()
                let media = far.media.all
                #expect(media.count > 40)
                // From the start of the stream, not of the call.
                let started = try #require(seen.streams.first?.startedMs)
                #expect(abs(media.count - (seen.durationMs - started) / 20) <= 10)
                #expect(media.allSatisfy { FarEnd.audio($0) == Mouth.silence })
            }
        }

        @Test func aDroppedSocketRunsTheActionURL() async throws {
            try await withLine { app, carrier in
                app.twiml(
                    at: "/voice",
                    "<Connect action=\"/after\"><Stream url=\"\(app.mediaURL)\"/></Connect><Say>never</Say>")
                app.twiml(at: "/after", "<Connect><Stream url=\"\(app.mediaURL)\"/></Connect>")
                let call = try await carrier.placeInbound(from: callerNumber, to: number, persona: .silent)
                _ = await app.streams.next()
                carrier.dropMediaSocket(call)
                let again = await app.streams.next()
                #expect(app.hits.all.map(\.path) == ["/voice", "/after"])
                #expect(app.hits.all.last?.status == "in-progress")
                call.hangUp()
                #expect(await again.next("stop")["stop"]?["callSid"]?.string == call.sid)
                let seen = await call.ended()
                #expect(seen.streams.count == 2)
                #expect(seen.endedBy == "caller")
            }
        }

        @Test func aRefusedStreamAlsoRunsTheActionURLAndAFailingActionHangsUp() async throws {
            try await withLine { app, carrier in
                app.refuseStreams(403)
                app.twiml(
                    at: "/voice", "<Connect action=\"/after\"><Stream url=\"\(app.mediaURL)\"/></Connect>")
                app.answer(at: "/after") { _ in (503, []) }
                let seen = try await carrier.placeInbound(from: callerNumber, to: number, persona: .silent)
                    .ended()
                #expect(seen.streams.first?.refusedStatus == 403)
                #expect(seen.endedBy == "webhook failed: 503")
                #expect(seen.status == .completed)
            }
        }

        @Test func theCallerWhoHangsUpAtOnceEndsTheCall() async throws {
            try await withLine { app, carrier in
                app.twiml(
                    at: "/voice", "<Connect action=\"/after\"><Stream url=\"\(app.mediaURL)\"/></Connect>")
                let seen = try await carrier.placeInbound(
                    from: callerNumber, to: number, persona: .hangsUpAtOnce
                )
                .ended()
                #expect(seen.endedBy == "caller")
                #expect(seen.status == .completed)
                #expect(app.hits.all.map(\.path) == ["/voice"])
            }
        }

        @Test func keysArePressedWhenTheAgentFallsSilent() async throws {
            try await withLine { app, carrier in
                app.twiml(at: "/voice", "<Connect><Stream url=\"\(app.mediaURL)\"/></Connect>")
                app.whenStarted { $0.play(tone(ms: 200)) }
                let persona = Persona.keypad(["12#", "9"], hangsUpAfterLast: true)
                let call = try await carrier.placeInbound(from: callerNumber, to: number, persona: persona)
                let far = await app.streams.next()
                for digit in ["1", "2", "#"] {
                    #expect(await far.next("dtmf")["dtmf"]?["digit"]?.string == digit)
                }
                far.play(tone(ms: 200))
                #expect(await far.next("dtmf")["dtmf"]?["digit"]?.string == "9")
                far.play(tone(ms: 200))
                let seen = await call.ended()
                #expect(seen.pressed == "12#9")
                #expect(seen.endedBy == "caller")
            }
        }

        @Test func holesInSpeechAreMeasured() async throws {
            try await withLine { app, carrier in
                app.twiml(at: "/voice", "<Connect><Stream url=\"\(app.mediaURL)\"/></Connect>")
                let call = try await carrier.placeInbound(from: callerNumber, to: number, persona: .silent)
                let far = await app.streams.next()
                far.play(tone(ms: 100))
                // The stream's own frames are the clock: 100 ms of sound and 100 ms of nothing.
                for _ in 0..<12 { _ = await far.media.next() }
                far.play(tone(ms: 100))
                far.mark("end")
                _ = await far.next("mark")
                far.close()
                let seen = await call.ended()
                #expect(seen.gaps.count == 1)
                #expect((20...900).contains(seen.gaps.first?.lengthMs ?? 0))
            }
        }

        @Test func theTimeLimitEndsTheCall() async throws {
            try await withLine { app, carrier in
                carrier.state.withLock { $0.callTimeLimit = .milliseconds(100) }
                app.twiml(at: "/voice", "<Connect><Stream url=\"\(app.mediaURL)\"/></Connect>")
                let seen = try await carrier.placeInbound(from: callerNumber, to: number, persona: .silent)
                    .ended()
                #expect(seen.endedBy == "time limit")
            }
        }
    }
}
