import Base
import Foundation

/// An account at an OpenAI-compatible vendor, as the environment names it: `OPENAI_API_KEY`, and `OPENAI_BASE_URL` for
/// another endpoint.
struct ModelAccount: Sendable {
    let key: Redacted<String>
    let baseURL: String

    /// nil without a key.
    init?(environment: [String: String] = ProcessInfo.processInfo.environment) {
        guard let key = environment["OPENAI_API_KEY"], !key.isEmpty else { return nil }
        self.key = Redacted(key)
        let url = environment["OPENAI_BASE_URL"] ?? ""
        baseURL = url.isEmpty ? "https://api.openai.com/v1" : url
    }
}
