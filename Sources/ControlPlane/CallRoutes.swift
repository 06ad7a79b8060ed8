import Base
import Billing
import CallDispatch
import HTTPClient
import HTTPTypes
import Hummingbird
import Logging
import Operations
import Routing
import Store
import Telephony

/// `/v1/calls`: make one, look at them, end one.
struct CallRoutes: Routes {
    static let eventsDefault = 200
    static let eventsMax = 1000
    private static let filters = [
        "state", "direction", "agent_id", "from", "to", "created_after", "created_before", "end_reason",
    ]

    private let parts: ControlPlane.Parts
    private let calls: CallParts
    private let store: CallStore
    private let facts: FactStore
    private let http: HTTPClient

    init(_ parts: ControlPlane.Parts, _ calls: CallParts, http: HTTPClient) {
        self.http = http
        self.parts = parts
        self.calls = calls
        store = CallStore(parts.database)
        facts = FactStore(parts.database)
    }

    func add(to router: RouterGroup<ControlRequest>) {
        router.post("/v1/calls", use: create)
        router.get("/v1/calls", use: list)
        router.get("/v1/calls/{id}", use: get)
        router.get("/v1/calls/{id}/events", use: events)
        router.get("/v1/calls/{id}/transcript", use: transcript)
        router.get("/v1/calls/{id}/routes", use: routes)
        router.post("/v1/calls/{id}/end", use: end)
    }

    private func create(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.callsWrite)
        let body = try await Convert.body(request, context)
        let fields = try body.fields()
        var wanted = AdmitCall.Request(
            agent: fields.id("agent_id"), from: fields.phone("from").reveal, to: fields.phone("to").reveal)
        wanted.agentVersion = fields.optionalInt("agent_version", 1...Int(Int32.max))
        wanted.variables =
            fields.optionalStringMap(
                "variables", countMax: AdmitCall.Request.variablesMax,
                lengthMax: AdmitCall.Request.variableLengthMax) ?? [:]
        wanted.metadata =
            fields.optional(
                "metadata", "an object of at most \(AdmitCall.Request.metadataBytesMax) bytes"
            ) { $0.object != nil && $0.text.utf8.count <= AdmitCall.Request.metadataBytesMax ? $0 : nil }
            ?? [:]
        try fields.finish()
        let admit = AdmitCall(calls)
        let prices = try await admit.prices(for: access.tenant)
        return try await parts.idempotency.create(request, context, body) { [wanted] sql in
            let row = try await admit(access.tenant, wanted, prices: prices, in: sql)
            return StoredAnswer(status: 202, location: "/v1/calls/\(row.id)", body: Self.json(row).text)
        }
    }

    private func list(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.callsRead)
        let page = try parts.cursors.page(
            request, list: "calls", tenant: access.tenant, filters: Self.filters, Call.self)
        let found = try await store.list(access.tenant, try Self.filter(request), page)
        return Answer.list(
            found.rows.map(Self.json),
            nextCursor: parts.cursors.text(found.next, list: "calls", tenant: access.tenant))
    }

    private static func filter(_ request: Request) throws -> CallStore.Filter {
        let query = try Convert.query(request, allowed: ["limit", "cursor"] + filters)
        func read<Value>(_ name: String, _ expected: String, _ read: (String) -> Value?) throws -> Value? {
            guard let text = query[name] else { return nil }
            guard let value = read(text) else { throw Convert.badQuery("\(name) must be \(expected)") }
            return value
        }
        // A plus sign in a query may have become a space.
        let number = { (text: String) in E164(text.replacing(" ", with: "+"))?.description }
        var filter = CallStore.Filter()
        filter.state = try read("state", CallRow.State.allCases.map(\.rawValue).joined(separator: ", ")) {
            CallRow.State(rawValue: $0)
        }
        filter.direction = try read("direction", "inbound or outbound") { Direction(rawValue: $0) }
        filter.agent = try read("agent_id", "an id like agent_…") { ID<Agent>($0) }
        filter.from = try read("from", "an E.164 number", number)
        filter.to = try read("to", "an E.164 number", number)
        filter.createdAfter = try read("created_after", "an RFC 3339 time") { Timestamp(rfc3339: $0) }
        filter.createdBefore = try read("created_before", "an RFC 3339 time") { Timestamp(rfc3339: $0) }
        filter.endReason = try read("end_reason", EndReason.allCases.map(\.rawValue).joined(separator: ", "))
        {
            EndReason(rawValue: $0)
        }
        return filter
    }

    private func get(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let (access, row) = try await find(context)
        let costs = try await facts.costs(access.tenant, row.id)
        let turns = try await facts.turns(access.tenant, row.id)
        var members = Self.json(row).object ?? [:]
        members["cost_lines"] = .array(
            costs.sorted { $0.component.rawValue < $1.component.rawValue }.map(Self.json))
        members["stages"] = .array(
            turns.filter { $0.stages.object?.isEmpty == false }.map {
                ["turn": .number($0.number), "ms": $0.stages]
            })
        return Answer.json(.object(members))
    }

    private func events(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let (access, row) = try await find(context)
        let query = try Convert.query(request, allowed: ["limit", "cursor"])
        let limit = query["limit"].map { Int($0) ?? 0 } ?? Self.eventsDefault
        let offset = query["cursor"].map { Int($0) ?? -1 } ?? 0
        guard (1...Self.eventsMax).contains(limit) else {
            throw Convert.badQuery("limit must be 1 to \(Self.eventsMax)")
        }
        guard (0...Int(Int32.max)).contains(offset) else {
            throw Problem(.badRequest, "bad_cursor", "take next_cursor as it was given")
        }
        let found = try await facts.events(access.tenant, row.id, offset: offset, limit: limit + 1)
        let data = found.prefix(limit).map { event -> JSON in
            [
                "at": .time(event.at), "type": .string(event.type), "epoch": .number(event.epoch),
                "detail": event.detail,
            ]
        }
        return Answer.list(Array(data), nextCursor: found.count > limit ? String(offset + limit) : nil)
    }

    private func transcript(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let (access, row) = try await find(context)
        let turns = try await facts.turns(access.tenant, row.id).map { turn -> JSON in
            [
                "number": .number(turn.number), "epoch": .number(turn.epoch),
                "speaker": .string(turn.speaker),
                "text": .string(turn.words.reveal), "start_ms": .number(turn.startMs),
                "end_ms": .number(turn.endMs),
                "was_interrupted": .bool(turn.wasInterrupted), "stages": turn.stages,
            ]
        }
        return Answer.json(["call_id": .id(row.id), "turns": .array(turns)])
    }

    private func routes(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let (access, row) = try await find(context)
        let found = try await RouteStore(parts.database).routes(access.tenant, row.id)
        return Answer.json([
            "call_id": .id(row.id), "routes": .array(found.map { Self.json($0.route, epoch: $0.epoch) }),
        ])
    }

    private func end(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.callsWrite)
        try await Convert.bodyOrNothing(request, context).fields().finish()
        let end = EndCall(calls)
        guard let row = try await end(access.tenant, try context.id("id", Call.self)) else {
            throw Problem.notFound("call")
        }
        return Answer.json(Self.json(try await hangUp(row, end, context)))
    }

    /// A call that rings is hung up here and now. Should the carrier not listen, the worker or the sweeper ends it.
    private func hangUp(_ row: CallRow, _ end: EndCall, _ context: ControlRequest) async throws -> CallRow {
        guard let sid = row.carrierCallID, let account = try await end.carrier(of: row) else { return row }
        let carrier = TwilioAccount(
            sid: account.accountSID, authToken: account.authToken, baseURL: account.baseURL)
        do {
            try await TwilioREST(account: carrier, http: http).hangUp(sid)
        } catch let fault as Fault {
            context.logger.warning(
                "carrier did not take the hang-up",
                metadata: ["call": .string("\(row.id)"), "reason": .string(fault.code)])
            return row
        }
        return try await end.hungUp(row)
    }

    private func find(_ context: ControlRequest) async throws -> (Access, CallRow) {
        let access = try context.caller()
        try access.require(.callsRead)
        guard let row = try await store.find(access.tenant, try context.id("id", Call.self)) else {
            throw Problem.notFound("call")
        }
        return (access, row)
    }
}

