import Synchronization

/// A suspended caller, resumed exactly once: by the result or by its own cancellation, whichever is first.
package final class Ticket<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case waiting(CheckedContinuation<Value, any Error>)
        case done
    }
    private let state = Mutex<State>(.empty)

    /// False when the caller was cancelled before it came to wait; the continuation has been resumed then.
    private func wait(_ continuation: CheckedContinuation<Value, any Error>) -> Bool {
        let isWaiting = state.withLock { state in
            if case .done = state { return false }
            state = .waiting(continuation)
            return true
        }
        if !isWaiting { continuation.resume(throwing: CancellationError()) }
        return isWaiting
    }

    /// False when the caller had gone already: the value is still the giver's.
    @discardableResult
    package func finish(_ result: Result<Value, any Error>) -> Bool {
        let continuation = claim()
        continuation?.resume(with: result)
        return continuation != nil
    }

    /// Whoever claims the waiting caller resumes it; nil for all others.
    private func claim() -> CheckedContinuation<Value, any Error>? {
        state.withLock { state in
            defer { state = .done }
            if case .waiting(let continuation) = state { return continuation }
            return nil
        }
    }

    /// Suspends the caller, hands the ticket to `start`, and gives up at once when the task is cancelled.
    ///
    /// `gaveUp` runs when the task is cancelled while it waits, before the caller resumes.
    package static func take(
        _ start: @Sendable (Ticket) -> Void, gaveUp: @escaping @Sendable (Ticket) -> Void = { _ in }
    ) async throws -> Value {
        let ticket = Ticket()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if ticket.wait(continuation) { start(ticket) }
            }
        } onCancel: {
            guard let continuation = ticket.claim() else { return }
            gaveUp(ticket)
            continuation.resume(throwing: CancellationError())
        }
    }
}
