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
    /// - Throws: `Refusal` `unpriced_model`, `unknown_credential`, `unroutable_model`.
    package func first(
        _ tenant: ID<Tenant>, _ agent: AgentRow, _ definition: AgentDefinition, prices: PriceBook,
        in sql: PostgresTransaction
    ) async throws -> AgentVersionRow {
        try await Self.check(tenant, definition, prices, in: sql)
        try await AgentStore.insert(tenant, agent, definition, in: sql)
        return AgentVersionRow(agent: agent.id, number: 1, definition: definition)
    }

    /// The next version of an agent. Two at once get two numbers.
    /// - Throws: `Refusal` `not_found`, `limit_exceeded`, `unpriced_model`, `unknown_credential`,
    ///   `unroutable_model`.
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
        try checkVoice(definition.voice, prices)
        guard let prompt = definition.prompt else { return }
        try await checkCredentials(tenant, prompt, in: sql)
        let models = named(prompt)
        let unpriced = models.filter { !prices.isPriced($0.choice) }
        guard unpriced.isEmpty else { throw Self.unpriced(unpriced) }
        guard let routing = prompt.routing, routing.mode != .off else { return }
        let rules = try await PlanStore.routing(tenant, in: sql)
        do throws(RoutingProblem) {
            _ = try Router(routing, under: rules, strong: prompt.choices[0], price: prices.tokenPrice)
        } catch .missingPrice {
            // A price by the minute says nothing of a request.
            throw Self.unpriced(
                models.filter {
                    [routing.cheap, prompt.choices[0]].contains($0.choice)
                        && prices.tokenPrice($0.choice) == nil
                })
        } catch {
            throw refusal("unroutable_model", [("prompt.routing\(error.path)", error.message)])
        }
    }

    /// A model where the definition names it; `vendor`: the path of the vendor's name.
    private typealias NamedModel = (path: String, vendor: String, choice: ModelChoice)

    private static func named(_ prompt: Prompt) -> [NamedModel] {
        let others =
            prompt.fallbacks.enumerated().map { ("prompt.fallbacks[\($0)]", $1) }
            + [prompt.routing.map { ("prompt.routing.cheap", $0.cheap) }].compactMap { $0 }
        return [("prompt.model", "prompt.vendor", prompt.choices[0])]
            + others.map { ($0, $0 + ".vendor", $1) }
    }

    /// `problems`: paths in the definition, and what is wrong there. `remedy`: for all of them.
    private static func refusal(
        _ code: String, _ problems: [(path: String, message: String)], remedy: String = ""
    ) -> Refusal {
        Refusal(
            code: code,
            message: problems.map { "\($0.path): \($0.message)" }.joined(separator: "; ") + remedy,
            fields: problems.map { .init(path: "definition.\($0.path)", message: $0.message) })
    }

    /// A credential that a model names is there. One that is deleted later is missing in calls, as any is.
    private static func checkCredentials(
        _ tenant: ID<Tenant>, _ prompt: Prompt, in sql: PostgresTransaction
    ) async throws {
        for (_, path, choice) in named(prompt) {
            let account = choice.account
            guard let name = account.credential,
                try await !CredentialStore.isNamed(tenant, name, vendor: account.vendor, in: sql)
            else { continue }
            throw refusal(
                "unknown_credential",
                [(path, "there is no credential of the name \(name) for \(account.vendor)")])
        }
    }

    /// As for language models: whoever hears or speaks, or would take over, has a price.
    private static func checkVoice(_ voice: VoiceSettings, _ prices: PriceBook) throws {
        func unpriced(_ stage: String, _ sources: [(String, isPriced: Bool)]) -> [(String, String)] {
            sources.enumerated().filter { !$1.isPriced }
                .map { (path(stage, $0), "no price for \($1.0)") }
        }
        let hearing = unpriced(
            "stt",
            voice.recognisers.map {
                ($0.source, prices.isPriced(.stt, source: $0.source, in: .milliseconds))
            })
        let speaking = unpriced(
            "tts",
            voice.speakers.map { ($0.source, prices.isPriced(.tts, source: $0.source, in: .characters)) })
        guard !(hearing + speaking).isEmpty else { return }
        let units = [
            hearing.isEmpty ? nil : "stt rates in milliseconds",
            speaking.isEmpty ? nil : "tts rates in characters or milliseconds",
        ].compactMap { $0 }.joined(separator: " and ")
        throw refusal(
            "unpriced_model", hearing + speaking, remedy: ": the operator's price book needs \(units)")
    }

    /// `index`: 0 is the first choice, then the fallbacks.
    private static func path(_ stage: String, _ index: Int) -> String {
        index == 0 ? "voice.\(stage)" : "voice.\(stage)_fallbacks[\(index - 1)]"
    }

    private static func unpriced(_ models: [NamedModel]) -> Refusal {
        refusal(
            "unpriced_model", models.map { ($0.path, "no price for \($0.choice.source)") },
            remedy: ": the operator's price book needs llm rates for its input_tokens and output_tokens")
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
