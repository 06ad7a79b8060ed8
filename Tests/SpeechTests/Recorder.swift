import Base
import NIOCore
import Synchronization

/// Collects events of a port and waits for the one that matters.
final class Recorder<Event: Sendable>: Sendable {
    private let source: AsyncStream<Event>.Continuation
    private let events: AsyncStream<Event>
    private let kept = Mutex<[(Event, ContinuousClock.Instant)]>([])

    init() { (events, source) = AsyncStream.makeStream() }

    func record(_ event: Event) {
        kept.withLock { $0.append((event, .now)) }
        source.yield(event)
    }

    var all: [Event] { timed.map(\.0) }
    /// Each with the moment it came.
    var timed: [(Event, ContinuousClock.Instant)] { kept.withLock { $0 } }

    /// Waits for an event that passes; nil when a minute is not enough.
    func first<T: Sendable>(_ match: @escaping @Sendable (Event) -> T?) async -> T? {
        await withTaskGroup(of: T?.self) { group in
            group.addTask { [events] in
                for await event in events { if let found = match(event) { return found } }
                return nil
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(60))
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }
}

/// Runs `body` on the loop and waits for it.
func on<T: Sendable>(_ loop: any EventLoop, _ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await loop.submit(body).get()
}
