package import Base
import Billing
package import Postgres
package import Store

/// Ends a call and pays for it, in one SQL transaction: the only door out.
///
/// Rates the newest slice of every epoch by the pinned book, captures the hold, gives the rest back, writes
/// the bill, moves the row to `ended` and queues the webhook. The entry's key is the call, and the row's
/// lock lets one in: so a call is billed once, whoever ends it and however often.
package enum SettleCall {
    /// Needs the lock on the call's row. A call that has ended stays as it is.
    @discardableResult
    package static func end(
        _ call: CallRow, _ reason: EndReason, in sql: PostgresTransaction
    ) async throws -> CallRow {
        guard call.state != .ended else { return call }
        let bill = Settlement(slices: try await FactStore.slices(of: call.id, in: sql), prices: call.prices)
        try await pay(bill.total, for: call, in: sql)
        try await FactStore.insert(bill.lines, of: call, in: sql)
        let ended = try await CallStore.end(
            call, reason: reason, connectedMs: bill.connectedMs, cost: bill.total, in: sql)
        try await FactStore.note(
            ended, "ended", ["reason": .string(reason.rawValue), "cost": .string(bill.total.description)],
            in: sql)
        if !bill.unpriced.isEmpty {
            // Settlement never fails: what the book does not price is told instead of passed over.
            try await FactStore.note(
                ended, "unpriced_usage", ["sources": .array(bill.unpriced.map { .string($0) })], in: sql)
        }
        try await WebhookStore.queue(
            call.tenant, "call.ended", about: call.id, CallMessage.ended(ended, bill.lines), in: sql)
        return ended
    }

    private static func pay(_ charge: Money, for call: CallRow, in sql: PostgresTransaction) async throws {
        let balances = try await LedgerStore.lock(call.tenant, in: sql)
        let hold = try await LedgerStore.hold(of: call.id, in: sql)
        let postings = Ledger.settlement(of: hold?.amount ?? .zero, charge: charge, balances: balances)
        guard
            try await LedgerStore.record(call.tenant, .settlement, call.id, number: 0, postings, in: sql)
        else { throw Fault(code: "ledger.settled_twice", retry: .never, cause: "\(call.id)") }
        guard var hold else { return }
        do {
            try hold.capture(min(charge, hold.amount))
        } catch {
            throw Fault(
                code: "ledger.hold_closed", retry: .never, cause: "\(call.id): \(error.code.rawValue)")
        }
        try await LedgerStore.update(hold, of: call.id, in: sql)
    }
}
