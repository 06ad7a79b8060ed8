package import Base
package import Billing
import Foundation
package import Postgres

package struct PriceBookRow: Sendable {
    /// Whose calls it prices: this tenant's and those of tenants below without a book of their own.
    package var tenant: ID<Tenant>
    package var name: String
    package var effectiveFrom: Timestamp
    package var book: PriceBook
    package var created: Timestamp
    package init(tenant: ID<Tenant>, name: String, effectiveFrom: Timestamp, book: PriceBook) {
        self.tenant = tenant
        self.name = name
        self.effectiveFrom = effectiveFrom
        self.book = book
        created = .current
    }
}

/// Immutable price books, written by the operator.
package struct PriceBookStore: Sendable {
    private let database: Database
    package init(_ database: Database) { self.database = database }

    private static let columns = """
        b.tenant_id, b.id, b.name, parley_ms(b.effective_from) AS effective, b.rates,
        parley_ms(b.created_at) AS created
        """

    package func find(_ tenant: ID<Tenant>, id: ID<PriceBookEntity>) async throws -> PriceBookRow? {
        try await database.tenant(
            tenant, "SELECT \(Self.columns) FROM price_books b WHERE b.tenant_id = $1 AND b.id = $2",
            [.id(tenant), .id(id)]
        ).rows.first.map(PriceBookRow.init)
    }

    package func list(
        _ tenant: ID<Tenant>, _ page: Page<PriceBookEntity>
    ) async throws -> Listed<PriceBookRow, PriceBookEntity> {
        try await database.list(
            tenant, page, "SELECT \(Self.columns) FROM price_books b WHERE tenant_id = $3", [.id(tenant)],
            id: \.book.id,
            PriceBookRow.init)
    }

    /// The book a call of `tenant` that starts now is priced by: the newest in effect, of the tenant itself or of
    /// the nearest one above that has any.
    package func effective(_ tenant: ID<Tenant>) async throws -> PriceBook? {
        try await database.platform(
            """
            SELECT \(Self.columns) FROM tenants t JOIN price_books b ON b.tenant_id = ANY (t.path)
            WHERE t.id = $1 AND b.effective_from <= now()
            ORDER BY array_position(t.path, b.tenant_id) DESC, b.effective_from DESC LIMIT 1
            """, [.id(tenant)]
        ).rows.first.map { try PriceBookRow($0).book }
    }

    /// A book a call was pinned to, whoever it belongs to.
    package func pinned(_ id: ID<PriceBookEntity>) async throws -> PriceBook? {
        try await database.platform("SELECT \(Self.columns) FROM price_books b WHERE b.id = $1", [.id(id)])
            .rows.first.map { try PriceBookRow($0).book }
    }

    /// Under the platform role. - Throws: `PostgresError` 23505 for a second book of the same moment.
    package static func insert(_ row: PriceBookRow, in sql: PostgresTransaction) async throws {
        let rates = String(decoding: try JSONEncoder().encode(row.book.rates), as: UTF8.self)
        _ = try await sql.query(
            """
            INSERT INTO price_books (tenant_id, id, name, effective_from, rates)
            VALUES ($1, $2, $3, $4::timestamptz, $5::jsonb)
            """,
            [.id(row.tenant), .id(row.book.id), .text(row.name), .time(row.effectiveFrom), .text(rates)])
    }

    package static func isAny(for tenant: ID<Tenant>, in sql: PostgresTransaction) async throws -> Bool {
        try await sql.query("SELECT id FROM price_books WHERE tenant_id = $1 LIMIT 1", [.id(tenant)])
            .rows.isEmpty == false
    }
}

extension PriceBookRow {
    init(_ row: PostgresRow) throws {
        tenant = try row.id("tenant_id")
        name = try row.text("name")
        effectiveFrom = try row.time("effective")
        let rates = try JSONDecoder().decode([Rate].self, from: Data(try row.text("rates").utf8))
        book = PriceBook(id: try row.id("id"), rates: rates)
        created = try row.time("created")
    }
}
