package import Base
package import CallDispatch
import Postgres

/// Who is alive: one row a worker, its lease judged on the database's clock only.
package struct LeaseStore: Sendable {
    /// How long a worker is taken to live after its last renewal.
    package static let lease: Duration = .seconds(2)

    private let database: Database
    package init(_ database: Database) { self.database = database }

    /// A worker that can take a call, and where carriers reach it.
    package struct Place: Sendable {
        package var worker: ID<Worker>
        package var mediaURL: String
    }

    /// Renews the lease: one statement, so that nothing a call does can delay it.
    package func renew(_ status: WorkerStatus) async throws {
        _ = try await database.platform(
            """
            INSERT INTO workers (id, region, media_url, capacity, is_draining, live_calls, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(secs => $7))
            ON CONFLICT (id) DO UPDATE SET region = excluded.region, media_url = excluded.media_url,
                capacity = excluded.capacity, is_draining = excluded.is_draining, live_calls =
                    excluded.live_calls,
                expires_at = excluded.expires_at
            """,
            [
                .id(status.worker), .text(status.region), .text(status.mediaURL), .maybe(status.capacity),
                .bool(status.isDraining), .maybe(status.live.count), .double(CallStore.seconds(Self.lease)),
            ])
    }

    /// Marks the worker's calls as seen, at most once a second each and never waiting for a call that is
    /// being changed.
    package func touch(_ status: WorkerStatus) async throws {
        guard !status.live.isEmpty else { return }
        _ = try await database.platform(
            """
            UPDATE calls SET last_seen_at = now() WHERE id IN (
                SELECT c.id FROM calls c JOIN unnest($1::uuid[], $2::int[]) AS live (id, epoch)
                    ON c.id = live.id AND c.epoch = live.epoch
                WHERE c.worker_id = $3 AND c.state <> 'ended' AND c.last_seen_at < now() - interval '1 second'
                FOR UPDATE OF c SKIP LOCKED)
            """, Self.live(status) + [.id(status.worker)])
    }

    /// Which of the worker's live calls it must drop, and which of its calls it should end.
    package func orders(for status: WorkerStatus) async throws -> LeaseAnswer {
        let ending = try await database.platform(
            """
            SELECT id FROM calls WHERE worker_id = $1 AND state IN ('claimed', 'dialing', 'in_progress')
                AND end_requested_at IS NOT NULL
            """, [.id(status.worker)])
        var revoked: [ID<Call>] = []
        if !status.live.isEmpty {
            let kept = try await database.platform(
                """
                SELECT c.id FROM calls c JOIN unnest($1::uuid[], $2::int[]) AS live (id, epoch)
                    ON c.id = live.id AND c.epoch = live.epoch
                WHERE c.worker_id = $3 AND c.state <> 'ended'
                """, Self.live(status) + [.id(status.worker)])
            let ids = Set(try kept.rows.map { try $0.id("id", Call.self) })
            revoked = status.live.map(\.call).filter { !ids.contains($0) }
        }
        return LeaseAnswer(revoked: revoked, toEnd: try ending.rows.map { try $0.id("id") })
    }

    /// The least loaded worker that is alive, in `region` if it can be; never `lost`. nil: none has a free
    /// slot.
    package func place(region: String, except lost: ID<Worker>? = nil) async throws -> Place? {
        let found = try await database.platform(
            """
            SELECT w.id, w.media_url FROM workers w
            CROSS JOIN LATERAL (SELECT count(*) AS n FROM calls c
                WHERE c.worker_id = w.id AND c.state IN ('claimed', 'dialing', 'in_progress')) AS load
            WHERE w.expires_at > clock_timestamp() AND NOT w.is_draining AND load.n < w.capacity
                AND w.id IS DISTINCT FROM $2::uuid
            ORDER BY (w.region = $1) DESC, load.n::float8 / w.capacity, random() LIMIT 1
            """, [.text(region), .maybe(lost)])
        return try found.rows.first.map { Place(worker: try $0.id("id"), mediaURL: try $0.text("media_url")) }
    }

    /// Where a worker is reached; nil when its lease has run out.
    package func place(of worker: ID<Worker>) async throws -> Place? {
        let found = try await database.platform(
            "SELECT id, media_url FROM workers WHERE id = $1 AND expires_at > clock_timestamp()",
            [.id(worker)])
        return try found.rows.first.map { Place(worker: try $0.id("id"), mediaURL: try $0.text("media_url")) }
    }

    /// Forgets workers that are long gone.
    package func sweep(olderThan age: Duration) async throws {
        _ = try await database.platform(
            """
            DELETE FROM workers w WHERE expires_at < now() - make_interval(secs => $1) AND NOT EXISTS (
                SELECT FROM calls c WHERE c.worker_id = w.id AND c.state IN ('claimed', 'dialing',
                    'in_progress'))
            """, [.double(CallStore.seconds(age))])
    }

    private static func live(_ status: WorkerStatus) -> [PostgresValue] {
        [
            .ids(status.live.map(\.call)),
            .text("{" + status.live.map { String($0.epoch) }.joined(separator: ",") + "}"),
        ]
    }
}
