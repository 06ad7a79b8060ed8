package import Base
import CallDispatch
package import Postgres
package import Store

/// Checks that a phone number's agent, version and credential are there and fit, inside the transaction that writes
/// the number, so that none of them can go away in between.
package struct AssignNumber: Sendable {
    package init() {}

    /// - Throws: `Refusal` `unknown_agent`, `unknown_version`, `unknown_credential`, `wrong_vendor`.
    package func check(_ tenant: ID<Tenant>, _ row: PhoneNumberRow, in sql: PostgresTransaction) async throws
    {
        if let agent = row.agent {
            guard try await AgentStore.holdActive(tenant, id: agent, in: sql) else {
                throw Refusal(
                    code: "unknown_agent", message: "agent_id: there is no such agent, or it is archived")
            }
            if let number = row.agentVersion,
                try await !AgentStore.hasVersion(tenant, agent: agent, number: number, in: sql)
            {
                throw Refusal(
                    code: "unknown_version", message: "agent_version: the agent has no such version")
            }
        }
        guard let vendor = try await CredentialStore.vendor(tenant, id: row.credential, in: sql) else {
            throw Refusal(code: "unknown_credential", message: "credential_id: there is no such credential")
        }
        guard vendor == .twilio else {
            throw Refusal(code: "wrong_vendor", message: "credential_id: this is not a carrier's credential")
        }
    }
}

/// Changes a phone number's routing.
package struct UpdateNumber: Sendable {
    private let database: Database
    package init(database: Database) { self.database = database }

    /// - Throws: `Refusal` `not_found` and those of `AssignNumber`.
    package func callAsFunction(
        _ tenant: ID<Tenant>, _ id: ID<PhoneNumber>,
        _ change: @escaping @Sendable (inout PhoneNumberRow) throws -> Void
    ) async throws -> PhoneNumberRow {
        try await database.tenantTransaction(tenant) { sql in
            guard var row = try await PhoneNumberStore.locked(tenant, id: id, in: sql) else {
                throw Refusal(code: "not_found", message: "there is no such number")
            }
            try change(&row)
            try await AssignNumber().check(tenant, row, in: sql)
            try await PhoneNumberStore.update(tenant, row, in: sql)
            return row
        }
    }
}
