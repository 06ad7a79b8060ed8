import Base
import HTTPTypes
import Hummingbird
import Operations
import Postgres
import Store

/// `/v1/phone-numbers`: which agent answers a number, and through which carrier account.
struct PhoneNumberRoutes: Routes {
    private let parts: ControlPlane.Parts
    private let numbers: PhoneNumberStore

    init(_ parts: ControlPlane.Parts) {
        self.parts = parts
        numbers = PhoneNumberStore(parts.database)
    }

    func add(to router: RouterGroup<ControlRequest>) {
        router.post("/v1/phone-numbers", use: create)
        router.get("/v1/phone-numbers", use: list)
        router.get("/v1/phone-numbers/{id}", use: get)
        router.patch("/v1/phone-numbers/{id}", use: update)
        router.delete("/v1/phone-numbers/{id}", use: delete)
    }

    private func create(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.numbersWrite)
        let body = try await Convert.body(request, context)
        let fields = try body.fields()
        let number = fields.phone("number")
        var row = PhoneNumberRow(id: .new(), number: number, credential: fields.id("credential_id"))
        row.name = fields.optionalString("name")
        row.agent = fields.optionalID("agent_id")
        row.agentVersion = fields.optionalInt("agent_version", 1...Int(Int32.max))
        if row.agentVersion != nil, row.agent == nil { fields.fail("agent_version", "needs agent_id") }
        row.isInboundEnabled = fields.optionalBool("inbound_enabled") ?? true
        try fields.finish()
        return try await parts.idempotency.create(request, context, body) { [row] sql in
            try await AssignNumber().check(access.tenant, row, in: sql)
            do {
                try await PhoneNumberStore.insert(access.tenant, row, in: sql)
            } catch let error as PostgresError where error.isUniqueViolation {
                throw Problem(.conflict, "number_taken", "this number is on the platform already")
            }
            return StoredAnswer(
                status: 201, location: "/v1/phone-numbers/\(row.id)", body: Self.json(row).text)
        }
    }

    private func list(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.numbersRead)
        let page = try parts.cursors.page(
            request, list: "phone-numbers", tenant: access.tenant, PhoneNumber.self)
        let found = try await numbers.list(access.tenant, page)
        return Answer.list(
            found.rows.map(Self.json),
            nextCursor: parts.cursors.text(found.next, list: "phone-numbers", tenant: access.tenant))
    }

    private func get(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.numbersRead)
        guard let row = try await numbers.find(access.tenant, id: try context.id("id", PhoneNumber.self))
        else {
            throw Problem.notFound("number")
        }
        return Answer.json(Self.json(row))
    }

    private func update(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.numbersWrite)
        let id = try context.id("id", PhoneNumber.self)
        let fields = try await Convert.body(request, context).fields()
        let change = NumberChange(fields)
        try fields.finish()
        let row = try await UpdateNumber(database: parts.database)(access.tenant, id) {
            try change.apply(to: &$0)
        }
        return Answer.json(Self.json(row))
    }

    private func delete(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.numbersWrite)
        guard try await numbers.delete(access.tenant, id: try context.id("id")) else {
            throw Problem.notFound("number")
        }
        return Answer.noContent()
    }

    static func json(_ row: PhoneNumberRow) -> JSON {
        [
            "id": .id(row.id), "object": "phone_number", "number": .string(row.number.reveal.description),
            "name": .maybe(row.name), "agent_id": .maybe(row.agent),
            "agent_version": .maybe(row.agentVersion),
            "credential_id": .id(row.credential), "inbound_enabled": .bool(row.isInboundEnabled),
            "created_at": .time(row.created),
        ]
    }
}

/// What a PATCH says; `null` clears name, agent and version.
private struct NumberChange: Sendable {
    private enum Step<Value: Sendable>: Sendable { case keep, clear, set(Value) }
    private let name: Step<String>
    private let agent: Step<ID<Agent>>
    private let version: Step<Int>
    private let credential: ID<Credential>?
    private let isInboundEnabled: Bool?

    init(_ fields: Fields) {
        func step<Value: Sendable>(_ field: String, _ value: Value?) -> Step<Value> {
            if let value { return .set(value) }
            return fields.isNull(field) ? .clear : .keep
        }
        name = step("name", fields.optionalString("name"))
        agent = step("agent_id", fields.optionalID("agent_id"))
        version = step("agent_version", fields.optionalInt("agent_version", 1...Int(Int32.max)))
        credential = fields.optionalID("credential_id")
        isInboundEnabled = fields.optionalBool("inbound_enabled")
    }

    func apply(to row: inout PhoneNumberRow) throws {
        switch name {
        case .keep: break
        case .clear: row.name = nil
        case .set(let value): row.name = value
        }
        switch agent {
        case .keep: break
        case .clear:
            row.agent = nil
            row.agentVersion = nil
        case .set(let value):
            // A version pinned for another agent means nothing for this one.
            if value != row.agent { row.agentVersion = nil }
            row.agent = value
        }
        switch version {
        case .keep: break
        case .clear: row.agentVersion = nil
        case .set(let value):
            guard row.agent != nil else { throw Problem.invalid("agent_version", "needs agent_id") }
            row.agentVersion = value
        }
        if let credential { row.credential = credential }
        if let isInboundEnabled { row.isInboundEnabled = isInboundEnabled }
    }
}
