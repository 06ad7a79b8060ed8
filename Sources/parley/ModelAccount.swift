import Base
import Foundation

/// An account at a model's vendor, as the environment names it: `OPENAI_API_KEY`, and `OPENAI_BASE_URL` for another endpoint;
/// likewise `ANTHROPIC_…` and `COMPATIBLE_…`.
struct ModelAccount: Sendable {
    /// Where a vendor is asked if nothing else is said; any other needs a URL.
    private static let addresses = [
        "openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com",
    ]

    let key: Redacted<String>
    let baseURL: String

    /// nil without a key, or a URL where one is needed.
    init?(
        vendor: String = "openai", environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        guard let key = environment[Self.keyName(vendor)], !key.isEmpty else { return nil }
        let given = environment["\(vendor.uppercased())_BASE_URL"] ?? ""
        guard let url = given.isEmpty ? Self.addresses[vendor] : given else { return nil }
        self.key = Redacted(key)
        baseURL = url
    }

    /// What is to be set for the vendor of `choice`.
    static func isNeeded(for choice: ModelChoice) -> String {
        "\(choice.source) needs \(keyName(choice.vendor)), and \(choice.vendor.uppercased())_BASE_URL for an endpoint of "
            + "one's own"
    }

    static func keyName(_ vendor: String) -> String { "\(vendor.uppercased())_API_KEY" }
}
