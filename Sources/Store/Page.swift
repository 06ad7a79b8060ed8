package import Base
import Postgres

/// What part of a list is wanted: newest first, from just below `after`.
package struct Page<Of: Entity>: Sendable {
    package static var limitDefault: Int { 20 }
    package static var limitMax: Int { 100 }

    package var after: ID<Of>?
    /// 1...100.
    package var limit: Int
    package init(after: ID<Of>? = nil, limit: Int = Page.limitDefault) {
        self.after = after
        self.limit = limit
    }
}

/// One page of a list, and where the next one begins; nil at the end.
package struct Listed<Row: Sendable, Of: Entity>: Sendable {
    package var rows: [Row]
    package var next: ID<Of>?

    /// `rows` holds up to one more than the limit, which tells that there is a next page.
    package init(_ rows: [Row], limit: Int, id: (Row) -> ID<Of>) {
        self.rows = Array(rows.prefix(limit))
        next = rows.count > limit ? self.rows.last.map(id) : nil
    }
}

extension Database {
    /// One page of what `select` finds, which ends in a condition; its own parameters begin at `$3`.
    func list<Row: Sendable, Of>(
        _ tenant: ID<Tenant>, _ page: Page<Of>, _ select: String, _ parameters: [PostgresValue],
        id: (Row) -> ID<Of>, _ read: (PostgresRow) throws -> Row
    ) async throws -> Listed<Row, Of> {
        let found = try await adminQuery(
            tenant, select + " AND ($1::uuid IS NULL OR id < $1::uuid) ORDER BY id DESC LIMIT $2",
            [.maybe(page.after), .maybe(page.limit + 1)] + parameters)
        return Listed(try found.rows.map(read), limit: page.limit, id: id)
    }
}
