import Base
import HTTPClient
import Testing

@testable import VendorSim

extension OverSockets {
    struct HostileStreamTests {
        @Test func aRefusalIsReported() async throws {
            try await withLine { app, _ in
                app.refuseStreams(401)
                let answer1 = try await HostileStream.present(["token": "x"], to: app.mediaURL)
                #expect(answer1 == .refused(401))
            }
        }

        @Test func garbageArrivesAndTheCloseCodeComesBack() async throws {
            try await withLine { app, carrier in
                app.whenStarted { far in far.close() }
                let outcome = try await HostileStream.present(
                    ["token": "x"], to: app.mediaURL, token: carrier.account.authToken)
                #expect(outcome == .closed(code: 1000))
                #expect(app.streams.all.first?.parameters == ["token": "x"])
                app.whenStarted { _ in }
                let oversized = try await HostileStream.send(
                    [.oversized(2 << 20)], after: [:], to: app.mediaURL, callSid: "CA1")
                #expect(oversized == .closed(code: 1009))
                let endless = try await HostileStream.send(
                    [.endless], after: [:], to: app.mediaURL, callSid: "CA1")
                #expect(endless == .closed(code: 1009))
                let unmasked = try await HostileStream.send(
                    [.unmasked], after: [:], to: app.mediaURL, callSid: "CA1")
                #expect(unmasked == .closed(code: 1002))
            }
        }

        @Test func webhooksAreSignedAsAsked() async throws {
            try await withLine { app, carrier in
                app.answer(at: "/voice") { hit in
                    let good = WebhookSignature.make(
                        url: app.url + "/voice", parameters: hit.form.fields, token: carrier.account.authToken
                    )
                    return (hit.signature == good ? 200 : 403, [])
                }
                let http = HTTPClient(addresses: .anyAddress, logger: quiet)
                let url = app.url + "/voice"
                let token = carrier.account.authToken
                func send(_ signing: HostileStream.Signing) async -> Int? {
                    await HostileStream.webhook(
                        url, parameters: [("CallSid", "CA1")], signing: signing, http: http)
                }
                #expect(await send(.right(token: token)) == 200)
                #expect(await send(.right(token: "other")) == 403)
                #expect(await send(.none) == 403)
                #expect(await send(.garbage) == 403)
                #expect(await send(.forURL("http://other/", token: token)) == 403)
                await http.close()
            }
        }

        @Test func aStalledSocketStaysOpenUntilTheOtherSideGivesUp() async throws {
            try await withLine { app, _ in
                let socket = try await HostileStream.stall([:], at: app.mediaURL, callSid: "CA1")
                let far = await app.streams.next()
                // Beyond what the kernel and the platform's buffer will hold.
                for _ in 0..<300 { far.play([UInt8](repeating: 0, count: 60_000)) }
                _ = await far.over.next()
                socket.close()
            }
        }
    }
}
