package import NIOCore

/// One call's audio connection to a carrier, as the runner sees it. Every method is called on `loop`.
///
/// Telephony owns wire formats, their order rules and the carrier's REST; it decides nothing about a call.
package protocol CallTransport: AnyObject {
    var loop: any EventLoop { get }
    /// Queues audio at the carrier behind what it has: µ-law, 8 kHz, mono, one byte a sample.
    func play(_ audio: ByteBufferView)
    /// Answered by `MediaSink.mark` of the same number once all audio before it has been heard or dropped.
    func mark(_ number: Int)
    /// Drops everything the carrier has not played; it then answers every open mark at once.
    func clear()
    /// Sends what `play`, `mark` and `clear` have queued.
    func flush()
    /// Nothing of this stream is delivered any more after it.
    func close(_ code: MediaClose, reason: String)
    /// False while more than 64 KiB wait for the socket to take them: the reader has stalled.
    var isWritable: Bool { get }
}

/// Why we close a media socket: WebSocket close codes (RFC 6455 §7.4.1).
package enum MediaClose: Int, Sendable {
    case normal = 1000
    case goingAway = 1001
    /// Messages out of order.
    case protocolError = 1002
    case binaryRefused = 1003
    case malformed = 1007
    /// Token refused, flood, stalled reader.
    case policy = 1008
    case tooBig = 1009
    case internalError = 1011
    /// No free slot.
    case tryAgainLater = 1013
}

/// What a carrier's stream tells. Called on the transport's event loop, in order, synchronously.
package protocol MediaSink: AnyObject {
    func started(_ start: StreamStart, on transport: any CallTransport)
    /// µ-law, 8 kHz, mono, at most `CarrierFrame.audioBytesMax` bytes. The buffer is reused: copy to keep it.
    func audio(_ audio: ByteBuffer)
    /// One of 0-9 * #
    func digit(_ digit: String)
    func mark(_ number: Int)
    /// The carrier says that the call, or its part in it, is over.
    func stopped()
    /// The socket broke a rule and is being closed; `closed` still follows.
    func protocolViolation(_ violation: MediaViolation)
    /// The socket is gone; last.
    func closed()
}

/// The first message of a stream.
package struct StreamStart: Hashable, Sendable {
    package var streamSid: String
    package var callSid: String
    package var accountSid: String
    /// `customParameters`: what our TwiML gave the stream.
    package var parameters: [String: String]
    package init(streamSid: String, callSid: String, accountSid: String, parameters: [String: String]) {
        self.streamSid = streamSid
        self.callSid = callSid
        self.accountSid = accountSid
        self.parameters = parameters
    }
}

/// A rule that a carrier's socket broke: said once to it (as close code and reason) and once to the log.
package struct MediaViolation: Error, Hashable, Sendable {
    package var close: MediaClose
    /// Stable, lower-case: `media_before_start`.
    package var code: String
    package init(_ close: MediaClose, _ code: String) {
        self.close = close
        self.code = code
    }
}
