import CCurl

/// Refuses what would send something else than the caller means.
enum RequestCheck {
    /// Headers libcurl or this client sets itself: two of them would let two readers disagree on the body's
    /// end.
    private static let ownHeaders: Set<String> = [
        "content-length", "transfer-encoding", "expect", "connection",
    ]

    static func check(method: String, headers: [(String, String)]) throws(HTTPError) {
        guard isToken(method) else { throw .badURL("method") }
        for (name, value) in headers {
            guard isToken(name), !ownHeaders.contains(name.lowercased()) else {
                throw .badURL("header \(name.count) long")
            }
            guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                throw .badURL("header \(name) with control characters")
            }
        }
    }

    /// Parsed by libcurl, which then uses the very parse: no second reader to disagree with.
    /// - Returns: the handle, to be freed with `curl_url_cleanup`, and whether the scheme is https.
    static func parse(_ text: String) throws(HTTPError) -> (url: OpaquePointer, isSecure: Bool) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x5C }) else {
            throw .badURL("characters that do not belong in a URL")
        }
        guard let url = curl_url() else { throw .transport("out of memory") }
        guard curl_url_set(url, CURLUPART_URL, text, UInt32(CURLU_DISALLOW_USER)) == CURLUE_OK,
            let scheme = part(url, CURLUPART_SCHEME), scheme == "http" || scheme == "https",
            part(url, CURLUPART_HOST) != nil
        else {
            curl_url_cleanup(url)
            throw .badURL("not an http or https URL without user name")
        }
        return (url, scheme == "https")
    }

    private static func part(_ url: OpaquePointer, _ which: CURLUPart) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(url, which, &text, 0) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }

    /// RFC 9110 §5.6.2.
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
