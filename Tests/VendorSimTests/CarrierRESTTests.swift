import Base
import Foundation
import HTTPClient
import Testing

@testable import VendorSim

extension OverSockets {
    /// The carrier's REST, as a platform uses it.
    struct CarrierRESTTests {
        private func ask(
            _ carrier: SimulatedCarrier, _ path: String, _ form: [(String, String)]? = nil,
            token: String? = nil
        ) async throws -> (status: Int, body: JSON) {
            let user = carrier.account.sid + ":" + (token ?? carrier.account.authToken)
            let request = HTTPRequest(
                method: form == nil ? "GET" : "POST",
                url: carrier.url + "/2010-04-01/Accounts/\(carrier.account.sid)" + path,
                headers: [
                    ("Authorization", "Basic " + Data(user.utf8).base64EncodedString()),
                    ("Content-Type", "application/x-www-form-urlencoded"),
                ], body: form.map { FormBody($0).encoded } ?? [])
            let http = HTTPClient(addresses: .anyAddress, logger: quiet)
            let response = try await http.send(request)
            await http.close()
            return (response.status, JSONText.decode(response.body) ?? nil)
        }

        private func dial(_ app: ScriptedApp, _ more: [(String, String)] = []) -> [(String, String)] {
            let events = ["initiated", "ringing", "answered", "completed"].map { ("StatusCallbackEvent", $0) }
            return [("To", callerNumber), ("From", number), ("StatusCallback", app.url + "/status")] + events
                + more
        }

        @Test func anAnsweredCallIsToldAboutAndLed() async throws {
            try await withLine { app, carrier in
                carrier.subscribe(callerNumber, .silent)
                app.answer(at: "/status") { _ in (204, []) }
                app.twiml(at: "/answered", "<Pause length=\"0\"/>")
                let (status, call) = try await ask(
                    carrier, "/Calls.json", dial(app, [("Url", app.url + "/answered")]))
                #expect(status == 201)
                let sid = try #require(call["sid"]?.string)
                #expect(sid.hasPrefix("CA") && sid.count == 34)
                #expect(call["direction"]?.string == "outbound-api")
                let seen = try #require(carrier.call(sid))
                #expect(await seen.ended().status == .completed)
                let notices = app.hits.all.filter { $0.path == "/status" }
                #expect(notices.map(\.status) == ["initiated", "ringing", "in-progress", "completed"])
                #expect(notices.map { $0.form[name: "SequenceNumber"] } == ["0", "1", "2", "3"])
                #expect(notices.last?.form[name: "CallDuration"] != nil)
                #expect(notices.allSatisfy { $0.form[name: "Timestamp"]?.hasSuffix("+0000") == true })
                for notice in notices {
                    let signature = WebhookSignature.make(
                        url: app.url + "/status", parameters: notice.form.fields,
                        token: carrier.account.authToken
                    )
                    #expect(notice.signature == signature)
                }
                let (_, after) = try await ask(carrier, "/Calls/\(sid).json")
                #expect(after["status"]?.string == "completed")
            }
        }

        @Test(arguments: [(Persona.Pickup.busy, "busy"), (.noAnswer, "no-answer")])
        func whoDoesNotPickUpIsNotLed(_ pickup: Persona.Pickup, _ expected: String) async throws {
            try await withLine { app, carrier in
                var persona = Persona.silent
                persona.pickup = pickup
                carrier.subscribe(callerNumber, persona)
                app.answer(at: "/status") { _ in (204, []) }
                let form = dial(app, [("Url", app.url + "/answered"), ("Timeout", "1")])
                let (_, call) = try await ask(carrier, "/Calls.json", form)
                let sid = try #require(call["sid"]?.string)
                #expect(await carrier.call(sid)?.ended().status.rawValue == expected)
                #expect(app.hits.all.map(\.status) == ["initiated", "ringing", expected])
            }
        }

        @Test func aLiveCallIsRedirectedAndHungUp() async throws {
            try await withLine { app, carrier in
                carrier.subscribe(callerNumber, .silent)
                let twiml = "<Response><Connect><Stream url=\"\(app.mediaURL)\"/></Connect></Response>"
                let form = [("To", callerNumber), ("From", number), ("Twiml", twiml)]
                let (_, call) = try await ask(carrier, "/Calls.json", form)
                let path = "/Calls/\(try #require(call["sid"]?.string)).json"
                let first = await app.streams.next()
                let answer1 = try await ask(carrier, path, [("Status", "canceled")]).body["code"]?.int
                #expect(answer1 == 21220)
                let answer2 = try await ask(carrier, path, [("Twiml", twiml)]).status
                #expect(answer2 == 200)
                _ = await first.next("stop")
                let second = await app.streams.next()
                let (status, body) = try await ask(carrier, path, [("Status", "completed")])
                #expect(status == 200)
                #expect(body["sid"] == call["sid"])
                _ = await second.next("stop")
                let seen = try #require(carrier.calls.first)
                #expect(await seen.ended().endedBy == "rest")
                let (gone, error) = try await ask(carrier, path, [("Status", "completed")])
                #expect(gone == 404)
                #expect(error["code"]?.int == 20404)
            }
        }

        @Test func wrongRequestsAreRefusedAsTheCarrierDoes() async throws {
            try await withLine { app, carrier in
                let good = [("To", callerNumber), ("From", number), ("Url", app.url)]
                let table: [(path: String, form: [(String, String)]?, token: String?, code: Int64)] = [
                    ("/Calls.json", good, "wrong", 20003),
                    ("/Calls.json", Array(good.dropFirst()), nil, 21201),
                    ("/Calls.json", [("To", "911"), good[1], good[2]], nil, 21211),
                    ("/Calls.json", [good[0], ("From", "+19998887777"), good[2]], nil, 21210),
                    ("/Calls.json", Array(good.dropLast()), nil, 21205),
                    ("/Calls.json", good + [("Twiml", "<Response/>")], nil, 21205),
                    ("/Calls/CA1.json", nil, nil, 20404),
                    ("/Nothing.json", nil, nil, 20404),
                ]
                for line in table {
                    let answer = try await ask(carrier, line.path, line.form, token: line.token)
                    #expect(answer.body["code"]?.int == line.code)
                }
                carrier.refuseNextCreates([.tooManyRequests])
                let answer3 = try await ask(carrier, "/Calls.json", good).status
                #expect(answer3 == 429)
                #expect(carrier.calls.isEmpty)
            }
        }

        @Test func numbersAreListed() async throws {
            try await withLine { _, carrier in
                let (_, all) = try await ask(carrier, "/IncomingPhoneNumbers.json")
                #expect(all["incoming_phone_numbers"]?.array?.first?["phone_number"]?.string == number)
                let (_, none) = try await ask(carrier, "/IncomingPhoneNumbers.json?PhoneNumber=%2B1999")
                #expect(none["incoming_phone_numbers"]?.array?.isEmpty == true)
            }
        }
    }
}
