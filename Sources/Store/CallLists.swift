package import Base
package import Billing
package import CallDispatch
import Postgres

/// What customers look at: lists and details, over the slow pool.
extension CallStore {
    package struct Filter: Sendable {
        package var state: CallRow.State?
        package var direction: Direction?
        package var agent: ID<Agent>?
        package var from: String?
        package var to: String?
        package var createdAfter: Timestamp?
        package var createdBefore: Timestamp?
        package var endReason: EndReason?
        package init() {}
    }

    package func list(
        _ tenant: ID<Tenant>, _ filter: Filter, _ page: Page<Call>
    ) async throws -> Listed<CallRow, Call> {
        try await database.list(
            tenant, page,
            """
            SELECT \(CallRow.columns) FROM calls WHERE tenant_id = $3
                AND ($4::text IS NULL OR state = $4) AND ($5::text IS NULL OR direction = $5)
                AND ($6::uuid IS NULL OR agent_id = $6) AND ($7::text IS NULL OR from_number = $7)
                AND ($8::text IS NULL OR to_number = $8)
                AND ($9::timestamptz IS NULL OR id >= parley_uuid7_floor($9::timestamptz))
                AND ($10::timestamptz IS NULL OR id < parley_uuid7_floor($10::timestamptz))
                AND ($11::text IS NULL OR end_reason = $11)
            """,
            [
                .id(tenant), .maybe(filter.state?.rawValue), .maybe(filter.direction?.rawValue),
                .maybe(filter.agent), .maybe(filter.from), .maybe(filter.to), .time(filter.createdAfter),
                .time(filter.createdBefore), .maybe(filter.endReason?.rawValue),
            ], id: \.id, CallRow.init)
    }
}

package struct CallEventRow: Sendable {
    package var at: Timestamp
    package var type: String
    package var epoch: Int
    package var detail: JSON
}

package struct TurnRow: Sendable {
    package var epoch: Int
    package var number: Int
    package var speaker: String
    package var words: Redacted<String>
    package var startMs: Int
    package var endMs: Int
    package var wasInterrupted: Bool
    package var stages: JSON
}

package struct ArtifactRow: Sendable {
    package var epoch: Int
    /// Under the recordings root.
    package var path: String
    package var milliseconds: Int
}

extension FactStore {
    /// In the order they happened; `offset` of those are passed over.
    package func events(
        _ tenant: ID<Tenant>, _ call: ID<Call>, offset: Int, limit: Int
    ) async throws -> [CallEventRow] {
        try await database.adminQuery(
            tenant,
            """
            SELECT parley_ms(at) AS at, type, epoch, detail FROM call_events WHERE call_id = $1
            ORDER BY call_events.at, origin, epoch, sequence OFFSET $2 LIMIT $3
            """, [.id(call), .maybe(offset), .maybe(limit)]
        ).rows.map { row in
            CallEventRow(
                at: try row.time("at"), type: try row.text("type"), epoch: Int(try row.int("epoch")),
                detail: try row.json("detail"))
        }
    }

    package func turns(_ tenant: ID<Tenant>, _ call: ID<Call>) async throws -> [TurnRow] {
        try await database.adminQuery(
            tenant,
            """
            SELECT epoch, number, speaker, words, start_ms, end_ms, was_interrupted, stages FROM call_turns
            WHERE call_id = $1 ORDER BY epoch, number
            """, [.id(call)]
        ).rows.map { row in
            TurnRow(
                epoch: Int(try row.int("epoch")), number: Int(try row.int("number")),
                speaker: try row.text("speaker"),
                words: Redacted(try row.text("words")), startMs: Int(try row.int("start_ms")),
                endMs: Int(try row.int("end_ms")), wasInterrupted: try row.bool("was_interrupted"),
                stages: try row.json("stages"))
        }
    }

    package func artifacts(
        _ tenant: ID<Tenant>, _ call: ID<Call>, kind: ArtifactKind
    ) async throws -> [ArtifactRow] {
        try await database.tenant(
            tenant,
            """
            SELECT epoch, path, milliseconds FROM call_artifacts WHERE call_id = $1 AND kind = $2 ORDER BY
                epoch, path
            """, [.id(call), .text(kind.rawValue)]
        ).rows.map {
            ArtifactRow(
                epoch: Int(try $0.int("epoch")), path: try $0.text("path"),
                milliseconds: Int(try $0.int("milliseconds")))
        }
    }

    /// Every file of a call, by its path under the recordings root.
    package func paths(_ tenant: ID<Tenant>, _ call: ID<Call>) async throws -> [String] {
        try await database.tenant(
            tenant, "SELECT path FROM call_artifacts WHERE call_id = $1 ORDER BY path", [.id(call)]
        ).rows.map { try $0.text("path") }
    }

    package func costs(_ tenant: ID<Tenant>, _ call: ID<Call>) async throws -> [CostLine] {
        try await database.adminQuery(
            tenant,
            """
            SELECT component, source, unit, quantity, billed, price_nanos, per, amount_nanos FROM call_costs
            WHERE call_id = $1
            """, [.id(call)]
        ).rows.compactMap { row -> CostLine? in
            guard let component = Usage.Component(rawValue: try row.text("component")),
                let unit = Usage.Unit(rawValue: try row.text("unit"))
            else { return nil }
            let usage = Usage(
                component: component, source: try row.text("source"), unit: unit,
                quantity: try row.int("quantity"))
            return CostLine(
                usage, billed: try row.int("billed"), price: Money(nanos: try row.int("price_nanos")),
                per: try row.int("per"), amount: Money(nanos: try row.int("amount_nanos")))
        }
    }
}
