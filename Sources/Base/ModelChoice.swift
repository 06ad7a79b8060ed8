/// A model at a vendor, as an agent names it.
package struct ModelChoice: Hashable, Sendable, Codable {
    package var vendor: String
    package var model: String
    package init(vendor: String, model: String) {
        self.vendor = vendor
        self.model = model
    }

    /// As usage and prices name it: `openai/gpt-6-luna`.
    package var source: String { "\(vendor)/\(model)" }

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
