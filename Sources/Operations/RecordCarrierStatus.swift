package import Base
import CallDispatch
import Postgres
import Store

/// Twilio's words for the progress of a call, and what they mean here. The one table.
package enum CarrierStatus {
    /// Why the call is over; nil while it is not.
    package static func reason(_ status: String) -> EndReason? {
        switch status {
        case "completed": .callerHungUp
        case "busy": .busy
        case "no-answer": .noAnswer
        case "canceled": .cancelled
        case "failed": .carrierFailed
        default: nil
        }
    }
    package static func isFinal(_ status: String) -> Bool { reason(status) != nil }
}

/// Takes what the carrier says about a call. In any order and however often: only a final status moves
/// anything, and only forward.
package struct RecordCarrierStatus: Sendable {
    private let parts: CallParts
    package init(_ parts: CallParts) { self.parts = parts }

    package func callAsFunction(
        _ tenant: ID<Tenant>, _ call: ID<Call>, status: String, carrierCallID: String?
    ) async throws {
        try await parts.database.tenantTransaction(tenant) { sql in
            guard let row = try await CallStore.lock(tenant, call, in: sql), row.state != .ended,
                row.state != .queued
            else { return }
            if let carrierCallID {
                guard row.carrierCallID == nil || row.carrierCallID == carrierCallID else { return }
                try await CallStore.learn(row, carrierCallID: carrierCallID, in: sql)
            }
            guard let reason = CarrierStatus.reason(status), row.times.carrierEnded == nil else { return }
            try await CallStore.carrierEnded(row, status: status, in: sql)
            try await FactStore.note(row, "carrier_ended", ["status": .string(status)], in: sql)
            // A call with media has a worker whose last report tells more; the sweeper waits for it a little.
            guard row.mediaEpoch == 0, row.state != .claimed || row.direction == .inbound else { return }
            try await SettleCall.end(row, row.times.endRequested == nil ? reason : .requested, in: sql)
        }
    }
}
