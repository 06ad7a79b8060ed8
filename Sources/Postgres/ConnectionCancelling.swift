internal import CLibPQ
import Connections
import Dispatch
import Synchronization

extension PostgresConnection {
    /// Asks the server to stop the statement that is running, and waits until it has been told.
    ///
    /// For the holder of a lease only: on a shared connection it could hit somebody else's statement.
    func cancelRunning() async {
        let request = state.withLock { state -> CancelRequest? in
            guard state.phase == .open, let handle = state.handle, !state.inFlight.isEmpty else { return nil }
            return PQgetCancel(handle.raw).map(CancelRequest.init)
        }
        guard let request else { return }
        await withCheckedContinuation { continuation in
            // Blocks for a connection of its own to the server: not on this connection's queue, not on
            // Swift's threads.
            DispatchQueue.global().async {
                request.send()
                continuation.resume()
            }
        }
    }
}

/// Owns one `PGcancel`; `PQcancel` may be called from any thread.
final class CancelRequest: @unchecked Sendable {
    private let raw: OpaquePointer
    init(_ raw: OpaquePointer) { self.raw = raw }
    deinit { PQfreeCancel(raw) }

    /// A failure leaves the statement to its time-out.
    func send() {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
            _ = PQcancel(raw, text.baseAddress, Int32(text.count))
        }
    }
}
