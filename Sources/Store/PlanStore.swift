package import Agents
package import Base
package import Billing
import Foundation
package import Postgres
package import Routing

/// One immutable version of an agent, as a call runs it.
package struct AgentRelease: Sendable {
    package var id: ID<Agent>
    package var version: Int
    package var definition: AgentDefinition
    /// What its calls can use at most: a flow needs no language model.
    package var components: Set<Usage.Component> {
        definition.prompt == nil ? [.telephony, .stt, .tts, .platform] : Set(Usage.Component.allCases)
    }
}

/// A number of a tenant's own.
package struct OwnNumber: Sendable {
    package var tenant: ID<Tenant>
    package var agent: ID<Agent>?
    /// nil: the agent's latest.
    package var agentVersion: Int?
    package var credential: ID<Credential>
    package var isInboundEnabled: Bool
}

/// What admission and plans read of the things others own: agents, numbers, tenants, prices.
package struct PlanStore: Sendable {
    private let database: Database
    package init(_ database: Database) { self.database = database }

    /// The number's owner, whoever it is: what an inbound call knows first.
    package func owner(of number: String) async throws -> OwnNumber? {
        try await database.platform(Self.numbers, [.text(number)]).rows.first.map(Self.number)
    }

    package static func ownNumber(
        _ tenant: ID<Tenant>, _ number: E164, in sql: PostgresTransaction
    ) async throws -> OwnNumber? {
        try await sql.query(numbers, [.text(number.description)]).rows.first.map(Self.number)
    }

    /// nil: there is no such agent or version, or the agent is archived and no version was asked for.
    package static func release(
        _ tenant: ID<Tenant>, _ agent: ID<Agent>, version: Int?, in sql: PostgresTransaction
    ) async throws -> AgentRelease? {
        let found = try await sql.query(
            """
            SELECT v.number, v.definition FROM agents a JOIN agent_versions v
                ON v.tenant_id = a.tenant_id AND v.agent_id = a.id AND v.number = coalesce($3::int,
                    a.latest_version)
            WHERE a.tenant_id = $1 AND a.id = $2 AND a.archived_at IS NULL
            """, [.id(tenant), .id(agent), .maybe(version)])
        guard let row = found.rows.first else { return nil }
        return AgentRelease(
            id: agent, version: Int(try row.int("number")),
            definition: try JSONDecoder().decode(
                AgentDefinition.self, from: Data(try row.text("definition").utf8)))
    }

    /// A version a call is pinned to, archived or not.
    package static func definition(
        _ agent: ID<Agent>, version: Int, in sql: PostgresTransaction
    ) async throws -> AgentDefinition {
        let found = try await sql.query(
            "SELECT definition FROM agent_versions WHERE agent_id = $1 AND number = $2",
            [.id(agent), .maybe(version)])
        guard let row = found.rows.first else {
            throw Fault(code: "store.no_version", retry: .never, cause: "agent \(agent) version \(version)")
        }
        return try JSONDecoder().decode(AgentDefinition.self, from: Data(try row.text("definition").utf8))
    }

    package struct Limits: Sendable {
        package var isActive: Bool
        /// Calls at once.
        package var concurrency: Int
        package var region: String
        package var destinations: Destinations
    }

    package static func limits(_ tenant: ID<Tenant>, in sql: PostgresTransaction) async throws -> Limits {
        let found = try await sql.query(
            "SELECT status, concurrency_limit, region, destination_policy FROM tenants WHERE id = $1",
            [.id(tenant)])
        guard let row = found.rows.first else {
            throw Fault(code: "store.no_tenant", retry: .never, cause: "tenant \(tenant)")
        }
        let policy = DestinationPolicy(json: try row.json("destination_policy"))
        return Limits(
            isActive: try row.text("status") == "active", concurrency: Int(try row.int("concurrency_limit")),
            region: try row.text("region"),
            destinations: Destinations(allowed: policy.allowed, denied: policy.denied))
    }

    package static func routing(
        _ tenant: ID<Tenant>, in sql: PostgresTransaction
    ) async throws -> RoutingRules {
        try await sql.query("SELECT routing FROM tenants WHERE id = $1", [.id(tenant)]).rows.first.map {
            RoutingRules(json: try $0.json("routing"))
        } ?? RoutingRules()
    }

    /// The newest effective book of the tenant or of the nearest tenant above it; else the standard one.
    package func prices(for tenant: ID<Tenant>) async throws -> PriceBook {
        let found = try await database.platform(
            """
            SELECT b.id, b.rates FROM tenants t CROSS JOIN LATERAL unnest(t.path) WITH ORDINALITY AS above
                (id, depth)
                JOIN price_books b ON b.tenant_id = above.id
            WHERE t.id = $1 AND b.effective_from <= now() ORDER BY above.depth DESC, b.effective_from DESC
                LIMIT 1
            """, [.id(tenant)])
        guard let row = found.rows.first else { return .standard }
        return PriceBook(
            id: try row.id("id"),
            rates: try JSONDecoder().decode([Rate].self, from: Data(try row.text("rates").utf8)))
    }

    private static let numbers = """
        SELECT tenant_id, agent_id, agent_version, credential_id, inbound_enabled FROM phone_numbers WHERE
            e164 = $1
        """

    private static func number(_ row: PostgresRow) throws -> OwnNumber {
        OwnNumber(
            tenant: try row.id("tenant_id"), agent: try row.optionalID("agent_id"),
            agentVersion: try row.optionalInt("agent_version").map { Int($0) },
            credential: try row.id("credential_id"),
            isInboundEnabled: try row.bool("inbound_enabled"))
    }
}
