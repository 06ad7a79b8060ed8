import Agents
import Base
import CallDispatch
import Foundation
import HTTPTypes
import Hummingbird
import Operations
import Store

/// `/v1/agents`: an agent is a name and a row of immutable versions.
struct AgentRoutes: Routes {
    private let parts: ControlPlane.Parts
    private let agents: AgentStore
    private let prices: PlanStore

    init(_ parts: ControlPlane.Parts) {
        self.parts = parts
        agents = AgentStore(parts.database)
        prices = PlanStore(parts.database)
    }

    func add(to router: RouterGroup<ControlRequest>) {
        router.post("/v1/agents", use: create)
        router.get("/v1/agents", use: list)
        router.get("/v1/agents/{id}", use: get)
        router.patch("/v1/agents/{id}", use: rename)
        router.delete("/v1/agents/{id}", use: archive)
        router.post("/v1/agents/{id}/versions", use: publish)
        router.get("/v1/agents/{id}/versions", use: versions)
        router.get("/v1/agents/{id}/versions/{number}", use: version)
    }

    private func create(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.agentsWrite)
        let body = try await Convert.body(request, context)
        let fields = try body.fields()
        let name = fields.string("name")
        let definition = Self.definition(fields)
        try fields.finish()
        let agent = AgentRow(id: .new(), name: name)
        let publish = PublishAgent()
        let prices = try await prices.prices(for: access.tenant)
        return try await parts.idempotency.create(request, context, body) { sql in
            let version = try await publish.first(
                access.tenant, agent, definition, prices: prices, in: sql)
            return StoredAnswer(
                status: 201, location: "/v1/agents/\(agent.id)", body: try Self.json(agent, version).text)
        }
    }

    private func publish(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.agentsWrite)
        let id = try context.id("id", Agent.self)
        let body = try await Convert.body(request, context)
        let fields = try body.fields()
        let definition = Self.definition(fields)
        try fields.finish()
        let publish = PublishAgent()
        let prices = try await prices.prices(for: access.tenant)
        return try await parts.idempotency.create(request, context, body) { sql in
            let version = try await publish(access.tenant, id, definition, prices: prices, in: sql)
            return StoredAnswer(
                status: 201, location: "/v1/agents/\(id)/versions/\(version.number)",
                body: try Self.json(version).text)
        }
    }

    private func list(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.agentsRead)
        let page = try parts.cursors.page(
            request, list: "agents", tenant: access.tenant, filters: ["archived"], Agent.self)
        let filter =
            try Convert.query(request, allowed: ["limit", "cursor", "archived"])["archived"] ?? "false"
        guard filter == "true" || filter == "false" else {
            throw Convert.badQuery("archived must be true or false")
        }
        let found = try await agents.list(access.tenant, page, withArchived: filter == "true")
        return Answer.list(
            found.rows.map(Self.json),
            nextCursor: parts.cursors.text(found.next, list: "agents", tenant: access.tenant))
    }

    private func get(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.agentsRead)
        let agent = try await find(access, context)
        guard let version = try await agents.version(access.tenant, agent: agent.id, number: nil) else {
            throw Problem.notFound("agent")
        }
        return Answer.json(try Self.json(agent, version))
    }

    private func find(_ access: Access, _ context: ControlRequest) async throws -> AgentRow {
        guard let agent = try await agents.find(access.tenant, id: try context.id("id")) else {
            throw Problem.notFound("agent")
        }
        return agent
    }

    private func rename(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.agentsWrite)
        let id = try context.id("id", Agent.self)
        let fields = try await Convert.body(request, context).fields()
        let name = fields.string("name")
        try fields.finish()
        guard let agent = try await agents.rename(access.tenant, id: id, name: name) else {
            throw Problem.notFound("agent")
        }
        return Answer.json(Self.json(agent))
    }

    private func archive(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.agentsWrite)
        try await ArchiveAgent(database: parts.database)(access.tenant, try context.id("id"))
        return Answer.noContent()
    }

    private func versions(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.agentsRead)
        let query = try Convert.query(request, allowed: ["limit", "cursor"])
        let limit =
            try Self.number(query["limit"], "limit", 1...Page<Agent>.limitMax) ?? Page<Agent>.limitDefault
        // A version's number is its own cursor: it tells nothing that the path does not.
        let before = try Self.number(query["cursor"], "cursor", 1...Int(Int32.max))
        let agent = try await find(access, context)
        let found = try await agents.versions(
            access.tenant, agent: agent.id, before: before, limit: limit + 1)
        let shown = found.prefix(limit)
        return Answer.list(
            try shown.map(Self.json),
            nextCursor: found.count > limit ? shown.last.map { String($0.number) } : nil)
    }

    private func version(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.agentsRead)
        let id = try context.id("id", Agent.self)
        guard let number = context.parameters.get("number").flatMap({ Int32($0) }), number >= 1,
            let version = try await agents.version(access.tenant, agent: id, number: Int(number))
        else { throw Problem.notFound("version") }
        return Answer.json(try Self.json(version))
    }
}

extension AgentRoutes {
    private static func number(_ text: String?, _ name: String, _ range: ClosedRange<Int>) throws -> Int? {
        guard let text else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw Convert.badQuery("\(name) must be \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// Reads `definition`; everything wrong with it is noted under its path.
    private static func definition(_ fields: Fields) -> AgentDefinition {
        guard let json = fields.required("definition", fields.raw("definition"), or: .null) as JSON?,
            json != .null
        else { return AgentDefinition() }
        do {
            let definition = try JSONDecoder().decode(AgentDefinition.self, from: Data(json.text.utf8))
            for problem in definition.problemsWithRouting() {
                fields.fail("definition" + (problem.path.isEmpty ? "" : "." + problem.path), problem.message)
            }
            return definition
        } catch let error as DecodingError {
            fields.fail("definition" + (error.path.isEmpty ? "" : "." + error.path), error.reason)
        } catch {
            fields.fail("definition", "cannot be read")
        }
        return AgentDefinition()
    }

    static func json(_ agent: AgentRow) -> JSON {
        [
            "id": .id(agent.id), "object": "agent", "name": .string(agent.name),
            "latest_version": .number(agent.latestVersion), "created_at": .time(agent.created),
            "updated_at": .time(agent.updated), "archived_at": .time(agent.archived),
        ]
    }

    /// An agent with its latest definition.
    static func json(_ agent: AgentRow, _ version: AgentVersionRow) throws -> JSON {
        var members = json(agent).object ?? [:]
        members["definition"] = try definitionJSON(version.definition)
        return .object(members)
    }

    static func json(_ version: AgentVersionRow) throws -> JSON {
        [
            "agent_id": .id(version.agent), "object": "agent_version", "version": .number(version.number),
            "definition": try definitionJSON(version.definition), "created_at": .time(version.created),
        ]
    }

    private static func definitionJSON(_ definition: AgentDefinition) throws -> JSON {
        let text = String(decoding: try JSONEncoder().encode(definition), as: UTF8.self)
        guard let json = JSON(parsing: text) else {
            throw Fault(
                code: "control.unwritable_agent", retry: .never, cause: "definition cannot be written")
        }
        return json
    }
}
