package import Agents
package import Base
import Foundation
package import Postgres

package struct AgentRow: Sendable {
    package var id: ID<Agent>
    package var name: String
    package var latestVersion: Int
    package var created: Timestamp
    package var updated: Timestamp
    package var archived: Timestamp?
    package init(id: ID<Agent>, name: String) {
        self.id = id
        self.name = name
        latestVersion = 1
        created = .current
        updated = created
    }
}

package struct AgentVersionRow: Sendable {
    package var agent: ID<Agent>
    package var number: Int
    package var definition: AgentDefinition
    package var created: Timestamp
    package init(agent: ID<Agent>, number: Int, definition: AgentDefinition) {
        self.agent = agent
        self.number = number
        self.definition = definition
        created = .current
    }
}

/// Agents and their immutable versions.
package struct AgentStore: Sendable {
    private let database: Database
    package init(_ database: Database) { self.database = database }

    private static let columns = """
        id, name, latest_version, parley_ms(created_at) AS created, parley_ms(updated_at) AS updated,
        parley_ms(archived_at) AS archived
        """
    private static let versionColumns = "agent_id, number, definition, parley_ms(created_at) AS created"

    package func find(_ tenant: ID<Tenant>, id: ID<Agent>) async throws -> AgentRow? {
        try await database.tenant(
            tenant, "SELECT \(Self.columns) FROM agents WHERE tenant_id = $1 AND id = $2",
            [.id(tenant), .id(id)]
        ).rows.first.map(AgentRow.init)
    }

    /// Without the archived ones, unless asked for.
    package func list(
        _ tenant: ID<Tenant>, _ page: Page<Agent>, withArchived: Bool = false
    ) async throws -> Listed<AgentRow, Agent> {
        try await database.list(
            tenant, page,
            "SELECT \(Self.columns) FROM agents WHERE tenant_id = $3 AND ($4 OR archived_at IS NULL)",
            [.id(tenant), .bool(withArchived)], id: \.id,
            AgentRow.init)
    }

    /// `number` nil: the latest.
    package func version(_ tenant: ID<Tenant>, agent: ID<Agent>, number: Int?) async throws
        -> AgentVersionRow?
    {
        try await database.tenant(
            tenant,
            """
            SELECT \(Self.versionColumns) FROM agent_versions WHERE tenant_id = $1 AND agent_id = $2
                AND ($3::int IS NULL OR number = $3) ORDER BY number DESC LIMIT 1
            """, [.id(tenant), .id(agent), .maybe(number)]
        ).rows.first.map(AgentVersionRow.init)
    }

    /// Newest first, below `before`.
    package func versions(
        _ tenant: ID<Tenant>, agent: ID<Agent>, before: Int?, limit: Int
    ) async throws -> [AgentVersionRow] {
        try await database.adminQuery(
            tenant,
            """
            SELECT \(Self.versionColumns) FROM agent_versions WHERE tenant_id = $1 AND agent_id = $2
                AND ($3::int IS NULL OR number < $3) ORDER BY number DESC LIMIT $4
            """, [.id(tenant), .id(agent), .maybe(before), .maybe(limit)]
        ).rows.map(AgentVersionRow.init)
    }

    package static func insert(
        _ tenant: ID<Tenant>, _ agent: AgentRow, _ definition: AgentDefinition, in sql: PostgresTransaction
    ) async throws {
        _ = try await sql.query(
            "INSERT INTO agents (tenant_id, id, name, latest_version) VALUES ($1, $2, $3, 1)",
            [.id(tenant), .id(agent.id), .text(agent.name)])
        try await insertVersion(tenant, agent.id, 1, definition, in: sql)
    }

    /// The next version's number; the agent's row stays locked until the transaction ends, so two publishers get two
    /// numbers. nil: no such agent, or an archived one.
    package static func nextVersion(
        _ tenant: ID<Tenant>, agent: ID<Agent>, in sql: PostgresTransaction
    ) async throws -> Int? {
        try await sql.query(
            """
            UPDATE agents SET latest_version = latest_version + 1, updated_at = now()
            WHERE tenant_id = $1 AND id = $2 AND archived_at IS NULL RETURNING latest_version
            """, [.id(tenant), .id(agent)]
        ).rows.first.map { Int(try $0.int("latest_version")) }
    }

    package static func insertVersion(
        _ tenant: ID<Tenant>, _ agent: ID<Agent>, _ number: Int, _ definition: AgentDefinition,
        in sql: PostgresTransaction
    ) async throws {
        let text = String(decoding: try JSONEncoder().encode(definition), as: UTF8.self)
        _ = try await sql.query(
            "INSERT INTO agent_versions (tenant_id, agent_id, number, definition) VALUES ($1, $2, $3, $4::jsonb)",
            [.id(tenant), .id(agent), .maybe(number), .text(text)])
    }

    /// nil: no such agent, or an archived one.
    package func rename(_ tenant: ID<Tenant>, id: ID<Agent>, name: String) async throws -> AgentRow? {
        try await database.tenant(
            tenant,
            """
            UPDATE agents SET name = $3, updated_at = now() WHERE tenant_id = $1 AND id = $2 AND archived_at IS NULL
            RETURNING \(Self.columns)
            """, [.id(tenant), .id(id), .text(name)]
        ).rows.first.map(AgentRow.init)
    }

    /// Numbers that would lose their agent.
    package static func numbersUsing(
        _ tenant: ID<Tenant>, agent: ID<Agent>, in sql: PostgresTransaction
    ) async throws -> Int {
        let found = try await sql.query(
            "SELECT count(*) AS used FROM phone_numbers WHERE tenant_id = $1 AND agent_id = $2",
            [.id(tenant), .id(agent)])
        return Int(try found.rows[0].int("used"))
    }

    /// Takes the agent's row for the transaction. False: no such agent, or archived already.
    package static func archive(
        _ tenant: ID<Tenant>, id: ID<Agent>, in sql: PostgresTransaction
    ) async throws -> Bool {
        try await sql.query(
            """
            UPDATE agents SET archived_at = now(), updated_at = now()
            WHERE tenant_id = $1 AND id = $2 AND archived_at IS NULL
            """, [.id(tenant), .id(id)]
        ).affected == 1
    }

    package static func hasVersion(
        _ tenant: ID<Tenant>, agent: ID<Agent>, number: Int, in sql: PostgresTransaction
    ) async throws -> Bool {
        try await sql.query(
            "SELECT 1 FROM agent_versions WHERE tenant_id = $1 AND agent_id = $2 AND number = $3",
            [.id(tenant), .id(agent), .maybe(number)]
        ).rows.isEmpty == false
    }

    /// True while the agent can be used; its row is locked against archiving until the transaction ends.
    package static func holdActive(
        _ tenant: ID<Tenant>, id: ID<Agent>, in sql: PostgresTransaction
    ) async throws -> Bool {
        try await sql.query(
            """
            SELECT id FROM agents WHERE tenant_id = $1 AND id = $2 AND archived_at IS NULL FOR UPDATE
            """, [.id(tenant), .id(id)]
        ).rows.isEmpty == false
    }
}

extension AgentRow {
    init(_ row: PostgresRow) throws {
        id = try row.id("id")
        name = try row.text("name")
        latestVersion = Int(try row.int("latest_version"))
        created = try row.time("created")
        updated = try row.time("updated")
        archived = try row.optionalTime("archived")
    }
}

extension AgentVersionRow {
    init(_ row: PostgresRow) throws {
        agent = try row.id("agent_id")
        number = Int(try row.int("number"))
        definition = try JSONDecoder().decode(
            AgentDefinition.self, from: Data(try row.text("definition").utf8))
        created = try row.time("created")
    }
}
