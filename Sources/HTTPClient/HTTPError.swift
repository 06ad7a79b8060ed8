package import Base

/// No response, or not all of it. A status 4xx or 5xx is a response, not an error.
package enum HTTPError: Error, Hashable, Sendable {
    package enum Phase: String, Sendable {
        case connect, firstByte, stall, total
    }
    /// Nobody answers there (name, TCP, TLS); nothing was sent.
    case connect(String)
    case timeout(Phase)
    /// Body over `responseBytesMax`, or header lines over `TransferLimits.headBytesMax`.
    case tooLarge
    /// The policy forbids the address the name resolved to; says which.
    case refusedAddress(String)
    case cancelled
    /// The URL, method or a header must not be sent; says why.
    case badURL(String)
    /// The connection broke, or the other side does not speak HTTP.
    case transport(String)

    /// What a caller above may do about it.
    package var fault: Fault {
        switch self {
        case .connect(let cause):
            Fault(code: "http.unreachable", retry: .after(Self.retryPause), cause: cause)
        case .timeout(.connect):
            Fault(
                code: "http.timeout.connect", retry: .after(Self.retryPause), cause: "no connection in time")
        case .timeout(let phase):
            Fault(code: "http.timeout.\(phase.rawValue)", retry: .unsafe, cause: "no answer in time")
        case .tooLarge: Fault(code: "http.too_large", retry: .never, cause: "response over its limit")
        case .refusedAddress(let address):
            Fault(code: "http.address_refused", retry: .never, cause: "\(address) is not allowed")
        case .cancelled: Fault(code: "http.cancelled", retry: .unsafe, cause: "cancelled")
        case .badURL(let cause): Fault(code: "http.bad_request", retry: .never, cause: cause)
        case .transport(let cause): Fault(code: "http.transport", retry: .unsafe, cause: cause)
        }
    }

    private static let retryPause = Duration.milliseconds(500)
}
