import Connections
import Dispatch
import Logging
import Synchronization

extension RedisClient {
    /// What is published on the channels, until the client closes or the stream is dropped.
    ///
    /// Uses a connection of its own, subscribes again after it broke, and misses what is published meanwhile.
    /// A reader more than `RedisLimits.unreadMessagesMax` behind loses the oldest.
    package func subscribe(_ channels: [String]) -> AsyncStream<(channel: String, message: [UInt8])> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: (channel: String, message: [UInt8]).self,
            bufferingPolicy: .bufferingNewest(RedisLimits.unreadMessagesMax))
        let unique = Array(Set(channels))
        guard let address, !unique.isEmpty else {
            logger.error("cannot subscribe: no channel, or the Redis URL is malformed")
            continuation.finish()
            return stream
        }
        let subscription = RedisSubscription(unique, address, into: continuation, logger: logger)
        let isClosed = state.withLock { state in
            if !state.isClosed { state.subscriptions[ObjectIdentifier(subscription)] = subscription }
            return state.isClosed
        }
        continuation.onTermination = { [weak self] _ in
            subscription.stop()
            self?.state.withLock { $0.subscriptions[ObjectIdentifier(subscription)] = nil }
        }
        isClosed ? continuation.finish() : subscription.connect()
        return stream
    }
}

/// Keeps one SUBSCRIBE alive over reconnects.
final class RedisSubscription: Sendable {
    typealias Continuation = AsyncStream<(channel: String, message: [UInt8])>.Continuation
    private struct State {
        var link: RedisLink?
        var failures = 0
        var isStopped = false
    }
    private let channels: [String]
    private let address: RedisAddress
    private let continuation: Continuation
    private let logger: Logger
    private let queue = DispatchQueue(label: "redis.subscription")
    private let state = Mutex(State())

    init(_ channels: [String], _ address: RedisAddress, into continuation: Continuation, logger: Logger) {
        self.channels = channels
        self.address = address
        self.continuation = continuation
        self.logger = logger
    }

    func connect() {
        let link = RedisLink(
            address, commandLimit: RedisLimits.command,
            RedisLink.Events(
                opened: { [weak self] in self?.opened($0) },
                lost: { [weak self] _, reason in self?.lost(reason) },
                message: { [continuation] in continuation.yield((channel: $0, message: $1)) }))
        let isStopped = state.withLock { state in
            if !state.isStopped { state.link = link }
            return state.isStopped
        }
        if !isStopped { link.open() }
    }

    func stop() {
        let link = state.withLock { state in
            state.isStopped = true
            return state.link.take()
        }
        link?.close("the subscription ended")
        continuation.finish()
    }

    private func opened(_ link: RedisLink) {
        state.withLock { $0.failures = 0 }
        link.subscribe(channels)
    }

    private func lost(_ reason: String) {
        let failures = state.withLock { state -> Int? in
            if state.isStopped { return nil }
            state.link = nil
            state.failures += 1
            return state.failures
        }
        guard let failures else { return }
        if failures == 1 {
            logger.warning("a Redis subscription was interrupted", metadata: ["cause": "\(reason)"])
        }
        queue.asyncAfter(deadline: .now() + Backoff.pause(after: failures)) { [weak self] in
            self?.connect()
        }
    }
}
