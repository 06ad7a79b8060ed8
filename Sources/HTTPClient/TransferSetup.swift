import CCurl
import CCurlShim

extension Transfer {
    /// Sets the handle up for this request. What libcurl keeps pointers to (URL, header list) lives in the
    /// transfer.
    func prepare(_ easy: UnsafeMutableRawPointer) throws(HTTPError) {
        try RequestCheck.check(method: request.method, headers: request.headers)
        let (url, isSecure) = try RequestCheck.parse(request.url)
        self.easy = easy
        self.url = url
        ccurl_set_url(easy, url)
        ccurl_set_pointer(easy, CURLOPT_PRIVATE, Unmanaged.passUnretained(self).toOpaque())
        setNetwork(easy, isSecure: isSecure)
        setLimits(easy)
        setMethod(easy)
        setHeaders(easy)
        setCallbacks(easy)
    }

    private func setNetwork(_ easy: UnsafeMutableRawPointer, isSecure: Bool) {
        ccurl_set_long(easy, CURLOPT_NOSIGNAL, 1)
        // A resolver thread that is still busy must not hold up the loop when its transfer is cancelled.
        ccurl_set_long(easy, CURLOPT_QUICK_EXIT, 1)
        // No proxy from the environment: it would resolve names itself, past the address policy.
        ccurl_set_text(easy, CURLOPT_PROXY, "")
        ccurl_set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        ccurl_set_text(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https")
        ccurl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1)
        let version = isSecure ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1
        ccurl_set_long(easy, CURLOPT_HTTP_VERSION, version)
        if isSecure { ccurl_set_long(easy, CURLOPT_PIPEWAIT, 1) }
        if let caFile { ccurl_set_text(easy, CURLOPT_CAINFO, caFile) }
    }

    private func setLimits(_ easy: UnsafeMutableRawPointer) {
        let limits = request.limits
        ccurl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, limits.connect.milliseconds)
        ccurl_set_long(easy, CURLOPT_TIMEOUT_MS, limits.total.milliseconds)
        ccurl_set_size(easy, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(limits.responseBytesMax))
        ccurl_set_long(easy, CURLOPT_FOLLOWLOCATION, limits.redirectsMax > 0 ? 1 : 0)
        ccurl_set_long(easy, CURLOPT_MAXREDIRS, limits.redirectsMax)
    }

    private func setMethod(_ easy: UnsafeMutableRawPointer) {
        let method = request.method
        switch (method, request.body.isEmpty) {
        case ("GET", true): ccurl_set_long(easy, CURLOPT_HTTPGET, 1)
        case ("HEAD", true): ccurl_set_long(easy, CURLOPT_NOBODY, 1)
        case ("DELETE", true), ("OPTIONS", true): ccurl_set_text(easy, CURLOPT_CUSTOMREQUEST, method)
        default:
            ccurl_set_long(easy, CURLOPT_POST, 1)
            ccurl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count))
            // An empty array has no address, and libcurl would then ask a read callback for the body.
            _ = request.body.withUnsafeBytes { bytes in
                if let start = bytes.baseAddress, !bytes.isEmpty {
                    ccurl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, start)
                } else {
                    ccurl_set_text(easy, CURLOPT_COPYPOSTFIELDS, "")
                }
            }
            if method != "POST" { ccurl_set_text(easy, CURLOPT_CUSTOMREQUEST, method) }
        }
    }

    private func setHeaders(_ easy: UnsafeMutableRawPointer) {
        var lines = request.headers.map { $0.1.isEmpty ? "\($0.0);" : "\($0.0): \($0.1)" }
        // libcurl's own ideas: a form's content type, and a round trip of waiting before a long body.
        if firstHeader("content-type", in: request.headers) == nil { lines.append("Content-Type:") }
        lines.append("Expect:")
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines { list = curl_slist_append(list, line) }
        headerList = list
        ccurl_set_list(easy, CURLOPT_HTTPHEADER, list)
    }

    private func setCallbacks(_ easy: UnsafeMutableRawPointer) {
        let me = Unmanaged.passUnretained(self).toOpaque()
        ccurl_set_header(
            easy,
            { bytes, size, count, user in
                let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
                return Transfer.from(user).received(line: line) ? line.count : 0
            }, me)
        ccurl_set_write(
            easy,
            { bytes, size, count, user in
                let body = UnsafeRawBufferPointer(start: bytes, count: size * count)
                switch Transfer.from(user).received(body: body) {
                case true?: return body.count
                case false?: return 0
                case nil: return Int(CURL_WRITEFUNC_PAUSE)
                }
            }, me)
        ccurl_set_open_socket(
            easy,
            { user, _, address in
                guard let address else { return -1 }
                return Transfer.from(user).open(address)
            }, me)
    }

    static func from(_ pointer: UnsafeMutableRawPointer?) -> Transfer {
        Unmanaged<Transfer>.fromOpaque(pointer!).takeUnretainedValue()
    }

    /// Frees what libcurl had pointers to; the handle has been reset or closed before.
    func release() {
        easy = nil
        if let url { curl_url_cleanup(url) }
        url = nil
        curl_slist_free_all(headerList)
        headerList = nil
    }
}

extension Duration {
    /// Whole milliseconds, at least one: zero would mean "no limit" to libcurl.
    var milliseconds: Int {
        let (seconds, attoseconds) = components
        return max(1, Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
    }
}
