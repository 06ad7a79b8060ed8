import Base
import Foundation
import NIOCore
import Synchronization

/// The carrier's REST desk: it opens with the port, before the carrier behind it is ready.
final class Desk: Sendable {
    private let carrier = Mutex<SimulatedCarrier?>(nil)

    func open(_ carrier: SimulatedCarrier) { self.carrier.withLock { $0 = carrier } }

    func answer(_ request: LocalRequest) async -> LocalResponse {
        guard let carrier = carrier.withLock({ $0 }) else { return .empty(503) }
        return await CarrierREST(carrier: carrier).answer(request)
    }
}

/// `/2010-04-01/Accounts/{sid}/…` of Twilio, as far as a voice platform calls it.
/// Source: reference/providers/twilio.md, "Calls API".
struct CarrierREST: Sendable {
    let carrier: SimulatedCarrier

    func answer(_ request: LocalRequest) async -> LocalResponse {
        guard isAuthorized(request) else { return error(401, 20003, "Authenticate") }
        let path = request.path.map { $0.hasSuffix(".json") ? String($0.dropLast(5)) : $0 }
        guard path.count >= 3, path[0] == "2010-04-01", path[1] == "Accounts", path[2] == carrier.account.sid
        else { return notFound(request) }
        switch (request.method, path.count, path.count > 3 ? path[3] : "") {
        case ("GET", 3, _):
            return .json(200, JSONText.encode(["sid": .string(carrier.account.sid), "status": "active"]))
        case ("POST", 4, "Calls"): return await create(request)
        case ("GET", 4, "IncomingPhoneNumbers"): return numbers(request)
        case ("GET", 5, "Calls"): return await with(path[4], request) { .json(200, await resource($0)) }
        case ("POST", 5, "Calls"): return await with(path[4], request) { await update($0, request) }
        default: return notFound(request)
        }
    }

    private func isAuthorized(_ request: LocalRequest) -> Bool {
        guard let header = request.header("Authorization"), header.hasPrefix("Basic "),
            let bytes = Data(base64Encoded: String(header.dropFirst(6)))
        else { return false }
        return String(decoding: bytes, as: UTF8.self) == carrier.account.sid + ":" + carrier.account.authToken
    }

    // MARK: calls

    private func create(_ request: LocalRequest) async -> LocalResponse {
        if let fault = carrier.state.withLock({
            $0.createFaults.isEmpty ? nil : $0.createFaults.removeFirst()
        }) {
            return error(fault.status, fault.code, fault.message)
        }
        guard let form = FormBody(request.body) else { return error(400, 20001, "Unreadable body") }
        guard let to = form[name: "To"], !to.isEmpty else {
            return error(400, 21201, "No 'To' number is specified")
        }
        guard E164(to) != nil else { return error(400, 21211, "The 'To' number is not a valid phone number") }
        guard let from = form[name: "From"], E164(from) != nil else {
            return error(400, 21212, "The 'From' number is not a valid phone number")
        }
        guard carrier.state.withLock({ $0.numbers[from] != nil }) else {
            return error(400, 21210, "'From' phone number not verified")
        }
        guard let first = Self.order(form) else {
            return error(400, 21205, "Url or Twiml is needed, not both")
        }
        let persona = carrier.state.withLock { $0.people[to] ?? $0.anybody }
        let ringLimit = Duration.seconds(min(600, max(1, Int(form[name: "Timeout"] ?? "60") ?? 60)))
        let placing = SimulatedCarrier.Placing(
            from: from, to: to, isInbound: false, persona: persona,
            beginning: .outbound(first: first, pickup: persona.pickup, ringLimit: ringLimit),
            callback: form[name: "StatusCallback"].map { ($0, form.all("StatusCallbackEvent")) },
            timeLimit: form[name: "TimeLimit"].flatMap { Int($0) }.map { .seconds($0) })
        do {
            return .json(201, await resource(try await carrier.place(placing)))
        } catch is SimulatedCarrier.Full {
            return error(429, 20429, "Too Many Requests")
        } catch {
            return self.error(500, 20500, "\(error)")
        }
    }

