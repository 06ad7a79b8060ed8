import Base

/// The example prompt agent beside the flow agent, for a demonstration whose environment has an account at a model's
/// vendor.
struct PromptOffer: Sendable {
    let agentID: String
    let model: String

    /// Stores the credential and creates the agent through the REST API.
    static func create(
        _ account: ModelAccount, toolURL: String, directory: String, api: APIClient
    ) async throws -> PromptOffer {
        let body = try ExampleAgent.body("prompt-desk", toolURL: toolURL, directory: directory)
        guard let prompt = body["definition"]?["prompt"] else {
            throw DemoFailure("docs/examples/prompt-desk.json has no prompt")
        }
        _ = try await api.post(
            "/v1/credentials",
            [
                "vendor": try .string(prompt.text("vendor")), "name": "language model",
                "api_key": .string(account.key.reveal), "base_url": .string(account.baseURL),
            ])
        let agent = try await api.post("/v1/agents", body)
        return PromptOffer(agentID: try agent.text("id"), model: try prompt.text("model"))
    }

    /// How to talk to it; the account's key is not in it.
    func lines(url: String, key: String, isLeftRunning: Bool) -> String {
        let when = isLeftRunning ? "" : " (`make serve` keeps a platform running for this)"
        return """
            a prompt agent led by \(model) is there too, as OPENAI_API_KEY is set; talk to it in text\(when):
              .build/release/parley chat \(agentID) --url \(url) --key \(key) --allow-private 127.0.0.0/8
            by voice it needs a real recogniser: the offline voices are stand-ins that hear only what a flow expects
            """
    }
}
