package import Base
package import Postgres

package struct PhoneNumberRow: Sendable {
    package var id: ID<PhoneNumber>
    package var number: Redacted<E164>
    package var name: String?
    package var agent: ID<Agent>?
    /// nil: the agent's latest.
    package var agentVersion: Int?
    package var credential: ID<Credential>
    package var isInboundEnabled: Bool
    package var created: Timestamp
    package init(id: ID<PhoneNumber>, number: Redacted<E164>, credential: ID<Credential>) {
        self.id = id
        self.number = number
        self.credential = credential
        isInboundEnabled = true
        created = .current
    }
}

/// Whose number it is: for a carrier's webhook, which knows no tenant.
package struct NumberOwner: Sendable {
    package var tenant: ID<Tenant>
    package var number: PhoneNumberRow
}

package struct PhoneNumberStore: Sendable {
    private let database: Database
    package init(_ database: Database) { self.database = database }

    private static let columns = """
        tenant_id, id, e164, name, agent_id, agent_version, credential_id, inbound_enabled,
        parley_ms(created_at) AS created
        """

    package func find(_ tenant: ID<Tenant>, id: ID<PhoneNumber>) async throws -> PhoneNumberRow? {
        try await database.tenant(
            tenant, "SELECT \(Self.columns) FROM phone_numbers WHERE tenant_id = $1 AND id = $2",
            [.id(tenant), .id(id)]
        ).rows.first.map(PhoneNumberRow.init)
    }

    /// The tenant's own number with these digits: what it may call from.
    package func find(_ tenant: ID<Tenant>, number: Redacted<E164>) async throws -> PhoneNumberRow? {
        try await database.tenant(
            tenant, "SELECT \(Self.columns) FROM phone_numbers WHERE tenant_id = $1 AND e164 = $2",
            [.id(tenant), .text(number.reveal.description)]
        ).rows.first.map(PhoneNumberRow.init)
    }

    /// Over all tenants.
    package func owner(of number: Redacted<E164>) async throws -> NumberOwner? {
        let found = try await database.platform(
            "SELECT \(Self.columns) FROM phone_numbers WHERE e164 = $1", [.text(number.reveal.description)])
        return try found.rows.first.map { row in
            NumberOwner(tenant: try row.id("tenant_id"), number: try PhoneNumberRow(row))
        }
    }

    package func list(
        _ tenant: ID<Tenant>, _ page: Page<PhoneNumber>
    ) async throws -> Listed<PhoneNumberRow, PhoneNumber> {
        try await database.list(
            tenant, page, "SELECT \(Self.columns) FROM phone_numbers WHERE tenant_id = $3", [.id(tenant)],
            id: \.id,
            PhoneNumberRow.init)
    }

    /// - Throws: `PostgresError` 23505 when the number is on the platform already, 23503 for an agent, version or
    ///   credential the tenant does not have.
    package static func insert(
        _ tenant: ID<Tenant>, _ row: PhoneNumberRow, in sql: PostgresTransaction
    ) async throws {
        _ = try await sql.query(
            """
            INSERT INTO phone_numbers
                (tenant_id, id, e164, name, agent_id, agent_version, credential_id, inbound_enabled)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            [
                .id(tenant), .id(row.id), .text(row.number.reveal.description), .maybe(row.name),
                .maybe(row.agent),
                .maybe(row.agentVersion), .id(row.credential), .bool(row.isInboundEnabled),
            ])
    }

    package static func locked(
        _ tenant: ID<Tenant>, id: ID<PhoneNumber>, in sql: PostgresTransaction
    ) async throws -> PhoneNumberRow? {
        try await sql.query(
            "SELECT \(Self.columns) FROM phone_numbers WHERE tenant_id = $1 AND id = $2 FOR UPDATE",
            [.id(tenant), .id(id)]
        ).rows.first.map(PhoneNumberRow.init)
    }

    /// Writes all that can change.
    package static func update(
        _ tenant: ID<Tenant>, _ row: PhoneNumberRow, in sql: PostgresTransaction
    ) async throws {
        _ = try await sql.query(
            """
            UPDATE phone_numbers SET name = $3, agent_id = $4, agent_version = $5, credential_id = $6,
                inbound_enabled = $7, updated_at = now()
            WHERE tenant_id = $1 AND id = $2
            """,
            [
                .id(tenant), .id(row.id), .maybe(row.name), .maybe(row.agent), .maybe(row.agentVersion),
                .id(row.credential), .bool(row.isInboundEnabled),
            ])
    }

    package func delete(_ tenant: ID<Tenant>, id: ID<PhoneNumber>) async throws -> Bool {
        try await database.tenant(
            tenant, "DELETE FROM phone_numbers WHERE tenant_id = $1 AND id = $2", [.id(tenant), .id(id)]
        ).affected == 1
    }
}

extension PhoneNumberRow {
    init(_ row: PostgresRow) throws {
        id = try row.id("id")
        guard let number = E164(try row.text("e164")) else {
            throw Fault(code: "store.unreadable_row", retry: .never, cause: "phone_numbers.e164")
        }
        self.number = Redacted(number)
        name = try row.optionalText("name")
        agent = try row.optionalID("agent_id")
        agentVersion = try row.optionalInt("agent_version").map { Int($0) }
        credential = try row.id("credential_id")
        isInboundEnabled = try row.bool("inbound_enabled")
        created = try row.time("created")
    }
}