    /// nil unless exactly one of `Url` and `Twiml` is there.
    private static func order(_ form: FormBody) -> CallOrder? {
        switch (form[name: "Url"], form[name: "Twiml"]) {
        case (let url?, nil) where url.hasPrefix("http"): .fetch(url: url)
        case (nil, let twiml?) where twiml.count <= 4000: .document(twiml)
        default: nil
        }
    }

    private func update(_ call: PlacedCall, _ request: LocalRequest) async -> LocalResponse {
        guard let form = FormBody(request.body) else { return error(400, 20001, "Unreadable body") }
        let status = await call.observation().status
        // An update of a call that is over finds no call. Source: reference/providers/twilio.md.
        guard !status.isOver else { return notFound(request) }
        let order: CallOrder
        switch (form[name: "Status"], Self.order(form)) {
        case ("completed", _): order = .hangUp(by: "rest")
        case ("canceled", _) where status != .inProgress: order = .hangUp(by: "rest")
        case (nil, let next?) where status == .inProgress: order = next
        case (nil, _?), ("canceled", _): return error(400, 21220, "Call is not in a state that allows this")
        default: return error(400, 20001, "Status, Url or Twiml is needed")
        }
        let inner = call.call
        // The answer must show the call as it is after the update.
        try? await inner.loop.submit { inner.interrupt(order) }.get()
        return .json(200, await resource(call))
    }

    private func with(
        _ sid: String, _ request: LocalRequest, _ answer: (PlacedCall) async -> LocalResponse
    ) async -> LocalResponse {
        guard let call = carrier.call(sid) else { return notFound(request) }
        return await answer(call)
    }

    private func resource(_ call: PlacedCall) async -> String {
        let seen = await call.observation()
        let status: CarrierStatus = seen.status == .initiated ? .queued : seen.status
        let seconds = String((seen.durationMs + 999) / 1000)
        return JSONText.encode([
            "sid": .string(seen.sid), "account_sid": .string(carrier.account.sid), "parent_call_sid": nil,
            "from": .string(seen.from), "to": .string(seen.to), "status": .string(status.rawValue),
            "direction": .string(seen.isInbound ? "inbound" : "outbound-api"), "api_version": "2010-04-01",
            "duration": status.isOver ? .string(seconds) : nil, "price": nil, "price_unit": "USD",
            "answered_by": nil,
            "uri": .string("/2010-04-01/Accounts/\(carrier.account.sid)/Calls/\(seen.sid).json"),
        ])
    }

    // MARK: numbers

    private func numbers(_ request: LocalRequest) -> LocalResponse {
        let wanted = request.query[name: "PhoneNumber"]
        let found = carrier.state.withLock { state in
            state.numbers.values.filter { wanted == nil || $0.number == wanted }.sorted {
                $0.number < $1.number
            }
        }
        let list = found.map { number -> JSON in
            [
                "sid": .string(number.sid), "phone_number": .string(number.number),
                "voice_url": .string(number.voiceURL), "voice_method": "POST",
                "capabilities": ["voice": true, "SMS": false, "MMS": false],
            ]
        }
        return .json(
            200,
            JSONText.encode([
                "incoming_phone_numbers": .array(list), "page": 0, "page_size": 1000, "next_page_uri": nil,
            ]))
    }

    // MARK: errors

    private func notFound(_ request: LocalRequest) -> LocalResponse {
        error(404, 20404, "The requested resource /\(request.path.joined(separator: "/")) was not found")
    }

    private func error(_ status: Int, _ code: Int, _ message: String) -> LocalResponse {
        .json(
            status,
            JSONText.encode([
                "code": .int(Int64(code)), "message": .string(message), "status": .int(Int64(status)),
                "more_info": .string("https://www.twilio.com/docs/errors/\(code)"),
            ]))
    }
}
