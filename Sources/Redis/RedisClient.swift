package import Logging
import Connections
import Dispatch
import Synchronization

/// A Redis client on one connection, shared by all callers: commands are pipelined in the order they are
/// sent.
///
/// Owns: the connection and its come-backs. Does not own: what the keys mean. Invariants: a command is sent
/// at
/// most once; in flight when the connection goes away it throws `disconnected`, and may have run. While the
/// server is away commands throw `unreachable` at once (a blocking client waits `RedisLimits.blockingWait`);
/// while a connection is being opened they wait for it, at most `RedisLimits.connect`. A cancelled caller
/// resumes at
/// once with `CancellationError`.
package final class RedisClient: Sendable {
    let address: RedisAddress?
    let url: String
    let logger: Logger
    let isBlocking: Bool
    /// Nil: answers may take as long as they like.
    let commandLimit: Duration?
    let state = Mutex(State())
    /// Timers only.
    let queue = DispatchQueue(label: "redis.client")

    struct State {
        var link: RedisLink?
        var isOpen = false
        /// Failures to connect since the last success.
        var failures = 0
        var lastFailure = ""
        var isRetryArmed = false
        var isWaitCheckArmed = false
        var isClosed = false
        var waiters = Queue<Waiter>()
        var subscriptions: [ObjectIdentifier: RedisSubscription] = [:]
    }

    struct Waiter {
        let commands: [RedisArguments]
        let ticket: Ticket<[RedisReply]>
        let attempt: Int
        let deadline: DispatchTime
    }

    /// `unix:///path[?db=n]` or `redis://[[user]:password@]host[:port][/db]`. Connects on first use; a
    /// malformed URL
    /// shows there as `unreachable`.
    package convenience init(url: String, logger: Logger) {
        self.init(url: url, logger: logger, isBlocking: false, commandLimit: RedisLimits.command)
    }

    init(url: String, logger: Logger, isBlocking: Bool, commandLimit: Duration?) {
        self.url = url
        self.logger = logger
        self.isBlocking = isBlocking
        self.commandLimit = commandLimit
        address = RedisAddress(url: url)
    }

    /// A client with a connection of its own and no time limit, for commands that block (`XREADGROUP …
    /// BLOCK`).
    ///
    /// Use it for one command at a time. Cancelling the caller drops the connection, so that the server stops
    /// waiting on its behalf. Close it separately.
    package func blocking() -> RedisClient {
        RedisClient(url: url, logger: logger, isBlocking: true, commandLimit: nil)
    }

    /// - Throws: `RedisError`; `CancellationError`, and then the command may have run.
    package func command(_ arguments: [String]) async throws -> RedisReply {
        try await one(RedisArguments(arguments))
    }

    /// - Throws: `RedisError`; `CancellationError`, and then the command may have run.
    package func command(_ arguments: [[UInt8]]) async throws -> RedisReply {
        try await one(RedisArguments(arguments))
    }

    /// Sends the commands in one go with nothing of others in between, and waits for all replies.
    ///
    /// A command's own error is its reply, `.error`. Wrapped in MULTI and EXEC the commands run as one.
    package func pipeline(_ commands: [[String]]) async throws -> [RedisReply] {
        let commands = commands.map { RedisArguments($0) }
        guard !commands.isEmpty else { return [] }
        let isTransaction =
            commands.count > 2 && commands.first?.name == "MULTI" && commands.last?.name == "EXEC"
        for command in isTransaction ? commands[1..<(commands.count - 1)] : commands[...] {
            if let refusal = command.refusal { throw refusal }
        }
        return try await run(commands)
    }

    private func one(_ command: RedisArguments) async throws -> RedisReply {
        if let refusal = command.refusal { throw refusal }
        let replies = try await run([command])
        if case .error(let text) = replies[0] { throw RedisError.server(text) }
        return replies[0]
    }

    private func run(_ commands: [RedisArguments]) async throws -> [RedisReply] {
        try await Ticket.take(
            { self.submit(commands, for: $0, attempt: 1) },
            gaveUp: { ticket in self.withdraw(ticket) })
    }

    /// Ends the connection after what is in flight was answered, at most `RedisLimits.close` later.
    package func close() async {
        let (waiters, subscriptions, link) = state.withLock { state in
            state.isClosed = true
            state.isOpen = false
            defer { (state.subscriptions, state.link) = ([:], nil) }
            return (state.waiters.removeAll(), Array(state.subscriptions.values), state.link)
        }
        for waiter in waiters { waiter.ticket.finish(.failure(RedisError.closed)) }
        for subscription in subscriptions { subscription.stop() }
        await link?.drain(within: RedisLimits.close)
        link?.close("the client was closed")
    }
}
