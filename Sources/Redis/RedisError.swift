package import Base

/// Why a command has no reply.
package enum RedisError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The server refused it; its text without the dash, `NOGROUP No such key…`.
    case server(String)
    /// The connection went away, or no answer came in time, after the command was sent: it may have run.
    case disconnected
    /// Not sent: the server is away.
    case unreachable(String)
    /// Not sent: too many commands are under way or waiting.
    case busy
    /// The client was closed.
    case closed
    /// Not sent: it cannot be run on a connection that others share.
    case usage(String)

    /// The first word of a server error: `BUSYGROUP`, `ERR`.
    package var code: String? {
        if case .server(let text) = self { String(text.prefix { $0 != " " }) } else { nil }
    }

    package var description: String {
        switch self {
        case .server(let text): "redis: \(text)"
        case .disconnected: "redis: disconnected, the command may have run"
        case .unreachable(let cause): "redis: unreachable: \(cause)"
        case .busy: "redis: too many commands under way"
        case .closed: "redis: the client is closed"
        case .usage(let text): "redis: \(text)"
        }
    }

    package var fault: Fault {
        let (code, retry): (String, Fault.Retry) =
            switch self {
            case .server:
                isPassing ? ("redis.not_ready", .after(RedisLimits.retryAfter)) : ("redis.refused", .never)
            case .disconnected: ("redis.disconnected", .unsafe)
            case .unreachable: ("redis.unreachable", .after(RedisLimits.retryAfter))
            case .busy: ("redis.busy", .after(RedisLimits.retryAfter))
            case .closed: ("redis.closed", .never)
            case .usage: ("redis.usage", .never)
            }
        return Fault(code: code, retry: retry, cause: description)
    }

    /// The server was starting, out of memory, busy with a script or no longer the master: it did nothing.
    private var isPassing: Bool {
        ["LOADING", "BUSY", "OOM", "READONLY", "TRYAGAIN", "MASTERDOWN", "CLUSTERDOWN"].contains(code)
    }
}