extension CallRoutes {
    static func json(_ route: RouteFact, epoch: Int) -> JSON {
        [
            "epoch": .number(epoch), "number": .number(route.number), "turn": .number(route.turn),
            "is_draft": .bool(route.isDraft), "mode": .string(route.mode), "shadowed": .maybe(route.shadowed),
            "model": .string(route.model), "reason": .string(route.reason),
            "tool_probability": .double(route.toolProbability),
            "handed_over": .bool(route.handedOver),
            "expected_cost": .string(route.expectedCost.description),
            "expected_wait_ms": .maybe(route.expectedWaitMs),
            "cost": .string(route.spent.description),
            "always_strong": .string(route.alwaysStrong.description),
            "always_cheap": .string(route.alwaysCheap.description),
        ]
    }

    static func json(_ row: CallRow) -> JSON {
        [
            "id": .id(row.id), "object": "call", "state": .string(row.state.rawValue),
            "direction": .string(row.direction.rawValue), "agent_id": .id(row.agent),
            "agent_version": .number(row.agentVersion), "from": .string(row.from.reveal),
            "to": .string(row.to.reveal),
            "region": .string(row.region), "variables": .object(row.variables.mapValues(JSON.string)),
            "metadata": row.metadata, "price_book_id": .id(row.prices.id),
            "max_seconds": .number(row.maxSeconds),
            "carrier_call_id": .maybe(row.carrierCallID),
            "end_requested": .bool(row.times.endRequested != nil),
            "end_reason": .maybe(row.endReason?.rawValue), "connected_ms": .int(row.connectedMs),
            "cost": .maybe(row.cost?.description), "created_at": .time(row.times.created),
            "dialing_at": .time(row.times.dialing), "answered_at": .time(row.times.answered),
            "ended_at": .time(row.times.ended), "forgotten_at": .time(row.times.forgotten),
        ]
    }

    static func json(_ line: CostLine) -> JSON {
        [
            "component": .string(line.component.rawValue), "source": .string(line.source),
            "unit": .string(RateUnit(line.unit).rawValue), "quantity": .int(line.quantity),
            "billed": .int(line.billed),
            "price": .string(line.price.description), "per": .int(line.per),
            "amount": .string(line.amount.description),
        ]
    }
}
