package import Base
package import CallDispatch
import Store

/// The control plane of this process, for workers that run in it; what `/internal/v1` answers to those that
/// do not.
package struct LocalControlLink: ControlLink {
    private let parts: CallParts
    package init(_ parts: CallParts) { self.parts = parts }

    package func renew(_ status: WorkerStatus) async throws -> LeaseAnswer {
        let leases = LeaseStore(parts.database)
        try await leases.renew(status)
        try await leases.touch(status)
        return try await leases.orders(for: status)
    }

    package func claim(_ call: ID<Call>, tenant: ID<Tenant>, worker: ID<Worker>) async throws -> Plan? {
        try await ClaimCall(parts)(tenant, call, worker: worker)
    }

    package func attach(_ token: MediaToken, worker: ID<Worker>, carrierCallID: String) async throws -> Plan {
        try await AttachMedia(parts)(token, worker: worker, carrierCallID: carrierCallID)
    }

    package func extendHold(
        _ call: ID<Call>, tenant: ID<Tenant>, epoch: Int, number: Int
    ) async throws -> HoldAnswer {
        try await ExtendHold(parts)(tenant, call, epoch: epoch, number: number)
    }

    package func report(_ reports: [Report]) async throws -> ReportReceipt {
        try await RecordReports(parts)(reports)
    }
}
