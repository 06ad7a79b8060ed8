import Base
import Synchronization

/// Tells the platform how an outbound call goes, in order and without holding the call up.
final class StatusCallbacks: Sendable {
    struct Notice: Sendable {
        var status: CarrierStatus
        var durationMs: Int
    }

    private let notices: AsyncStream<Notice>
    private let queue: AsyncStream<Notice>.Continuation
    private let events: Set<String>

    /// - Parameter events: of `initiated ringing answered completed`; empty means `completed` only.
    init(events: [String]) {
        self.events =
            events.isEmpty ? ["completed"] : Set(events.flatMap { $0.split(separator: " ").map(String.init) })
        // A call has at most a handful of states.
        (notices, queue) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(16))
    }

    func report(_ status: CarrierStatus, durationMs: Int = 0) {
        guard events.contains(Self.event(status)) else { return }
        queue.yield(Notice(status: status, durationMs: durationMs))
    }

    func finish() { queue.finish() }

    /// Sends until `finish`. Each parameter list ends with the fields a callback adds to a webhook's.
    func run(send: @Sendable ([(String, String)]) async -> Void) async {
        var sequence = 0
        for await notice in notices {
            var fields = [
                ("CallStatus", notice.status.rawValue), ("SequenceNumber", String(sequence)),
                ("CallbackSource", "call-progress-events"), ("Timestamp", UTC.rfc2822(UTC.now())),
            ]
            if notice.status.isOver {
                fields.append(("CallDuration", String((notice.durationMs + 999) / 1000)))
            }
            await send(fields)
            sequence += 1
        }
    }

    private static func event(_ status: CarrierStatus) -> String {
        switch status {
        case .inProgress: "answered"
        case .initiated, .ringing: status.rawValue
        case .queued: "queued"
        case .completed, .busy, .failed, .canceled, .noAnswer: "completed"
        }
    }
}
