/// The limits of this target.
enum RedisLimits {
    /// From the first packet to a usable connection, AUTH and SELECT included; without the name look-up.
    static let connect: Duration = .seconds(2)
    /// From sending a command to its answer; then the connection counts as dead. Not on blocking connections.
    static let command: Duration = .seconds(5)
    /// A blocking client waits this long for a server that is away; others fail at once.
    static let blockingWait: Duration = .seconds(5)
    /// Commands on the wire at once, and commands waiting for a connection at once.
    static let inFlightMax = 10_000
    static let waitingMax = 1024
    /// Times a command that was not sent is given to a new connection.
    static let sendAttemptsMax = 3
    /// Messages a slow subscriber may leave unread; older ones are dropped.
    static let unreadMessagesMax = 4096
    /// What a fault that is safe to repeat advises.
    static let retryAfter: Duration = .milliseconds(100)
    /// How long `close` waits for what is in flight.
    static let close: Duration = .seconds(2)
    /// A silent TCP peer is probed after this many seconds, this often, this many times.
    static let keepAlive: (idle: Int32, interval: Int32, count: Int32) = (15, 5, 3)
}
