package import Base
package import HTTPClient
import Metrics
import Synchronization

/// Sends spans to a collector, in batches. What it cannot send in time it drops: tracing never holds up a call.
package final class SpanExporter: Sendable {
    /// Spans that wait; more are dropped.
    package static let queueMax = 8192
    package static let batchMax = 512
    static let pause: Duration = .seconds(1)
    static let sendLimit: Duration = .seconds(5)
    /// After a batch that was not taken nothing is tried for so long.
    static let awayPause: Duration = .seconds(10)
    private static let answerBytesMax = 1 << 16

    private let url: String
    private let http: HTTPClient
    private let resource: [String: JSON]
    private let waiting = Mutex<[Span]>([])
    private let sent = Counter(label: "parley_spans_sent_total")
    private let dropped = Counter(label: "parley_spans_dropped_total")

    /// `url`: of the collector, without `/v1/traces`. `http` must be allowed to reach it. `resource`: what all spans of
    /// this process have in common.
    package init(url: String, http: HTTPClient, resource: [String: JSON]) {
        var base = url[...]
        while base.last == "/" { base.removeLast() }
        self.url = base + "/v1/traces"
        self.http = http
        self.resource = resource
    }

    /// From any thread; returns at once.
    package func add(_ spans: [Span]) {
        guard !spans.isEmpty else { return }
        let room = waiting.withLock { waiting in
            let taken = spans.prefix(max(0, Self.queueMax - waiting.count))
            waiting += taken
            return taken.count
        }
        if room < spans.count { dropped.increment(by: spans.count - room) }
    }

    package var waitingCount: Int { waiting.withLock { $0.count } }

    /// Until its task is cancelled; what waits then is tried once.
    package func run() async {
        while !Task.isCancelled {
            // Cancelled in the middle: what is left is sent at once.
            try? await Task.sleep(for: await flush() ? Self.pause : Self.awayPause)
        }
        await Task.detached { [self] in _ = await flush() }.value
    }

    /// Sends all that waits. False when the collector did not take a batch: it is dropped, the rest waits.
    package func flush() async -> Bool {
        while true {
            let batch = waiting.withLock { waiting in
                let batch = Array(waiting.prefix(Self.batchMax))
                waiting.removeFirst(batch.count)
                return batch
            }
            guard !batch.isEmpty else { return true }
            guard await send(batch) else {
                dropped.increment(by: batch.count)
                return false
            }
            sent.increment(by: batch.count)
        }
    }

    private func send(_ batch: [Span]) async -> Bool {
        let request = HTTPRequest(
            method: "POST", url: url, headers: [("Content-Type", "application/json")],
            body: OTLP.body(batch, resource: resource),
            limits: HTTPLimits(
                connect: .seconds(2), total: Self.sendLimit, responseBytesMax: Self.answerBytesMax))
        do {
            return 200..<300 ~= (try await http.send(request)).status
        } catch {
            return false  // Counted by the caller; a collector that is away is no news of a call.
        }
    }
}
