/// A ws or wss URL taken apart: no more of RFC 3986 than a client needs.
struct WebSocketURL: Hashable {
    var isSecure: Bool
    /// Name or address, an IPv6 address without brackets.
    var host: String
    var port: Int
    /// Path and query, as they go into the request line.
    var target: String

    /// The `Host` header.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    init(_ text: String) throws(WebSocketError) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .badRequest("URL with odd characters")
        }
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else {
            throw .badRequest("URL without scheme")
        }
        switch text[..<colon].lowercased() {
        case "ws": isSecure = false
        case "wss": isSecure = true
        default: throw .badRequest("URL scheme is not ws or wss")
        }
        let rest = text[text.index(colon, offsetBy: 3)...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.contains("@") else { throw .badRequest("URL with user name") }
        (host, port) = try Self.split(authority, defaultPort: isSecure ? 443 : 80)
        let path = rest[authority.endIndex...].prefix { $0 != "#" }
        target = path.hasPrefix("/") ? String(path) : "/" + path
    }

    private static func split(
        _ authority: Substring, defaultPort: Int
    ) throws(WebSocketError) -> (host: String, port: Int) {
        var host = authority
        var port = Substring()
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            host = authority[authority.index(after: authority.startIndex)..<end]
            port = authority[authority.index(after: end)...]
            guard port.isEmpty || port.hasPrefix(":") else { throw .badRequest("URL with bad port") }
            port = port.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        guard !host.isEmpty else { throw .badRequest("URL without host") }
        guard !port.isEmpty else { return (String(host), defaultPort) }
        guard port.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = Int(port), 1...65535 ~= number else {
            throw .badRequest("URL with bad port")
        }
        return (String(host), number)
    }
}
