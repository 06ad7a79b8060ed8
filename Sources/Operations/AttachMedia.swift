package import Base
package import CallDispatch
import Postgres
import Store

/// Binds a media stream to its call, once an epoch.
package struct AttachMedia: Sendable {
    private let parts: CallParts
    package init(_ parts: CallParts) { self.parts = parts }

    /// A token of another worker moves the claim to the one that has the stream.
    ///
    /// - Throws: `Refusal`: token_expired, not_found, already_ended, stale_epoch, already_attached,
    ///   wrong_call.
    package func callAsFunction(
        _ token: MediaToken, worker: ID<Worker>, carrierCallID: String
    ) async throws -> Plan {
        let makePlan = try await MakePlan(parts, tenant: token.tenant)
        return try await parts.database.tenantTransaction(token.tenant) { sql in
            guard let call = try await CallStore.lock(token.tenant, token.call, in: sql) else {
                throw Refusal.noSuchCall
            }
            try await Self.check(token, call, carrierCallID, in: sql)
            var moved = call
            if call.worker != worker || token.worker != worker {
                moved = try await CallStore.move(call, to: worker, within: MediaToken.lifetime, in: sql)
                try await FactStore.note(moved, "moved", ["worker": .string(worker.description)], in: sql)
            }
            let attached = try await CallStore.attach(
                moved, worker: worker, carrierCallID: carrierCallID, in: sql)
            guard let plan = try await makePlan(attached, resumed: call.times.answered != nil, in: sql) else {
                throw Refusal(code: "no_credential", message: "the carrier account of this call is gone")
            }
            try await FactStore.note(attached, "attached", ["worker": .string(worker.description)], in: sql)
            if call.times.answered == nil {
                try await WebhookStore.queue(
                    token.tenant, "call.started", about: call.id, CallMessage.started(attached), in: sql)
            }
            return plan
        }
    }

    private static func check(
        _ token: MediaToken, _ call: CallRow, _ carrierCallID: String, in sql: PostgresTransaction
    ) async throws {
        let now = Timestamp(
            milliseconds: try await sql.query("SELECT parley_ms(clock_timestamp()) AS now").rows[0].int("now")
        )
        guard token.expires >= now else {
            throw Refusal(code: "token_expired", message: "this media token has expired")
        }
        guard call.state != .ended else {
            throw Refusal(code: "already_ended", message: "this call has ended")
        }
        guard token.epoch == call.epoch, call.state != .queued else { throw Refusal.staleEpoch }
        guard call.mediaEpoch < call.epoch else {
            throw Refusal(code: "already_attached", message: "a stream of this epoch is attached already")
        }
        guard call.carrierCallID == nil || call.carrierCallID == carrierCallID else {
            throw Refusal(code: "wrong_call", message: "the stream belongs to another call of the carrier's")
        }
    }
}
