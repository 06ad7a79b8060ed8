import Base
import Foundation
import HTTPClient
import VendorSim

/// A tenant with an agent and a number, made through the REST API as a customer would make them.
struct DemoTenant {
    let api: APIClient
    let tenantID: String
    let agentID: String
    let number: String
    let key: String

    struct Plan {
        var name: String
        /// The body of `POST /v1/agents`.
        var agent: JSON
        var number: String
        var credit = "25.00"
        var concurrencyLimit = 200
    }

    static func create(
        _ plan: Plan, operatorAPI: APIClient, carrier: SimulatedCarrier, publicURL: String
    ) async throws -> DemoTenant {
        let tenant = try await operatorAPI.post(
            "/v1/tenants",
            [
                "name": .string(plan.name), "kind": "client",
                "concurrency_limit": .int(Int64(plan.concurrencyLimit)),
            ])
        let tenantID = try tenant.text("id")
        var acting = operatorAPI
        acting.tenant = tenantID
        let keyAnswer = try await acting.post("/v1/api-keys", ["name": "demo", "scopes": ["*"]])
        _ = try await acting.post("/v1/wallet/top-ups", ["amount": .string(plan.credit)])
        var api = operatorAPI
        api.key = try keyAnswer.text("key")
        let credential = try await api.post(
            "/v1/credentials",
            [
                "vendor": "twilio", "name": "simulated carrier", "account_sid": .string(carrier.account.sid),
                "auth_token": .string(carrier.account.authToken), "base_url": .string(carrier.url),
            ])
        let agent = try await api.post("/v1/agents", plan.agent)
        let agentID = try agent.text("id")
        _ = try await api.post(
            "/v1/phone-numbers",
            [
                "number": .string(plan.number), "agent_id": .string(agentID),
                "credential_id": try .string(credential.text("id")),
            ])
        carrier.assign(
            plan.number, voiceURL: publicURL + "/carriers/twilio/voice",
            statusCallback: publicURL + "/carriers/twilio/status")
        return DemoTenant(api: api, tenantID: tenantID, agentID: agentID, number: plan.number, key: api.key)
    }
}

extension DemoTenant {
    /// Numbers are unique on a platform and demonstrations share one: a few fixed ones would run out.
    static func freshNumber() -> String {
        "+1\(Int.random(in: 200...989))\(Int.random(in: 200...989))\(Int.random(in: 1000...9999))"
    }

    /// The newest calls from a number.
    func calls(from: String) async throws -> [JSON] {
        let escaped = from.replacingOccurrences(of: "+", with: "%2B")
        return try await api.get("/v1/calls?from=\(escaped)&limit=10")["data"]?.array ?? []
    }
}

extension JSON {
    /// A member that must be text.
    func text(_ member: String) throws -> String {
        guard let text = self[member]?.string else {
            throw DemoFailure("the answer has no text `\(member)`: \(self)")
        }
        return text
    }
}

/// An example of `docs/examples`, with the address of the demonstration's booking tool.
enum ExampleAgent {
    /// The body of `POST /v1/agents`. `name` is the file's, without its ending; `directory` is the repository's.
    static func body(_ name: String, toolURL: String, directory: String) throws -> JSON {
        let path = directory + "/docs/examples/\(name).json"
        guard let data = FileManager.default.contents(atPath: path) else {
            throw DemoFailure("\(path) is missing: run the demo from the repository")
        }
        let body = try JSONDecoder().decode(JSON.self, from: data)
        guard case .object(var members) = body, case .object(var definition)? = members["definition"],
            case .array(var tools)? = definition["tools"], case .object(var tool)? = tools.first
        else { throw DemoFailure("\(path) is not an agent with a tool") }
        tool["url"] = .string(toolURL)
        tools[0] = .object(tool)
        definition["tools"] = .array(tools)
        members["definition"] = .object(definition)
        return .object(members)
    }
}
