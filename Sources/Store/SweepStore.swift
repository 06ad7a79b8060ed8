package import Base
import Postgres

/// Finds calls that nobody moves any more. It only points: whoever acts looks again under the call's lock.
package struct SweepStore: Sendable {
    package enum Verdict: String, Sendable {
        /// Claimed and never dialled: another worker may have it.
        case requeue
        case workerLost = "worker_lost"
        /// The carrier's side is over and the worker did not say so in time.
        case carrierEnded = "carrier_ended"
        /// The stream of the epoch never came.
        case mediaNeverCame = "media_never_came"
        /// Rang out without any word from the carrier.
        case ringTimeout = "ring_timeout"
        case timeLimit = "time_limit"
        /// Asked to end, and the worker did not do it in time.
        case requested
    }

    package struct Finding: Hashable, Sendable {
        package var tenant: ID<Tenant>
        package var call: ID<Call>
        package var state: CallRow.State
        package var epoch: Int
        package var mediaEpoch: Int
        package var verdict: Verdict
    }

    /// How long each silence may last.
    package struct Patience: Sendable {
        /// After a worker's lease has run out, for the carrier to ask `continue`.
        package var reattach: Duration = .seconds(3)
        /// From a claim to `dialing`: longer, and the answer to the claim was lost.
        package var claim: Duration = .seconds(10)
        /// From naming a worker to its stream.
        package var media: Duration = .seconds(15)
        /// For the worker's last report after the carrier's.
        package var lastReport: Duration = .seconds(5)
        /// For the carrier beyond the ring time.
        package var ring: Duration = .seconds(20)
        /// For a goodbye beyond the call's maximum length, and after a request to end.
        package var goodbye: Duration = .seconds(30)
        /// Between signs of life of a call whose worker is alive.
        package var silence: Duration = .seconds(10)
        /// From ringing to a claim.
        package var ringing: Duration = .seconds(300)
        /// From admission to ringing.
        package var queued: Duration = .seconds(24 * 3600)
        package init() {}
    }

    private let database: Database
    package init(_ database: Database) { self.database = database }

    /// Calls with a worker, or that should have one.
    package func stalled(_ patience: Patience, limit: Int) async throws -> [Finding] {
        let found = try await database.platform(
            """
            SELECT tenant_id, id, state, epoch, media_epoch, verdict FROM (
                SELECT c.*, CASE
                    WHEN state = 'claimed' AND direction = 'outbound' THEN
                        CASE WHEN coalesce(w.expires_at, claimed_at + make_interval(secs => $9)) < now()
                            OR claimed_at < now() - make_interval(secs => $2)
                        THEN CASE WHEN end_requested_at IS NULL THEN 'requeue' ELSE 'requested' END END
                    WHEN carrier_ended_at < now() - make_interval(secs => $4)
                        OR carrier_ended_at IS NOT NULL AND dead_since < now() THEN 'carrier_ended'
                    WHEN dead_since < now() - make_interval(secs => $1) AND (state <> 'dialing'
                        OR carrier_call_id IS NULL) AND (media_epoch = epoch OR state = 'dialing') THEN
                            'worker_lost'
                    WHEN media_epoch < epoch AND media_due_at < now() + make_interval(secs => $10::float8 -
                        $3::float8)
                        THEN 'media_never_came'
                    WHEN state = 'dialing' AND media_due_at IS NULL
                        AND dialing_at < now() - make_interval(secs => ring_seconds + $5::float8) THEN
                            'ring_timeout'
                    WHEN end_requested_at < now() - make_interval(secs => $6) THEN 'requested'
                    WHEN answered_at < now() - make_interval(secs => max_seconds + $6::float8) THEN
                        'time_limit'
                    WHEN state = 'in_progress' AND media_epoch = epoch
                        AND last_seen_at < now() - make_interval(secs => $7) THEN 'worker_lost'
                    END AS verdict
                FROM calls c LEFT JOIN workers w ON w.id = c.worker_id
                CROSS JOIN LATERAL (SELECT coalesce(w.expires_at, c.last_seen_at + make_interval(secs => $9))
                    AS dead_since) AS lease
                WHERE c.state IN ('claimed', 'dialing', 'in_progress')) AS judged
            WHERE verdict IS NOT NULL ORDER BY id LIMIT $8
            """,
            [
                secs(patience.reattach), secs(patience.claim), secs(patience.media),
                secs(patience.lastReport),
                secs(patience.ring), secs(patience.goodbye), secs(patience.silence), .maybe(limit),
                secs(LeaseStore.lease), secs(Self.tokenLifetime),
            ])
        return try found.rows.map { row in
            guard let state = CallRow.State(rawValue: try row.text("state")),
                let verdict = Verdict(rawValue: try row.text("verdict"))
            else { throw Fault(code: "store.unreadable_row", retry: .never, cause: "sweep") }
            return Finding(
                tenant: try row.id("tenant_id"), call: try row.id("id"), state: state,
                epoch: Int(try row.int("epoch")),
                mediaEpoch: Int(try row.int("media_epoch")), verdict: verdict)
        }
    }

    /// Calls nobody claimed in time: rung for too long, or waiting for a slot since yesterday.
    package func unclaimed(_ patience: Patience, limit: Int) async throws -> [(
        tenant: ID<Tenant>, call: ID<Call>
    )] {
        let found = try await database.platform(
            """
            (SELECT tenant_id, id FROM calls WHERE state = 'queued' AND released_at < now() -
                make_interval(secs => $1)
                LIMIT $3)
            UNION ALL
            (SELECT tenant_id, call_id FROM outbox WHERE created_at < now() - make_interval(secs => $2)
                ORDER BY id LIMIT $3)
            """, [secs(patience.ringing), secs(patience.queued), .maybe(limit)])
        return try found.rows.map { (try $0.id("tenant_id"), try $0.id("id")) }
    }

    /// Lifetime of a stream's token, which is also what `media_due_at` is counted from.
    package static let tokenLifetime: Duration = .seconds(60)

    private func secs(_ duration: Duration) -> PostgresValue { .double(CallStore.seconds(duration)) }
}
