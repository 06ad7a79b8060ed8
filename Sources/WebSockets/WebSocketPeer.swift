package import NIOCore

/// One socket's owner. Every method is called on the socket's event loop, synchronously and never
/// re-entrantly with another of the same socket, except for what the peer itself causes by calling the
/// socket.
package protocol WebSocketPeer: AnyObject {
    /// The socket is open; first call, once.
    func opened(_ socket: WebSocket)
    /// One whole message. Whether it is valid UTF-8 is for the peer to judge.
    func received(text: ByteBuffer)
    func received(binary: ByteBuffer)
    /// False: stop sending, the other side reads too slowly. True: go on.
    func writabilityChanged(_ isWritable: Bool)
    /// Last call, once, when the connection is gone. `code` is the close code the other side sent (1005: none
    /// in its frame), else the one sent to it, else nil. `error` is nil only after a close agreed by both
    /// sides.
    func closed(code: Int?, error: (any Error)?)
    /// The server is shutting down: finish within `WebSocketLimits.goingAwayMax`. By default closes with
    /// 1001.
    func goingAway()
}

extension WebSocketPeer {
    package func received(text: ByteBuffer) {}
    package func received(binary: ByteBuffer) {}
    package func writabilityChanged(_ isWritable: Bool) {}
    package func goingAway() {
        WebSocket.leaving?.close(code: WebSocketCode.goingAway, reason: "going away")
    }
}

package struct WebSocketLimits: Sendable {
    /// Longest payload of one frame accepted, bytes; longer is answered with 1009.
    package var frameBytesMax = 1 << 20
    /// Longest message put together from fragments, bytes.
    package var messageBytesMax = 1 << 20
    /// Most fragments of one message.
    package var fragmentsMax = 64
    /// Most bytes waiting to be sent; beyond it the socket is closed (1013) rather than growing.
    package var bufferedBytesMax = 1 << 20
    /// A ping is sent when nothing was heard for this long.
    package var pingInterval: Duration = .seconds(15)
    /// The connection is given up after this many silent intervals in a row beyond the first.
    package var missedPingsMax = 2
    /// From our close frame until the connection is cut.
    package var closeMax: Duration = .seconds(3)
    /// From `goingAway()` until the socket is closed with 1001 whatever its peer does.
    package var goingAwayMax: Duration = .seconds(3)
    /// Server: how long `decide` may take; then 503.
    package var decideMax: Duration = .seconds(5)
    /// Client: from the call to the open socket (name, TCP, TLS, upgrade).
    package var connectMax: Duration = .seconds(5)
    /// Client: headers of a refusal that its `WebSocketRefused` carries, names in lower case.
    package var refusalHeaders: [String] = []
    package init() {}
}

/// The server answered the upgrade with an HTTP status other than 101.
package struct WebSocketRefused: Error, Hashable, Sendable {
    package var status: Int
    /// Those of the answer's that were asked for (`WebSocketLimits.refusalHeaders`), names in lower case.
    package var headers: [String: String]
    package init(status: Int, headers: [String: String] = [:]) {
        self.status = status
        self.headers = headers
    }
}

package enum WebSocketError: Error, Hashable, Sendable {
    /// The connection broke without a close frame.
    case connectionLost
    /// Nothing was heard for `pingInterval * (missedPingsMax + 1)`.
    case deadPeer
    /// More than `bufferedBytesMax` was waiting to be sent.
    case tooSlow
    /// The other side broke RFC 6455; says what.
    case protocolViolation(String)
    case messageTooLarge
    /// Client: `connectMax` passed.
    case connectTimeout
    /// Client: not a ws or wss URL, or a header that would break the request.
    case badRequest(String)
    /// Client: 101 without the right `Sec-WebSocket-Accept`.
    case badUpgrade
    /// Client: the name resolves to an address that may not be reached.
    case addressRefused
    /// Client: the server's certificate is not trusted, or TLS failed otherwise; says how.
    case tls(String)
}

/// Close codes, RFC 6455 §7.4.1 and the IANA registry.
package enum WebSocketCode {
    package static let normal = 1000
    package static let goingAway = 1001
    package static let protocolError = 1002
    package static let none = 1005
    package static let policy = 1008
    package static let tooLarge = 1009
    package static let internalError = 1011
    package static let tryAgainLater = 1013

    /// Codes that may stand in a close frame.
    static func isSendable(_ code: Int) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}
