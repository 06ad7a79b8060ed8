package import Agents
package import Base
package import Billing
import CallDispatch
package import Postgres
import Routing
package import Store

/// Makes a version of an agent that nobody can change afterwards.
package struct PublishAgent: Sendable {
    /// Versions of one agent.
    package static let versionsMax = 10_000
    package init() {}

    /// A new agent with version 1. `prices`: the book in force.
    ///
    /// - Throws: `Refusal` `unpriced_model`, `unroutable_model`.
    package func first(
        _ tenant: ID<Tenant>, _ agent: AgentRow, _ definition: AgentDefinition, prices: PriceBook,
        in sql: PostgresTransaction
    ) async throws -> AgentVersionRow {
        try await Self.check(tenant, definition, prices, in: sql)
        try await AgentStore.insert(tenant, agent, definition, in: sql)
        return AgentVersionRow(agent: agent.id, number: 1, definition: definition)
    }

    /// The next version of an agent. Two at once get two numbers.
    /// - Throws: `Refusal` `not_found`, `limit_exceeded`, `unpriced_model`, `unroutable_model`.
    package func callAsFunction(
        _ tenant: ID<Tenant>, _ agent: ID<Agent>, _ definition: AgentDefinition, prices: PriceBook,
        in sql: PostgresTransaction
    ) async throws -> AgentVersionRow {
        try await Self.check(tenant, definition, prices, in: sql)
        guard let number = try await AgentStore.nextVersion(tenant, agent: agent, in: sql) else {
            throw Refusal(code: "not_found", message: "there is no such agent, or it is archived")
        }
        guard number <= Self.versionsMax else {
            throw Refusal(code: "limit_exceeded", message: "an agent may have \(Self.versionsMax) versions")
        }
        try await AgentStore.insertVersion(tenant, agent, number, definition, in: sql)
        return AgentVersionRow(agent: agent, number: number, definition: definition)
    }
}

extension PublishAgent {
    /// Whatever may speak for the agent has a price, or calls would cost what nobody knows.
    private static func check(
        _ tenant: ID<Tenant>, _ definition: AgentDefinition, _ prices: PriceBook, in sql: PostgresTransaction
    ) async throws {
        guard let prompt = definition.prompt else { return }
        let unpriced = prompt.models.filter { !prices.isPriced($0) }
        guard unpriced.isEmpty else { throw Self.unpriced(unpriced) }
        guard let routing = prompt.routing, routing.mode != .off else { return }
        let rules = try await PlanStore.routing(tenant, in: sql)
        do throws(RoutingProblem) {
            _ = try Router(routing, under: rules, strong: prompt.choices[0], price: prices.tokenPrice)
        } catch .missingPrice {
            // A price by the minute says nothing of a request.
            throw Self.unpriced([routing.cheap, prompt.choices[0]].filter { prices.tokenPrice($0) == nil })
        } catch {
            throw Refusal(code: "unroutable_model", message: "prompt.routing\(error.path): \(error.message)")
        }
    }

    private static func unpriced(_ models: [ModelChoice]) -> Refusal {
        Refusal(
            code: "unpriced_model",
            message:
                "no price for \(models.map(\.source).joined(separator: ", ")): the operator's price book needs "
                + "llm rates for its input_tokens and output_tokens")
    }
}

/// Takes an agent out of use. Its versions stay, for the calls that ran on them.
package struct ArchiveAgent: Sendable {
    private let database: Database
    package init(database: Database) { self.database = database }

    /// - Throws: `Refusal` `not_found`, `conflict` while a phone number is answered by it.
    package func callAsFunction(_ tenant: ID<Tenant>, _ id: ID<Agent>) async throws {
        try await database.tenantTransaction(tenant) { sql in
            guard try await AgentStore.archive(tenant, id: id, in: sql) else {
                throw Refusal(code: "not_found", message: "there is no such agent, or it is archived")
            }
            let used = try await AgentStore.numbersUsing(tenant, agent: id, in: sql)
            guard used == 0 else {
                throw Refusal(code: "conflict", message: "\(used) phone numbers are answered by this agent")
            }
        }
    }
}
