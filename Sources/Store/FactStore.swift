package import Base
package import Billing
package import CallDispatch
package import Postgres

/// What happened in a call: events, turns, usage and files, each written once under a key given at its
/// source. Of a call that was forgotten no turn or file is taken any more, however late its report.
package struct FactStore: Sendable {
    let database: Database
    package init(_ database: Database) { self.database = database }

    /// A report's event. False when it is known already: then nothing of it may be done again.
    package static func insert(
        _ report: Report, type: String, detail: JSON, in sql: PostgresTransaction
    ) async throws -> Bool {
        try await sql.query(
            """
            INSERT INTO call_events (tenant_id, call_id, origin, epoch, sequence, at, type, detail)
            VALUES ($1, $2, 1, $3, $4, $5::timestamptz, $6, $7::jsonb) ON CONFLICT DO NOTHING
            """,
            [
                .id(report.tenant), .id(report.call), .maybe(report.epoch), .maybe(report.sequence),
                .time(report.at),
                .text(type), .json(detail),
            ]
        ).affected == 1
    }

    /// An event of the control plane itself. Needs the lock on the call's row, which numbers it.
    package static func note(
        _ call: CallRow, _ type: String, _ detail: JSON = [:], in sql: PostgresTransaction
    ) async throws {
        _ = try await sql.query(
            """
            WITH numbered AS (UPDATE calls SET event_number = event_number + 1 WHERE id = $1 RETURNING
                event_number)
            INSERT INTO call_events (tenant_id, call_id, origin, epoch, sequence, at, type, detail)
            SELECT $2, $1, 0, $3, event_number, clock_timestamp(), $4, $5::jsonb FROM numbered
            """, [.id(call.id), .id(call.tenant), .maybe(call.epoch), .text(type), .json(detail)])
    }

    package static func insert(
        _ turn: CallFact.Turn, of report: Report, in sql: PostgresTransaction
    ) async throws {
        _ = try await sql.query(
            """
            INSERT INTO call_turns (tenant_id, call_id, epoch, number, speaker, words, start_ms, end_ms,
                was_interrupted, stages)
            SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb
            WHERE NOT EXISTS (SELECT FROM calls WHERE id = $2 AND forgotten_at IS NOT NULL)
            ON CONFLICT DO NOTHING
            """,
            [
                .id(report.tenant), .id(report.call), .maybe(report.epoch), .maybe(turn.number),
                .text(turn.speaker),
                .text(turn.text.replacing("\0", with: "")), .maybe(turn.startMs), .maybe(turn.endMs),
                .bool(turn.wasInterrupted), .json(.object(turn.stages.mapValues { .int(Int64($0)) })),
            ])
    }

    /// A file of a call. Told at its start without a size, then with it, in any order: the larger is the later.
    package static func storeArtifact(
        kind: ArtifactKind, path: String, bytes: Int, milliseconds: Int, of report: Report,
        in sql: PostgresTransaction
    ) async throws {
        _ = try await sql.query(
            """
            INSERT INTO call_artifacts AS a (tenant_id, call_id, epoch, kind, path, bytes, milliseconds)
            SELECT $1, $2, $3, $4, $5, $6, $7
            WHERE NOT EXISTS (SELECT FROM calls WHERE id = $2 AND forgotten_at IS NOT NULL)
            ON CONFLICT (call_id, epoch, kind, path) DO UPDATE
                SET bytes = greatest(a.bytes, excluded.bytes),
                    milliseconds = greatest(a.milliseconds, excluded.milliseconds)
            """,
            [
                .id(report.tenant), .id(report.call), .maybe(report.epoch), .text(kind.rawValue), .text(path),
                .maybe(bytes), .maybe(milliseconds),
            ])
    }

    /// Keeps the newest slice of an epoch: an older one that comes late changes nothing.
    package static func store(
        _ usage: [Usage], connectedMs: Int, of report: Report, in sql: PostgresTransaction
    ) async throws {
        let newer = try await sql.query(
            """
            UPDATE call_epochs SET connected_ms = $3, slice_sequence = $4
            WHERE call_id = $1 AND epoch = $2 AND slice_sequence < $4
            """, [.id(report.call), .maybe(report.epoch), .maybe(connectedMs), .maybe(report.sequence)])
        guard newer.affected == 1, !usage.isEmpty else { return }
        _ = try await sql.query(
            """
            INSERT INTO call_usage (tenant_id, call_id, epoch, component, source, unit, quantity)
            SELECT $1, $2, $3, component, source, unit, sum(quantity)::bigint
            FROM unnest($4::text[], $5::text[], $6::text[], $7::bigint[]) AS u (component, source, unit,
                quantity)
            GROUP BY component, source, unit
            ON CONFLICT (call_id, epoch, component, source, unit) DO UPDATE SET quantity = excluded.quantity
            """,
            [
                .id(report.tenant), .id(report.call), .maybe(report.epoch),
                .texts(usage.map(\.component.rawValue)),
                .texts(usage.map(\.source)), .texts(usage.map(\.unit.rawValue)),
                .text("{" + usage.map { String($0.quantity) }.joined(separator: ",") + "}"),
            ])
    }

    /// Every epoch's newest slice, in order.
    package static func slices(of call: ID<Call>, in sql: PostgresTransaction) async throws -> [Slice] {
        let found = try await sql.query(
            """
            SELECT e.epoch, e.connected_ms, u.component, u.source, u.unit, u.quantity FROM call_epochs e
            LEFT JOIN call_usage u ON u.call_id = e.call_id AND u.epoch = e.epoch
            WHERE e.call_id = $1 ORDER BY e.epoch
            """, [.id(call)])
        var slices: [Slice] = []
        for row in found.rows {
            let epoch = Int(try row.int("epoch"))
            if slices.last?.epoch != epoch {
                slices.append(Slice(epoch: epoch, connectedMs: try row.int("connected_ms"), usage: []))
            }
            guard let component = try row.optionalText("component").flatMap(Usage.Component.init(rawValue:)),
                let unit = try row.optionalText("unit").flatMap(Usage.Unit.init(rawValue:))
            else { continue }
            slices[slices.count - 1].usage.append(
                Usage(
                    component: component, source: try row.text("source"), unit: unit,
                    quantity: try row.int("quantity")))
        }
        return slices
    }

    package static func insert(
        _ lines: [CostLine], of call: CallRow, in sql: PostgresTransaction
    ) async throws {
        for line in lines {
            _ = try await sql.query(
                """
                INSERT INTO call_costs (tenant_id, call_id, agent_id, ended_at, component, source, unit,
                    quantity,
                    billed, price_nanos, per, amount_nanos)
                VALUES ($1, $2, $3, now(), $4, $5, $6, $7, $8, $9, $10, $11)
                """,
                [
                    .id(call.tenant), .id(call.id), .id(call.agent), .text(line.component.rawValue),
                    .text(line.source),
                    .text(line.unit.rawValue), .int(line.quantity), .int(line.billed), .int(line.price.nanos),
                    .int(line.per), .int(line.amount.nanos),
                ])
        }
    }
}
