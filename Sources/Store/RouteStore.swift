package import Base
package import CallDispatch
package import Postgres
package import Routing

/// Which model answered which request of a call, and what that saved.
package struct RouteStore: Sendable {
    /// Requests shown of one call: one every five seconds for four hours.
    package static let routesMax = 3_000

    private let database: Database
    package init(_ database: Database) { self.database = database }

    /// A number that is there already changes nothing.
    package static func insert(
        _ route: RouteFact, of report: Report, in sql: PostgresTransaction
    ) async throws {
        let inserted = try await sql.query(
            """
            INSERT INTO call_routes (tenant_id, call_id, epoch, number, turn, is_draft, mode, shadowed, model,
                reason, tool_probability, expected_nanos, spent_nanos, always_strong_nanos,
                always_cheap_nanos, handed_over, expected_wait_ms)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
            ON CONFLICT DO NOTHING
            RETURNING number
            """,
            [
                .id(report.tenant), .id(report.call), .maybe(report.epoch), .maybe(route.number),
                .maybe(route.turn), .bool(route.isDraft), .text(route.mode), .maybe(route.shadowed),
                .text(route.model), .text(route.reason), .double(route.toolProbability),
                .int(route.expectedCost.nanos), .int(route.spent.nanos), .int(route.alwaysStrong.nanos),
                .int(route.alwaysCheap.nanos), .bool(route.handedOver),
                .maybe(route.expectedWaitMs.map { max(0, min($0, Int(Int32.max))) }),
            ])
        guard !inserted.rows.isEmpty else { return }
        try await spend(route.spent, report.tenant, report.call, in: sql)
    }

    /// Rows that a tenant's day is counted in, so that its calls seldom wait for each other.
    private static let daySlots = 16

    /// Counts only where the tenant has a budget for the day.
    private static func spend(
        _ amount: Money, _ tenant: ID<Tenant>, _ call: ID<Call>, in sql: PostgresTransaction
    ) async throws {
        _ = try await sql.query(
            """
            INSERT INTO routing_days (tenant_id, slot, day, spent_nanos)
            SELECT id, $2, (now() AT TIME ZONE 'UTC')::date, $3 FROM tenants
                WHERE id = $1 AND routing ->> 'day_budget' IS NOT NULL
            ON CONFLICT (tenant_id, slot) DO UPDATE SET day = excluded.day, spent_nanos = excluded.spent_nanos
                + CASE WHEN routing_days.day = excluded.day THEN routing_days.spent_nanos ELSE 0 END
            """,
            [.id(tenant), .maybe(Int(call.low % UInt64(daySlots))), .int(amount.nanos)])
    }

    /// What the tenant's routed requests of this UTC day have cost, as far as workers have told.
    package static func spentToday(
        _ tenant: ID<Tenant>, in sql: PostgresTransaction
    ) async throws -> Money {
        let found = try await sql.query(
            """
            SELECT coalesce(sum(spent_nanos), 0)::bigint AS spent FROM routing_days
                WHERE tenant_id = $1 AND day = (now() AT TIME ZONE 'UTC')::date
            """, [.id(tenant)])
        return Money(nanos: try found.rows.first?.int("spent") ?? 0)
    }

    /// In the order they were made, each with its epoch.
    package func routes(
        _ tenant: ID<Tenant>, _ call: ID<Call>
    ) async throws -> [(epoch: Int, route: RouteFact)] {
        try await database.adminQuery(
            tenant,
            """
            SELECT epoch, number, turn, is_draft, mode, shadowed, model, reason, tool_probability,
                expected_nanos, spent_nanos, always_strong_nanos, always_cheap_nanos, handed_over,
                expected_wait_ms
            FROM call_routes WHERE call_id = $1 ORDER BY epoch, number LIMIT $2
            """, [.id(call), .maybe(Self.routesMax)]
        ).rows.map { row in (Int(try row.int("epoch")), try RouteFact(row)) }
    }

    package struct Savings: Sendable {
        package var day: String?
        package var agent: ID<Agent>?
        package var requests: Int
        package var spent: Money
        package var alwaysStrong: Money
    }

    /// Of routed requests of calls that ended in `from..<to`; `groups`: day and agent, others do not matter.
    package func savings(
        _ tenant: ID<Tenant>, from: Timestamp, to: Timestamp, by groups: [UsageStore.Grouping]
    ) async throws -> [Savings] {
        let day =
            groups.contains(.day) ? "to_char(c.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')" : "NULL::text"
        let agent = groups.contains(.agent) ? "c.agent_id::text" : "NULL::text"
        return try await database.adminQuery(
            tenant,
            """
            SELECT \(day) AS day, \(agent) AS agent, count(*) AS requests,
                sum(r.spent_nanos)::bigint AS spent, sum(r.always_strong_nanos)::bigint AS always_strong
            FROM calls c JOIN call_routes r ON r.call_id = c.id
            WHERE c.tenant_id = $1 AND c.ended_at >= $2::timestamptz AND c.ended_at < $3::timestamptz
            GROUP BY 1, 2 ORDER BY 1, 2 LIMIT $4
            """, [.id(tenant), .time(from), .time(to), .maybe(UsageStore.linesMax)]
        ).rows.map { row in
            Savings(
                day: try row.optionalText("day"),
                agent: try row.optionalText("agent").flatMap { ID(uuid: $0) },
                requests: Int(try row.int("requests")), spent: Money(nanos: try row.int("spent")),
                alwaysStrong: Money(nanos: try row.int("always_strong")))
        }
    }
}

extension RouteFact {
    fileprivate init(_ row: PostgresRow) throws {
        self.init(
            number: Int(try row.int("number")), turn: Int(try row.int("turn")),
            isDraft: try row.bool("is_draft"), mode: try row.text("mode"),
            shadowed: try row.optionalText("shadowed"), model: try row.text("model"),
            reason: try row.text("reason"), toolProbability: try row.double("tool_probability"),
            expectedCost: Money(nanos: try row.int("expected_nanos")),
            expectedWaitMs: try row.optionalInt("expected_wait_ms").map { Int($0) },
            spent: Money(nanos: try row.int("spent_nanos")),
            alwaysStrong: Money(nanos: try row.int("always_strong_nanos")),
            alwaysCheap: Money(nanos: try row.int("always_cheap_nanos")),
            handedOver: try row.bool("handed_over"))
    }
}
