import Base
package import Logging
import Synchronization

/// The booking tool's HTTP server: `POST /book {name, day, phone}`. It judges what it is asked to book.
///
/// The same `Idempotency-Key` gets the same answer again and books once. Who calls is told by `caller` in
/// the body or
/// an `X-Caller` header when there is one; else a booking is held against every expectation still open.
package final class ToolSink: Sendable {
    package struct Received: Hashable, Sendable {
        package var caller: String?
        package var key: String?
        package var name: String?
        package var day: String?
        package var phone: String?
        /// The expectation it was held against, and the fields that differ from it.
        package var expected: Booking?
        package var differences: [String]
        /// True: booked as expected.
        package var isRight: Bool { expected != nil && differences.isEmpty }
    }

    package enum Failure: Hashable, Sendable {
        case status(Int)
        /// Books, then answers with this status: the caller must ask again under the same key.
        case statusAfterBooking(Int)
        /// Waits this long before it answers.
        case delay(Duration)
    }

    static let receivedMax = 100_000

    package let port: Int
    package var url: String { "http://127.0.0.1:\(port)/book" }
    private let server: LocalServer
    private let books: Books

    private final class Books: Sendable { let state = Mutex(State()) }

    private struct State {
        var expected: [(caller: String, booking: Booking)] = []
        var received: [Received] = []
        var answers: [String: LocalResponse] = [:]
        var duplicates = 0
        var failures: [Failure] = []
        var waiters: [(count: Int, promise: CheckedContinuation<Void, Never>)] = []
    }

    package static func start(port: Int = 0, logger: Logger) async throws -> ToolSink {
        let books = Books()
        let server = try await LocalServer.start(port: port, logger: logger) { await answer($0, books) }
        return ToolSink(server: server, books: books)
    }

    private init(server: LocalServer, books: Books) {
        self.server = server
        self.books = books
        port = server.port
    }

    package func stop() async { await server.stop() }

    /// What a caller (by phone number) is going to ask for.
    package func expect(_ booking: Booking, from caller: String) {
        books.state.withLock { $0.expected.append((caller, booking)) }
    }

    /// The next requests fail so, one each.
    package func fail(_ failures: [Failure]) { books.state.withLock { $0.failures += failures } }

    package var received: [Received] { books.state.withLock { $0.received } }
    /// Requests that came again under a key already answered.
    package var duplicates: Int { books.state.withLock { $0.duplicates } }
    package var isAllRight: Bool {
        books.state.withLock { state in
            state.received.count == state.expected.count && state.received.allSatisfy(\.isRight)
        }
    }

    /// Waits until so many bookings were made.
    package func received(_ count: Int) async {
        await withCheckedContinuation { promise in
            let isThere = books.state.withLock { state in
                guard state.received.count < count else { return true }
                state.waiters.append((count, promise))
                return false
            }
            if isThere { promise.resume() }
        }
    }

    private static func answer(_ request: LocalRequest, _ books: Books) async -> LocalResponse {
        guard request.path == ["book"] else { return .json(404, #"{"error":"no such tool"}"#) }
        guard request.method == "POST" else { return .json(405, #"{"error":"POST only"}"#) }
        guard let body = JSONText.decode(request.body), body.object != nil else {
            return .json(400, #"{"error":"a JSON object is needed"}"#)
        }
        let failure = books.state.withLock { $0.failures.isEmpty ? nil : $0.failures.removeFirst() }
        switch failure {
        case .status(let status): return .json(status, #"{"error":"simulated failure"}"#)
        case .delay(let length):
            // Cancelled only when the server stops; the answer is of no use then.
            try? await Task.sleep(for: length)
        case .statusAfterBooking, nil: break
        }
        let (response, done) = books.state.withLock { state in
            let response = book(request, body, &state)
            let done = state.waiters.filter { $0.count <= state.received.count }
            state.waiters.removeAll { $0.count <= state.received.count }
            return (response, done.map(\.promise))
        }
        for promise in done { promise.resume() }
        if case .statusAfterBooking(let status) = failure {
            return .json(status, #"{"error":"simulated failure"}"#)
        }
        return response
    }

    private static func book(_ request: LocalRequest, _ body: JSON, _ state: inout State) -> LocalResponse {
        let key = request.header("Idempotency-Key")
        if let key, let known = state.answers[key] {
            state.duplicates += 1
            return known
        }
        guard state.received.count < receivedMax else { return .json(507, #"{"error":"full"}"#) }
        var entry = Received(
            caller: request.header("X-Caller") ?? body["caller"]?.string, key: key,
            name: body["name"]?.string,
            day: body["day"]?.string, phone: phone(body), expected: nil, differences: [])
        judge(&entry, state)
        state.received.append(entry)
        let answer = JSONText.encode([
            "booked": true, "reference": .string("B\(state.received.count)"), "day": body["day"] ?? nil,
        ])
        let response = LocalResponse.json(200, answer)
        if let key { state.answers[key] = response }
        return response
    }

    private static func phone(_ body: JSON) -> String? {
        body["phone"]?.string ?? body["phone"]?.int.map { String($0) }
    }

    private static func judge(_ entry: inout Received, _ state: State) {
        let taken = Set(state.received.compactMap { $0.isRight ? $0.expected : nil })
        var candidates = state.expected
        if let caller = entry.caller {
            candidates = candidates.filter { $0.caller == caller }
        } else {
            candidates = candidates.filter { !taken.contains($0.booking) }
        }
        let judged = candidates.map { candidate in
            (
                candidate.booking,
                candidate.booking.differences(name: entry.name, day: entry.day, phone: entry.phone)
            )
        }
        guard let best = judged.min(by: { $0.1.count < $1.1.count }) else { return }
        entry.expected = best.0
        entry.differences = best.1
    }
}
