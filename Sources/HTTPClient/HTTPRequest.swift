/// One request. The URL is http or https, without user name; what libcurl would send beyond it and the
/// headers given is only `Host`, `Accept: */*` and `Content-Length`.
package struct HTTPRequest: Sendable {
    package var method: String
    package var url: String
    package var headers: [(String, String)]
    package var body: [UInt8]
    package var limits: HTTPLimits

    package init(
        method: String = "GET", url: String, headers: [(String, String)] = [], body: [UInt8] = [],
        limits: HTTPLimits = HTTPLimits()
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.limits = limits
    }
}

package struct HTTPLimits: Sendable, Hashable {
    /// Name look-up, TCP and TLS together.
    package var connect: Duration
    /// From the start of the request to the response's first byte.
    package var firstByte: Duration?
    /// Longest silence inside a response body; does not run while the reader holds the body back.
    package var stall: Duration?
    /// The whole exchange, body and redirects included.
    package var total: Duration
    /// Longest response body, bytes; streams count too.
    package var responseBytesMax: Int
    /// Redirects followed; each hop's address is judged. 0: a 3xx is an answer like any other.
    package var redirectsMax: Int

    package init(
        connect: Duration = .seconds(5), firstByte: Duration? = nil, stall: Duration? = nil,
        total: Duration = .seconds(10), responseBytesMax: Int = 1 << 20, redirectsMax: Int = 0
    ) {
        self.connect = connect
        self.firstByte = firstByte
        self.stall = stall
        self.total = total
        self.responseBytesMax = responseBytesMax
        self.redirectsMax = redirectsMax
    }
}

package struct HTTPResponse: Sendable {
    package var status: Int
    /// As received, in order; HTTP/2 sends the names in lower case.
    package var headers: [(String, String)]
    package var body: [UInt8]
    package var timings: HTTPTimings

    package init(status: Int, headers: [(String, String)], body: [UInt8], timings: HTTPTimings) {
        self.status = status
        self.headers = headers
        self.body = body
        self.timings = timings
    }

    /// The first header of this name, whatever its case.
    package func header(_ name: String) -> String? { firstHeader(name, in: headers) }
}

/// Each is measured from the start of the request, so a later phase includes the earlier ones; zero when the
/// phase did not happen (a connection reused, plain http).
package struct HTTPTimings: Sendable, Hashable {
    package var nameLookup: Duration
    package var connect: Duration
    package var tls: Duration
    package var firstByte: Duration
    package var total: Duration
    /// No connection was opened for this request.
    package var wasReused: Bool

    package init(
        nameLookup: Duration = .zero, connect: Duration = .zero, tls: Duration = .zero,
        firstByte: Duration = .zero,
        total: Duration = .zero, wasReused: Bool = false
    ) {
        self.nameLookup = nameLookup
        self.connect = connect
        self.tls = tls
        self.firstByte = firstByte
        self.total = total
        self.wasReused = wasReused
    }
}

func firstHeader(_ name: String, in headers: [(String, String)]) -> String? {
    let wanted = name.lowercased()
    return headers.first { $0.0.lowercased() == wanted }?.1
}
