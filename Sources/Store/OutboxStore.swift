package import Base
package import Postgres

/// Calls that wait for a free slot, and those that were rung and not yet claimed. Everything here runs for
/// all tenants.
package struct OutboxStore: Sendable {
    /// Notified when something was put into the outbox.
    package static let channel = "parley_outbox"

    package struct Rung: Hashable, Sendable {
        package var call: ID<Call>
        package var tenant: ID<Tenant>
        package var region: String
    }

    /// A tenant with waiting calls in a region.
    package struct Waiting: Hashable, Sendable {
        package var tenant: ID<Tenant>
        package var weight: Int
        /// Slots its limit leaves; zero or more.
        package var free: Int
        /// Calls that wait, counted up to the number asked for.
        package var calls: Int
        package init(tenant: ID<Tenant>, weight: Int, free: Int, calls: Int) {
            self.tenant = tenant
            self.weight = weight
            self.free = free
            self.calls = calls
        }
    }

    private let database: Database
    package init(_ database: Database) { self.database = database }

    /// Runs `body` in one SQL transaction, alone among all relays; nil when another relay is at work.
    package func alone<T: Sendable>(
        _ body: @Sendable (PostgresTransaction) async throws -> T
    ) async throws -> T? {
        try await database.platformTransaction { sql in
            let locked = try await sql.query(
                "SELECT pg_try_advisory_xact_lock(hashtext('parley.relay')) AS locked")
            return try locked.rows[0].bool("locked") ? try await body(sql) : nil
        }
    }

    /// Regions with live workers, and the slots they have left after all calls rung or live in them.
    package static func capacity(in sql: PostgresTransaction) async throws -> [(
        region: String, all: Int, used: Int
    )] {
        let found = try await sql.query(
            """
            SELECT region, sum(capacity)::bigint AS capacity, (SELECT count(*) FROM calls c
                WHERE c.region = w.region AND c.state <> 'ended' AND c.released_at IS NOT NULL) AS used
            FROM workers w WHERE expires_at > clock_timestamp() AND NOT is_draining GROUP BY region
            """)
        return try found.rows.map {
            (try $0.text("region"), Int(try $0.int("capacity")), Int(try $0.int("used")))
        }
    }

    /// Tenants that wait in `region`. Skips from tenant to tenant along the index, however many calls each
    /// has.
    package static func waiting(
        region: String, upTo limit: Int, in sql: PostgresTransaction
    ) async throws -> [Waiting] {
        let found = try await sql.query(
            """
            WITH RECURSIVE t AS (
                (SELECT tenant_id FROM outbox WHERE region = $1 ORDER BY tenant_id LIMIT 1)
                UNION ALL
                SELECT (SELECT o.tenant_id FROM outbox o WHERE o.region = $1 AND o.tenant_id > t.tenant_id
                    ORDER BY o.tenant_id LIMIT 1) FROM t WHERE t.tenant_id IS NOT NULL)
            SELECT t.tenant_id, tenants.weight, greatest(0, tenants.concurrency_limit - (SELECT count(*)
                FROM calls c
                    WHERE c.tenant_id = t.tenant_id AND c.state <> 'ended' AND c.released_at IS NOT NULL))
                        AS free,
                (SELECT count(*) FROM (SELECT FROM outbox o WHERE o.region = $1 AND o.tenant_id = t.tenant_id
                    LIMIT $2) AS first_few) AS calls
            FROM t JOIN tenants ON tenants.id = t.tenant_id WHERE tenants.status = 'active'
            """, [.text(region), .maybe(limit)])
        return try found.rows.map { row in
            Waiting(
                tenant: try row.id("tenant_id"), weight: Int(try row.int("weight")),
                free: Int(try row.int("free")),
                calls: Int(try row.int("calls")))
        }
    }

    /// Takes the `count` oldest calls of a tenant out of the outbox: from here on they hold a slot.
    package static func release(
        _ tenant: ID<Tenant>, region: String, count: Int, in sql: PostgresTransaction
    ) async throws -> [Rung] {
        let found = try await sql.query(
            """
            WITH taken AS (
                DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE region = $2 AND tenant_id = $1
                    ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED)
                RETURNING call_id)
            UPDATE calls SET released_at = coalesce(released_at, now()), rung_at = now()
            WHERE id IN (SELECT call_id FROM taken) AND state = 'queued' RETURNING id, tenant_id, region
            """, [.id(tenant), .text(region), .maybe(count)])
        return try found.rows.map(rung)
    }

    /// Calls that were rung `age` ago and nobody claimed: Redis may have lost them. They count as rung now.
    package func unclaimed(since age: Duration, limit: Int) async throws -> [Rung] {
        let found = try await database.platform(
            """
            UPDATE calls SET rung_at = now() WHERE id IN (SELECT id FROM calls
                WHERE state = 'queued' AND released_at IS NOT NULL
                    AND coalesce(rung_at, '-infinity') < now() - make_interval(secs => $1)
                ORDER BY rung_at NULLS FIRST LIMIT $2 FOR UPDATE SKIP LOCKED)
            RETURNING id, tenant_id, region
            """, [.double(CallStore.seconds(age)), .maybe(limit)])
        return try found.rows.map(Self.rung)
    }

    private static func rung(_ row: PostgresRow) throws -> Rung {
        Rung(call: try row.id("id"), tenant: try row.id("tenant_id"), region: try row.text("region"))
    }
}
