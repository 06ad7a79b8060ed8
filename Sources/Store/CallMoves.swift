package import Base
package import Postgres

/// The steps of a call. Each needs the row's lock or is one conditional statement.
extension CallStore {
    /// One winner: nil when the call is not waiting any more.
    package static func claim(
        _ tenant: ID<Tenant>, _ call: ID<Call>, worker: ID<Worker>, in sql: PostgresTransaction
    ) async throws -> CallRow? {
        let found = try await sql.query(
            """
            UPDATE calls SET state = 'claimed', epoch = epoch + 1, worker_id = $3, claimed_at = now(),
                last_seen_at = now(), released_at = coalesce(released_at, now())
            WHERE id = $1 AND tenant_id = $2 AND state = 'queued' AND end_requested_at IS NULL
            RETURNING \(CallRow.columns)
            """, [.id(call), .id(tenant), .id(worker)])
        guard let row = try found.rows.first.map(CallRow.init) else { return nil }
        // A call may be rung without the relay; its outbox row must not ring it again.
        _ = try await sql.query("DELETE FROM outbox WHERE call_id = $1", [.id(call)])
        try await insertEpoch(row, in: sql)
        return row
    }

    /// Undoes a claim that never dialled. The next claim gets a higher epoch, which fences the lost worker.
    package static func requeue(_ call: CallRow, in sql: PostgresTransaction) async throws {
        _ = try await sql.query(
            """
            UPDATE calls SET state = 'queued', worker_id = NULL, claimed_at = NULL, rung_at = now()
            WHERE id = $1 AND state = 'claimed'
            """, [.id(call.id)])
    }

    /// From now on the call must not be dialled again.
    package static func startDialing(_ call: CallRow, in sql: PostgresTransaction) async throws {
        _ = try await sql.query(
            """
            UPDATE calls SET state = 'dialing', dialing_at = now(), last_seen_at =
                now() WHERE id = $1 AND state = 'claimed'
            """,
            [.id(call.id)])
    }

    package static func learn(
        _ call: CallRow, carrierCallID: String, in sql: PostgresTransaction
    ) async throws {
        _ = try await sql.query(
            "UPDATE calls SET carrier_call_id = coalesce(carrier_call_id, $2) WHERE id = $1",
            [.id(call.id), .text(carrierCallID)])
    }

    /// Media of the row's epoch is attached.
    package static func attach(
        _ call: CallRow, worker: ID<Worker>, carrierCallID: String, in sql: PostgresTransaction
    ) async throws -> CallRow {
        let found = try await sql.query(
            """
            UPDATE calls SET state = 'in_progress', media_epoch = epoch, answered_at =
                coalesce(answered_at, now()),
                worker_id = $2, last_seen_at = now(), carrier_call_id = coalesce(carrier_call_id, $3)
            WHERE id = $1 RETURNING \(CallRow.columns)
            """, [.id(call.id), .id(worker), .text(carrierCallID)])
        _ = try await sql.query(
            "UPDATE call_epochs SET media_at = coalesce(media_at, now()) WHERE call_id = $1 AND epoch = $2",
            [.id(call.id), .maybe(call.epoch)])
        return try CallRow(found.rows[0])
    }

    /// Gives the call to another worker: epoch + 1, whose media must come within `within`.
    package static func move(
        _ call: CallRow, to worker: ID<Worker>, within: Duration, in sql: PostgresTransaction
    ) async throws -> CallRow {
        let found = try await sql.query(
            """
            UPDATE calls SET epoch = epoch + 1, worker_id = $2, last_seen_at = now(),
                media_due_at = now() + make_interval(secs => $3)
            WHERE id = $1 RETURNING \(CallRow.columns)
            """, [.id(call.id), .id(worker), .double(seconds(within))])
        let row = try CallRow(found.rows[0])
        try await insertEpoch(row, in: sql)
        return row
    }

    /// An answered call's stream must come within `within`; asking again does not move the limit.
    package static func awaitMedia(
        _ call: CallRow, within: Duration, in sql: PostgresTransaction
    ) async throws -> CallRow {
        let found = try await sql.query(
            """
            UPDATE calls SET media_due_at = coalesce(media_due_at, now() + make_interval(secs => $2))
            WHERE id = $1 RETURNING \(CallRow.columns)
            """, [.id(call.id), .double(seconds(within))])
        return try CallRow(found.rows[0])
    }

    package static func requestEnd(_ call: CallRow, in sql: PostgresTransaction) async throws {
        _ = try await sql.query(
            "UPDATE calls SET end_requested_at = coalesce(end_requested_at, now()) WHERE id = $1",
            [.id(call.id)])
    }

    /// The carrier says that its side is over; the first word counts.
    package static func carrierEnded(
        _ call: CallRow, status: String, in sql: PostgresTransaction
    ) async throws {
        _ = try await sql.query(
            """
            UPDATE calls SET carrier_ended_at = coalesce(carrier_ended_at, now()),
                carrier_status = coalesce(carrier_status, $2) WHERE id = $1
            """, [.id(call.id), .text(status)])
    }

    /// The last step, with the bill. Its caller settles in the same SQL transaction.
    package static func end(
        _ call: CallRow, reason: EndReason, connectedMs: Int64, cost: Money, in sql: PostgresTransaction
    ) async throws -> CallRow {
        let found = try await sql.query(
            """
            UPDATE calls SET state = 'ended', ended_at = now(), end_reason = $2, connected_ms = $3,
                cost_nanos = $4
            WHERE id = $1 RETURNING \(CallRow.columns)
            """, [.id(call.id), .text(reason.rawValue), .int(connectedMs), .int(cost.nanos)])
        _ = try await sql.query("DELETE FROM outbox WHERE call_id = $1", [.id(call.id)])
        return try CallRow(found.rows[0])
    }

    static func insertEpoch(_ call: CallRow, in sql: PostgresTransaction) async throws {
        _ = try await sql.query(
            "INSERT INTO call_epochs (tenant_id, call_id, epoch, worker_id) VALUES ($1, $2, $3, $4)",
            [.id(call.tenant), .id(call.id), .maybe(call.epoch), .maybe(call.worker)])
    }
}
