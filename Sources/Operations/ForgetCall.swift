package import Base
import CallDispatch
import Foundation
package import Store

/// Forgets what was said in a call that is over: its files, then its words and variables. What it cost, when it was and
/// between which numbers stays.
///
/// Files go first: where that fails the call still tells which they are, and it is done again.
package struct ForgetCall: Sendable {
    private let calls: CallStore
    private let facts: FactStore
    private let retention: RetentionStore
    private let root: String

    /// `recordings`: the directory workers write to.
    package init(_ database: Database, recordings: String) {
        calls = CallStore(database)
        facts = FactStore(database)
        retention = RetentionStore(database)
        root = recordings
    }

    /// False: there is no such call.
    /// - Throws: `Refusal` `call_not_over`; what deleting a file gave, then nothing but files is gone.
    package func callAsFunction(_ tenant: ID<Tenant>, _ call: ID<Call>) async throws -> Bool {
        guard let row = try await calls.find(tenant, call) else { return false }
        guard row.state == .ended else {
            throw Refusal(
                code: "call_not_over", message: "a call is forgotten once it is over; end it first")
        }
        for path in try await facts.paths(tenant, call) { try remove(root + "/" + path) }
        try await retention.forget(tenant, call)
        return true
    }

    /// Every call that its tenant keeps no longer. - Returns: how many; what went wrong with one is told, and the others go on.
    package func sweep(failed: (ID<Call>, any Error) -> Void) async throws -> Int {
        var (forgotten, last) = (0, ID<Call>?.none)
        while true {
            let due = try await retention.due(after: last)
            for (tenant, call) in due {
                do { forgotten += try await self(tenant, call) ? 1 : 0 } catch { failed(call, error) }
            }
            last = due.last?.call
            if due.count < RetentionStore.dueMax { return forgotten }
        }
    }

    /// A file that is not there is as good as removed.
    private func remove(_ path: String) throws {
        do { try FileManager.default.removeItem(atPath: path) } catch CocoaError.fileNoSuchFile {}
    }
}
