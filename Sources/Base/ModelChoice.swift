/// A model at a vendor, as an agent names it.
package struct ModelChoice: Hashable, Sendable, Codable {
    /// `openai`; with the name of one of the tenant's credentials behind a colon, that account and no other:
    /// `compatible:groq`.
    package var vendor: String
    package var model: String
    package init(vendor: String, model: String) {
        self.vendor = vendor
        self.model = model
    }

    /// As usage and prices name it: `openai/gpt-6-luna`.
    package var source: String { "\(vendor)/\(model)" }
    /// As prices name it for whichever account: without a credential's name.
    package var commonSource: String { "\(account.vendor)/\(model)" }
    package var account: VendorAccount { VendorAccount(vendor) }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case vendor, model
    }

    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init(
            vendor: try from.decode(String.self, forKey: .vendor),
            model: try from.decode(String.self, forKey: .model))
    }
}

/// How much a model thinks before it answers: the words vendors know. What is thought is waited for and paid for, and
/// nobody hears it.
package enum ReasoningEffort: String, Hashable, Sendable, Codable, CaseIterable {
    case none, minimal, low, medium, high
}

/// Which of a tenant's accounts is meant.
package struct VendorAccount: Hashable, Sendable {
    package var vendor: String
    /// Name of the credential; nil: the newest of the vendor.
    package var credential: String?

    /// `text`: `openai`, `compatible:groq`.
    package init(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        vendor = String(parts[0])
        credential = parts.count > 1 ? String(parts[1]) : nil
    }
}
