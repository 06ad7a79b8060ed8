import Base
import Billing
import HTTPTypes
import Hummingbird
import Postgres
import Store

/// `/v1/price-books`: what the components of a call cost. Written by the operator; never changed, only followed.
struct PriceBookRoutes: Routes {
    static let ratesMax = 200
    /// Dollars. Beyond this a price is a mistake, and a product with usage could overflow.
    static let priceMax = Money.dollars(10_000)
    static let unitsMax = 1_000_000_000

    private let parts: ControlPlane.Parts
    private let books: PriceBookStore

    init(_ parts: ControlPlane.Parts) {
        self.parts = parts
        books = PriceBookStore(parts.database)
    }

    func add(to router: RouterGroup<ControlRequest>) {
        router.post("/v1/price-books", use: create)
        router.get("/v1/price-books", use: list)
        router.get("/v1/price-books/{id}", use: get)
    }

    private func create(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.requireOperator()
        try access.require(.all)
        let body = try await Convert.body(request, context)
        let fields = try body.fields()
        let name = fields.string("name")
        let now = Timestamp.current
        let effective = fields.optionalTime("effective_from") ?? now
        // Calls that ran are not priced anew.
        if effective < now + .seconds(-60) { fields.fail("effective_from", "lies in the past") }
        let rates = Self.rates(fields)
        try fields.finish()
        let row = PriceBookRow(
            tenant: access.tenant, name: name, effectiveFrom: effective,
            book: PriceBook(id: .new(), rates: rates))
        return try await parts.idempotency.create(request, context, body, as: .platform) { sql in
            do {
                try await PriceBookStore.insert(row, in: sql)
            } catch let error as PostgresError where error.isUniqueViolation {
                throw Problem(.conflict, "already_exists", "another book takes effect at the same moment")
            }
            return StoredAnswer(
                status: 201, location: "/v1/price-books/\(row.book.id)", body: Self.json(row).text)
        }
    }

    private func list(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.usageRead)
        let page = try parts.cursors.page(
            request, list: "price-books", tenant: access.tenant, PriceBookEntity.self)
        let found = try await books.list(access.tenant, page)
        return Answer.list(
            found.rows.map(Self.json),
            nextCursor: parts.cursors.text(found.next, list: "price-books", tenant: access.tenant))
    }

    private func get(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.usageRead)
        guard let row = try await books.find(access.tenant, id: try context.id("id")) else {
            throw Problem.notFound("price book")
        }
        return Answer.json(Self.json(row))
    }

    private static func rates(_ fields: Fields) -> [Rate] {
        var seen: Set<String> = []
        return fields.objects("rates", count: 1...ratesMax).map { rate in
            let price = rate.money("price")
            if price > priceMax { rate.fail("price", "may be at most \(priceMax)") }
            let read = Rate(
                component: rate.choice("component", or: .telephony),
                source: rate.optionalString("source", length: 1...100) ?? "*",
                unit: rate.choice("unit", or: RateUnit.milliseconds).unit, price: price,
                per: Int64(rate.int("per", 1...unitsMax)),
                increment: Int64(rate.optionalInt("increment", 1...unitsMax) ?? 1),
                minimum: Int64(rate.optionalInt("minimum", 0...unitsMax) ?? 0))
            if !seen.insert("\(read.component) \(read.source) \(read.unit)").inserted {
                rate.fail("source", "there are two rates for this component, source and unit")
            }
            return read
        }
    }

    static func json(_ row: PriceBookRow) -> JSON {
        [
            "id": .id(row.book.id), "object": "price_book", "name": .string(row.name),
            "effective_from": .time(row.effectiveFrom), "created_at": .time(row.created),
            "rates": .array(
                row.book.rates.map { rate in
                    [
                        "component": .string(rate.component.rawValue), "source": .string(rate.source),
                        "unit": .string(RateUnit(rate.unit).rawValue),
                        "price": .string(rate.price.description),
                        "per": .int(rate.per), "increment": .int(rate.increment),
                        "minimum": .int(rate.minimum),
                    ]
                }),
        ]
    }
}

/// Units as the API spells them.
enum RateUnit: String, CaseIterable, Sendable {
    case milliseconds, characters
    case inputTokens = "input_tokens", cachedTokens = "cached_tokens"
    case cacheWriteTokens = "cache_write_tokens", outputTokens = "output_tokens"

    init(_ unit: Usage.Unit) {
        switch unit {
        case .milliseconds: self = .milliseconds
        case .characters: self = .characters
        case .inputTokens: self = .inputTokens
        case .cachedTokens: self = .cachedTokens
        case .cacheWriteTokens: self = .cacheWriteTokens
        case .outputTokens: self = .outputTokens
        }
    }
    var unit: Usage.Unit {
        switch self {
        case .milliseconds: .milliseconds
        case .characters: .characters
        case .inputTokens: .inputTokens
        case .cachedTokens: .cachedTokens
        case .cacheWriteTokens: .cacheWriteTokens
        case .outputTokens: .outputTokens
        }
    }
}
