import Base
import HTTPClient
import Testing

@testable import VendorSim

extension OverSockets {
    struct ToolSinkTests {
        private let anna = Booking(name: "anna", day: .weekday(1), phone: "4155550100")

        private func withSink(
            _ body: (ToolSink, (JSON, [(String, String)]) async throws -> HTTPResponse) async throws -> Void
        ) async throws {
            let sink = try await ToolSink.start(logger: quiet)
            let http = HTTPClient(addresses: .anyAddress, logger: quiet)
            try await body(sink) { json, headers in
                try await http.send(
                    HTTPRequest(
                        method: "POST", url: sink.url, headers: headers,
                        body: Array(JSONText.encode(json).utf8)))
            }
            await http.close()
            await sink.stop()
        }

        @Test func theRightBookingIsRightAndOnce() async throws {
            try await withSink { sink, post in
                sink.expect(anna, from: callerNumber)
                let booking: JSON = ["name": "Anna", "day": "tuesday", "phone": "415 555 0100"]
                let first = try await post(booking, [("Idempotency-Key", "k1")])
                let second = try await post(booking, [("Idempotency-Key", "k1")])
                #expect(first.status == 200)
                #expect(first.body == second.body)
                #expect(sink.received.count == 1)
                #expect(sink.duplicates == 1)
                #expect(sink.isAllRight)
            }
        }

        @Test func aWrongOneIsNamed() async throws {
            try await withSink { sink, post in
                sink.expect(anna, from: callerNumber)
                _ = try await post(
                    ["name": "hannah", "day": "tuesday", "phone": "4155550101"], [("X-Caller", callerNumber)])
                #expect(sink.received.first?.differences == ["name", "phone"])
                #expect(!sink.isAllRight)
                _ = try await post(
                    ["name": "anna", "day": "tuesday", "phone": "4155550100"], [("X-Caller", "+19998887777")])
                #expect(sink.received.last?.expected == nil)
            }
        }

        @Test func failuresComeOnceAndABookingMayHideBehindOne() async throws {
            try await withSink { sink, post in
                sink.fail([.status(503), .statusAfterBooking(500)])
                let booking: JSON = ["name": "anna", "day": "tuesday", "phone": "4155550100"]
                let answer1 = try await post(booking, [("Idempotency-Key", "k")]).status
                #expect(answer1 == 503)
                #expect(sink.received.isEmpty)
                let answer2 = try await post(booking, [("Idempotency-Key", "k")]).status
                #expect(answer2 == 500)
                let answer3 = try await post(booking, [("Idempotency-Key", "k")]).status
                #expect(answer3 == 200)
                await sink.received(1)
                #expect(sink.received.count == 1)
                #expect(sink.duplicates == 1)
            }
        }

        @Test func whatIsNoJSONObjectIsRefused() async throws {
            try await withSink { sink, post in
                let answer4 = try await post([1, 2], []).status
                #expect(answer4 == 400)
                #expect(sink.received.isEmpty)
            }
        }
    }
}
