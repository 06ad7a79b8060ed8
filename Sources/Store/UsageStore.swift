package import Base
import Postgres

/// Sums over the rated lines of finished calls.
package struct UsageStore: Sendable {
    package enum Grouping: String, Sendable, CaseIterable { case day, agent, component }

    package struct Line: Sendable {
        /// `2026-11-22`, UTC.
        package var day: String?
        package var agent: ID<Agent>?
        package var component: String?
        package var calls: Int
        package var connectedMs: Int64
        package var cost: Money
    }

    /// Lines of one answer.
    package static let linesMax = 10_000

    private let database: Database
    package init(_ database: Database) { self.database = database }

    /// Calls that ended in `from..<to`. Each line has the whole connected time of its calls once, however the
    /// sums are grouped: by component, those of one call each have it.
    package func sum(
        _ tenant: ID<Tenant>, from: Timestamp, to: Timestamp, by groups: [Grouping]
    ) async throws -> [Line] {
        let columns: [Grouping: String] = [
            .day: "to_char(k.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')", .agent: "k.agent_id::text",
            .component: "k.component",
        ]
        let selected = Grouping.allCases.map { group in
            (groups.contains(group) ? columns[group] ?? "NULL" : "NULL::text") + " AS \(group.rawValue)"
        }
        let found = try await database.adminQuery(
            tenant,
            """
            SELECT day, agent, component, count(*) AS calls, sum(connected_ms)::bigint AS connected_ms,
                sum(cost)::bigint AS cost
            FROM (
                SELECT \(selected.joined(separator: ", ")), k.call_id,
                    coalesce(max(c.connected_ms), 0) AS connected_ms, sum(k.amount_nanos) AS cost
                FROM call_costs k JOIN calls c ON c.id = k.call_id
                WHERE k.tenant_id = $1 AND k.ended_at >= $2::timestamptz AND k.ended_at < $3::timestamptz
                GROUP BY 1, 2, 3, k.call_id
            ) AS shares
            GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT $4
            """, [.id(tenant), .time(from), .time(to), .maybe(Self.linesMax)])
        return try found.rows.map { row in
            Line(
                day: try row.optionalText("day"),
                agent: try row.optionalText("agent").flatMap { ID(uuid: $0) },
                component: try row.optionalText("component"), calls: Int(try row.int("calls")),
                connectedMs: try row.int("connected_ms"),
                cost: Money(nanos: try row.int("cost")))
        }
    }
}
