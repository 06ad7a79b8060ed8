import Base
import Billing
import Foundation
import Store

/// The list prices of language models that a new platform begins with: `deploy/prices.json`. An operator's own book
/// takes their place.
struct ListPrices: Decodable {
    struct Model: Decodable {
        var vendor: String
        var model: String
        /// Dollars for a million tokens. Without a price of its own, what touches a cache costs as any other input.
        var input: String
        var cached: String?
        var cache_write: String?
        var output: String
    }
    var models: [Model]

    /// - Throws: when the file is missing, or not what it should be.
    static func rates() throws -> [Rate] {
        let path = try ProgramFiles.locate("deploy/prices.json", given: nil)
        do {
            let file = try JSONDecoder().decode(ListPrices.self, from: Data(contentsOf: URL(filePath: path)))
            return try file.models.flatMap(rates)
        } catch let error as DecodingError {
            throw Fault(
                code: "prices.unreadable", retry: .never, cause: "\(path): \(error.path): \(error.reason)")
        }
    }

    private static func rates(_ model: Model) throws -> [Rate] {
        let source = ModelChoice(vendor: model.vendor, model: model.model).source
        let prices: [(Usage.Unit, String?)] = [
            (.inputTokens, model.input), (.cachedTokens, model.cached),
            (.cacheWriteTokens, model.cache_write), (.outputTokens, model.output),
        ]
        return try prices.compactMap { unit, text in
            guard let text else { return nil }
            guard let price = Money(decimal: text) else {
                throw Fault(
                    code: "prices.unreadable", retry: .never, cause: "deploy/prices.json: \(source): \(text)")
            }
            return Rate(component: .llm, source: source, unit: unit, price: price, per: TokenPrice.per)
        }
    }
}
