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

    /// Calls that ended in `from..<to`. Connected time is counted once a call, on its platform line, so
    /// that it is the same however the sums are grouped; grouped by component every component has its
    /// calls' whole time.
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
        let grouped = groups.compactMap { columns[$0] }
        let time =
            groups.contains(.component)
            ? "sum(DISTINCT_ms.connected_ms)"
            : "sum(DISTINCT_ms.connected_ms) FILTER (WHERE k.component = 'platform')"
        let found = try await database.adminQuery(
            tenant,
            """
            SELECT \(selected.joined(separator: ", ")), count(DISTINCT k.call_id) AS calls,
                coalesce(\(time.replacing("DISTINCT_ms", with: "c")), 0)::bigint AS connected_ms,
                sum(k.amount_nanos)::bigint AS cost
            FROM call_costs k JOIN calls c ON c.id = k.call_id
            WHERE k.tenant_id = $1 AND k.ended_at >= $2::timestamptz AND k.ended_at < $3::timestamptz
            \(grouped.isEmpty ? "" : "GROUP BY " + grouped.joined(separator: ", ") + " ORDER BY 1, 2, 3")
                LIMIT $4
            """, [.id(tenant), .time(from), .time(to), .maybe(Self.linesMax)])
        return try found.rows.compactMap { row in
            let calls = Int(try row.int("calls"))
            guard calls > 0 else { return nil }
            return Line(
                day: try row.optionalText("day"),
                agent: try row.optionalText("agent").flatMap { ID(uuid: $0) },
                component: try row.optionalText("component"), calls: calls,
                connectedMs: try row.int("connected_ms"),
                cost: Money(nanos: try row.int("cost")))
        }
    }
}
