import Synchronization

/// Long enough for a loaded machine; no test waits for it when all is well.
package let patience: Duration = .seconds(20)

/// What a test waited for did not come in time.
package struct TooLate: Error {
    package let file: String
    package let line: Int
}

/// Asks again and again until the answer is yes. For what only a server knows.
///
/// - Throws: `TooLate` after `patience`.
package func until(
    file: String = #fileID, line: Int = #line, _ isSo: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + patience
    while try await !isSo() {
        guard ContinuousClock.now < end else { throw TooLate(file: file, line: line) }
        await Task.yield()
    }
}

/// A value shared with what is under test; who waits for something of it looks again at every change.
package final class Watched<Value: Sendable>: Sendable {
    private struct State {
        var value: Value
        var watchers: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextWatcher = 0
    }
    private let state: Mutex<State>

    package init(_ value: Value) { state = Mutex(State(value: value)) }

    package var value: Value { state.withLock { $0.value } }

    @discardableResult
    package func change<Result: Sendable, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try state.withLock { state throws(Failure) in
            defer { for watcher in state.watchers.values { watcher.yield() } }
            return try body(&state.value)
        }
    }

    /// What `find` first sees in the value, now or later.
    ///
    /// - Throws: `TooLate` after `patience`.
    package func first<Found: Sendable>(
        file: String = #fileID, line: Int = #line, _ find: @escaping @Sendable (Value) -> Found?
    ) async throws -> Found {
        let (changes, watcher) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.nextWatcher += 1
            state.watchers[state.nextWatcher] = watcher
            return state.nextWatcher
        }
        defer { state.withLock { _ = $0.watchers.removeValue(forKey: number) } }
        watcher.yield()
        let limit = Task {
            try await Task.sleep(for: patience)
            watcher.finish()
        }
        defer { limit.cancel() }
        for await _ in changes { if let found = find(value) { return found } }
        throw TooLate(file: file, line: line)
    }

    /// Waits until `isSo`.
    ///
    /// - Throws: `TooLate` after `patience`.
    package func until(
        file: String = #fileID, line: Int = #line, _ isSo: @escaping @Sendable (Value) -> Bool
    ) async throws {
        try await first(file: file, line: line) { isSo($0) ? () : nil }
    }
}
