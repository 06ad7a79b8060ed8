import CCurl
import CCurlShim
import Glibc
import Synchronization

enum TransferLimits {
    /// Status line and header lines of all answers of one transfer, bytes.
    static let headBytesMax = 64 << 10
}

/// What becomes of a transfer's answer; all called on the loop's thread, `onEnd` once and last.
struct TransferSink: Sendable {
    var onHead: @Sendable (Int, [(String, String)]) -> Void
    var onChunk: @Sendable ([UInt8]) -> Void
    /// True: hold the body back until `CurlLoop.resume`.
    var isFull: @Sendable () -> Bool = { false }
    var onEnd: @Sendable (Result<HTTPTimings, HTTPError>) -> Void
}

/// One request under way. Confined to the loop's thread but for `isCancelled`.
final class Transfer: @unchecked Sendable {
    let request: HTTPRequest
    let policy: AddressPolicy
    let caFile: String?
    let sink: TransferSink
    let isCancelled = Atomic<Bool>(false)

    var easy: UnsafeMutableRawPointer?
    var url: OpaquePointer?
    var headerList: UnsafeMutablePointer<curl_slist>?
    var isPaused = false
    var hasEnded = false
    /// Set when this side ends the transfer, to tell it from what libcurl says about it.
    var failure: HTTPError?
    /// Since when nothing arrived: the start, then each piece.
    var lastHeard: ContinuousClock.Instant
    var hasFirstByte = false

    private var status = 0
    private var headers: [(String, String)] = []
    private var headBytes = 0
    private var bodyBytes = 0
    private var hasHead = false

    init(request: HTTPRequest, policy: AddressPolicy, caFile: String?, sink: TransferSink) {
        self.request = request
        self.policy = policy
        self.caFile = caFile
        self.sink = sink
        lastHeard = .now
    }

    /// When to look again whether the other side has gone silent; nil: nothing is watched.
    func nextLook(after now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        let limits = request.limits
        if hasFirstByte { return limits.stall.map { lastHeard + $0 } }
        // The first byte may come at any time, and the stall limit runs from there.
        return [limits.firstByte.map { lastHeard + $0 }, limits.stall.map { now + $0 }].compactMap { $0 }
            .min()
    }

    /// Which limit on silence has passed.
    func overdue(at now: ContinuousClock.Instant) -> HTTPError.Phase? {
        if isPaused { lastHeard = now }
        let limit = hasFirstByte ? request.limits.stall : request.limits.firstByte
        guard let limit, lastHeard + limit <= now else { return nil }
        return hasFirstByte ? .stall : .firstByte
    }

    // MARK: From libcurl

    /// One header line with its line end. False: give up.
    func received(line: UnsafeRawBufferPointer) -> Bool {
        heard()
        headBytes += line.count
        guard headBytes <= TransferLimits.headBytesMax else {
            failure = .tooLarge
            return false
        }
        let text = String(decoding: line, as: UTF8.self)
        if text.hasPrefix("HTTP/") {
            status = Int(text.split(separator: " ", maxSplits: 2).dropFirst().first ?? "") ?? 0
            headers = []
        } else if let colon = text.firstIndex(of: ":"), !hasHead {
            headers.append((String(text[..<colon]), Self.trimmed(text[text.index(after: colon)...])))
        } else if !hasHead, status >= 200, !mayBeFollowed {
            deliverHead()
        }
        return true
    }

    /// A redirect that libcurl will follow is not the answer.
    private var mayBeFollowed: Bool {
        request.limits.redirectsMax > 0 && 300..<400 ~= status && firstHeader("location", in: headers) != nil
    }

    private func deliverHead() {
        hasHead = true
        sink.onHead(status, headers)
    }

    /// A piece of the body. Nil: hold it back. False: give up.
    func received(body: UnsafeRawBufferPointer) -> Bool? {
        guard !isCancelled.load(ordering: .relaxed) else {
            failure = .cancelled
            return false
        }
        if sink.isFull() {
            isPaused = true
            return nil
        }
        heard()
        bodyBytes += body.count
        guard bodyBytes <= request.limits.responseBytesMax else {
            failure = .tooLarge
            return false
        }
        if !hasHead { deliverHead() }
        sink.onChunk(Array(body))
        return true
    }

    private func heard() {
        hasFirstByte = true
        if request.limits.stall != nil { lastHeard = .now }
    }

    /// Opens the socket for an address libcurl has resolved, or refuses to.
    func open(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        guard let target = ccurl_address(address), policy.permits(target) else {
            let text = ccurl_address(address).flatMap { Address($0) }.map(\.description) ?? "unknown family"
            refused = text
            return -1
        }
        return socket(
            address.pointee.family, address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue),
            address.pointee.protocol)
    }
    /// The last address the policy refused.
    private var refused: String?

    private static func trimmed(_ text: Substring) -> String {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }
        var bytes = text.utf8[...]
        while let byte = bytes.first, isSpace(byte) { bytes = bytes.dropFirst() }
        while let byte = bytes.last, isSpace(byte) { bytes = bytes.dropLast() }
        return String(Substring(bytes))
    }

    // MARK: The end

    func end(_ code: CURLcode) {
        guard !hasEnded else { return }
        hasEnded = true
        if let failure { return sink.onEnd(.failure(failure)) }
        guard code == CURLE_OK else { return sink.onEnd(.failure(error(code))) }
        if !hasHead { deliverHead() }
        sink.onEnd(.success(timings))
    }

    private func error(_ code: CURLcode) -> HTTPError {
        let text = curl_easy_strerror(code).map { String(cString: $0) } ?? "curl \(code.rawValue)"
        switch code {
        case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST:
            return refused.map { .refusedAddress($0) } ?? .connect(text)
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION: return .connect(text)
        case CURLE_OPERATION_TIMEDOUT:
            return .timeout(time(CURLINFO_PRETRANSFER_TIME_T) == .zero ? .connect : .total)
        case CURLE_FILESIZE_EXCEEDED: return .tooLarge
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: return .badURL(text)
        default: return .transport(text)
        }
    }

    private var timings: HTTPTimings {
        var connects = 0
        if let easy { ccurl_get_long(easy, CURLINFO_NUM_CONNECTS, &connects) }
        return HTTPTimings(
            nameLookup: time(CURLINFO_NAMELOOKUP_TIME_T), connect: time(CURLINFO_CONNECT_TIME_T),
            tls: time(CURLINFO_APPCONNECT_TIME_T), firstByte: time(CURLINFO_STARTTRANSFER_TIME_T),
            total: time(CURLINFO_TOTAL_TIME_T), wasReused: connects == 0)
    }

    private func time(_ which: CURLINFO) -> Duration {
        var microseconds: curl_off_t = 0
        if let easy { ccurl_get_size(easy, which, &microseconds) }
        return .microseconds(Int64(microseconds))
    }
}
